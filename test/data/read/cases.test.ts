/** Files as people have them, from public bug reports, which lie beside the project where it is developed. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ImportOptions, importFile } from '../../../src/data/import/import.js';
import { userError } from '../files.js';
import { historiesOf } from './histories.js';

const cases = new URL('../../../../shared/cases/', import.meta.url).pathname;
const isHere = existsSync(cases);
if (!isHere) console.log(`skipped: ${cases} is not on this machine`);

/** The true histories of most files, read here without perflaw: a user and a list of items a line. */
const truth = (): Record<string, string[]> =>
  Object.fromEntries(
    readFileSync(`${cases}02-hstu-lists/seq_tab_comma.txt`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('\t') as [string, string])
      .map(([user, items]) => [user, items.split(',')]),
  );
const read = async (name: string, options: ImportOptions = {}) => {
  const { interactions, notes, reading, rows } = await importFile(cases + name, { kCore: 0, ...options });
  return {
    histories: historiesOf(interactions),
    notes: notes.join('\n'),
    reading,
    rows,
    hash: interactions.hash,
  };
};
const refused = (name: string, options: ImportOptions = {}) =>
  userError(importFile(cases + name, { kCore: 0, ...options }));
/** The same histories under other names: users and items by their place in a sorted list of the first appearance of each. */
const renamed = (
  histories: Record<string, string[]>,
  user: (id: string) => string,
  item: (id: string) => string,
) => Object.fromEntries(Object.entries(histories).map(([id, items]) => [user(id), items.map(item)]));

describe.runIf(isHere)('files as people have them', () => {
  it.each<[string, ImportOptions?]>([
    ['02-hstu-lists/lists.csv'],
    ['02-hstu-lists/sasrec_format.csv'],
    ['02-hstu-lists/seq_tab_comma.txt'],
    ['10-yyyymmdd/excel_serial.csv', { timeUnit: 'excel' }],
    ['13-timezones/abbr.csv'],
    ['13-timezones/iso_colon.csv'],
    ['22-excel/sep_line.csv'],
    ['22-excel/spaces.csv'],
    ['22-excel/utf16.csv'],
    ['24-where/parts.csv'],
  ])('%s', async (name, options) => {
    const { histories, rows } = await read(name, options);
    expect(histories).toEqual(truth());
    expect(rows).toBe(name.startsWith('02') ? 40 : 568);
  });

  it('a phone that changes zones: the same from every format', async () => {
    const hashes = await Promise.all(
      ['travel.csv', 'travel.jsonl', 'travel_str.parquet', 'travel_tz.parquet'].map(
        async (name) => (await read(`13-timezones/${name}`)).hash,
      ),
    );
    expect(new Set(hashes).size).toBe(1);
    // By the dates themselves.
    const lines = readFileSync(`${cases}13-timezones/travel.csv`, 'utf8').trim().split('\n').slice(1);
    const events = lines.map((line) => line.split(',') as [string, string, string]);
    const expected: Record<string, string[]> = {};
    for (const [user, item] of events.sort((a, b) => Date.parse(a[2]) - Date.parse(b[2])))
      expected[user] = [...(expected[user] ?? []), item];
    expect((await read('13-timezones/travel.csv')).histories).toEqual(expected);
  });

  it('late errors are met at any row', async () => {
    expect((await refused('15-late-errors/fields_5000.csv')).place).toMatch(/fields_5000\.csv:4902$/);
    expect((await refused('15-late-errors/fields_30000.csv')).place).toMatch(/fields_30000\.csv:29002$/);
    expect((await refused('15-late-errors/cut.csv.gz')).message).toMatch(/truncated gzip/);
  });

  it('dates that could mean another day are refused with the format that fits', async () => {
    expect((await refused('04-ddmmyy/ddmmyy.csv')).remedy).toBe('Every row fits --time-format "%d/%m/%y".');
    const days = await read('04-ddmmyy/ddmmyy.csv', { timeFormat: '%d/%m/%y' });
    expect(days.notes).toMatch(/date runs from 2019-01-04 to 2020-12-02/);
    expect((await refused('10-yyyymmdd/yyyymmdd.csv')).remedy).toMatch(/--time-format %Y%m%d/);
    const same = await read('10-yyyymmdd/yyyymmdd.csv', { timeFormat: '%Y%m%d' });
    expect(same.hash).toBe(days.hash);
    expect((await refused('10-yyyymmdd/excel_serial.csv')).remedy).toMatch(/--time-unit excel/);
    const dashes = await refused('14-jsonl/amb_mdy_dash.jsonl');
    expect(dashes.remedy).toMatch(/"%d-%m-%Y" or --time-format "%m-%d-%Y": say which is meant/);
  });

  it('units and far dates', async () => {
    const mixed = await refused('09-mixed-units/one_row.csv');
    expect(mixed.message).toMatch(/567 rows are times in ms, 1 in s \(1603551478\)/);
    expect(mixed.place).toMatch(/one_row\.csv:102$/);
    const far = await read('09-mixed-units/sentinel_date.csv');
    expect(far.notes).toMatch(
      /Warning: date runs from 2019-01-04T05:32:30Z to 9999-12-31, which ends in the future/,
    );
  });

  it('identifiers', async () => {
    const [csv, json] = [await read('14-jsonl/near_ids.csv'), await read('14-jsonl/near_ids.jsonl')];
    expect(Object.keys(json.histories)).toHaveLength(40);
    expect(json.histories).toEqual(csv.histories);
    expect(json.hash).toBe(csv.hash);
    const words = await refused('22-excel/null_words.csv');
    expect(words.message).toMatch(/in 64 of 568 rows/);
    const left = await read('22-excel/null_words.csv', { where: ['user_id!='] });
    expect(Object.keys(left.histories)).not.toContain('NA');
    expect(left.reading).toMatchObject({ rows: 568, interactions: 504 });
    const { histories, notes } = await read('01-diginetica/train-item-views.csv', {
      order: 'timeframe',
      time: 'eventdate',
    });
    expect(histories).toEqual(JSON.parse(readFileSync(`${cases}01-diginetica/truth.json`, 'utf8')));
    expect(notes).toMatch(/userId has no value in 84 %/);
    expect((await read('01-diginetica/train-item-views.csv')).notes).toMatch(/--order timeframe would/);
  });

  it('an export joined of two, and one with empty customers', async () => {
    const floats = await read('08-online-retail/iso_floats.csv');
    expect(
      renamed(
        floats.histories,
        (id) => String(Number(id) - 17_850),
        (id) => String(Number(id.slice(1, -1)) % 1000),
      ),
    ).toEqual(truth());
    const empty = await refused('08-online-retail/iso_empty.csv');
    expect(empty.remedy).toMatch(/--where "CustomerID!="/);
    const rest = await read('08-online-retail/iso_empty.csv', { where: ['CustomerID!='] });
    expect(rest.histories).toEqual(floats.histories);
    const dates = await refused('08-online-retail/data.csv', { where: ['CustomerID!='] });
    expect(dates.remedy).toBe('Every row fits --time-format "%m/%d/%Y %H:%M".');
  });

  it('a duration and an hour of the day are no clock', async () => {
    expect((await refused('05-dunnhumby/dwell_time.csv')).message).toMatch(
      /which column is the time\? dwell_time/,
    );
    expect((await read('05-dunnhumby/dwell_time.csv', { time: 'none' })).notes).toMatch(
      /taken to be in order/,
    );
    expect((await refused('05-dunnhumby/transaction_data.csv')).message).toMatch(
      /TRANS_TIME \(it looks like an hour of the day\)/,
    );
    expect((await read('05-dunnhumby/transaction_data.csv', { time: 'DAY', order: 'TRANS_TIME' })).rows).toBe(
      568,
    );
  });

  it('quotes in tab-separated text lose no row', async () => {
    for (const name of ['benign', 'open_then_inch_last', 'swallow_rare']) {
      const lines = readFileSync(`${cases}06-tsv-quotes/${name}.tsv`, 'utf8').trim().split('\n').length;
      expect((await read(`06-tsv-quotes/${name}.tsv`)).rows).toBe(lines - 1);
      expect((await read(`06-tsv-quotes/${name}.tsv`, { quote: 'none' })).rows).toBe(lines - 1);
    }
    expect((await refused('06-tsv-quotes/swallow_rare.tsv', { quote: '"' })).remedy).toMatch(/--quote none/);
  });

  it('events logged several times are counted, and merged where asked', async () => {
    const all = await read('12-duplicates/big_matrix.csv');
    expect(all.reading.duplicates).toEqual({ count: 380, kept: 'keep' });
    for (const duplicates of ['first', 'last'] as const)
      expect((await read('12-duplicates/big_matrix.csv', { duplicates })).histories).toEqual(truth());
    const missing = await refused('12-duplicates/small_matrix_nan.csv');
    expect(missing.message).toMatch(/empty in 38 of 568 rows/);
    expect(
      (await read('12-duplicates/small_matrix_nan.csv', { where: ['timestamp!='] })).reading.interactions,
    ).toBe(530);
  });

  it('conditions: all of them, or one of them, and decimal commas', async () => {
    const kept = async (name: string, ...where: string[]) =>
      (await read(name, { where })).reading.interactions;
    const column = (name: string, mark: string, at: number) =>
      readFileSync(cases + name, 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(mark)[at]!);
    const types = column('24-where/rees46.csv', ',', 1);
    const count = (...wanted: string[]) => types.filter((type) => wanted.includes(type)).length;
    expect(await kept('24-where/rees46.csv', 'event_type=purchase')).toBe(count('purchase'));
    expect(await kept('24-where/rees46.csv', 'event_type=purchase or event_type=cart')).toBe(
      count('purchase', 'cart'),
    );
    expect(await kept('24-where/rees46.csv', 'event_type!=view', 'event_type!=cart')).toBe(count('purchase'));
    const ratings = column('24-where/parts.csv', ';', 2).map((text) => Number(text.replace(',', '.')));
    expect(await kept('24-where/parts.csv', 'rating>=4')).toBe(
      ratings.filter((rating) => rating >= 4).length,
    );
    expect((await refused('24-where/rees46.csv', { where: ['event_type=rent'] })).message).toMatch(
      /no row meets/,
    );
  });
});
