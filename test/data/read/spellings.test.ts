/** The same events in every format and spelling of time are the same data set, to the last bit. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { type ImportOptions, importFile } from '../../../src/data/import/import.js';
import { file, folder, userError } from '../files.js';
import { historiesFrom, historiesOf, someEvents } from './histories.js';

const events = someEvents('spellings');
const expected = historiesFrom(events);
const hashOf = async (path: string, options: ImportOptions = {}) => {
  const { interactions } = await importFile(path, { kCore: 0, ...options });
  expect(historiesOf(interactions)).toEqual(expected);
  return interactions.hash;
};
const csv = (time: (seconds: number) => string | number) =>
  `user_id,item_id,time\n${events.map((e) => `${e.user},${e.item},"${time(e.time)}"`).join('\n')}\n`;
const date = (seconds: number, hours = 0) => new Date(1000 * (seconds + 3600 * hours));
const iso = (seconds: number, hours = 0) => date(seconds, hours).toISOString().slice(0, 19);
const two = (n: number) => String(n).padStart(2, '0');
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const DAYS = 'Sun Mon Tue Wed Thu Fri Sat'.split(' ');
const reference = hashOf(file('reference.csv', csv(String)));

describe('times', () => {
  it.each<[string, (seconds: number) => string | number]>([
    ['milliseconds', (t) => 1000 * t],
    ['microseconds', (t) => 1e6 * t],
    ['with a zero behind', (t) => `${t}.0`],
    ['spaces around', (t) => ` ${t} `],
    ['Z', (t) => `${iso(t)}Z`],
    ['no zone', (t) => iso(t).replace('T', ' ')],
    ['fractions', (t) => `${iso(t)}.000000Z`],
    ['slashes', (t) => iso(t).replaceAll('-', '/').replace('T', ' ')],
    ['UTC', (t) => `${iso(t).replace('T', ' ')} UTC`],
    ['+05:30', (t) => `${iso(t, 5.5)}+05:30`],
    ['-0800', (t) => `${iso(t, -8)}-0800`],
    ['+2', (t) => `${iso(t, 2)}+02`],
    ['zones that change', (t) => (t % 2 ? `${iso(t, -5)}-05:00` : `${iso(t, 9)} +0900`)],
    ['abbreviations', (t) => (t % 2 ? `${iso(t, -4)} EDT` : `${iso(t, 1)} CET`)],
  ])('%s', async (_, time) => {
    expect(await hashOf(file('times.csv', csv(time)))).toBe(await reference);
  });

  it.each<[string, (d: Date) => string]>([
    [
      '%d/%m/%Y %H:%M:%S',
      (d) =>
        `${two(d.getUTCDate())}/${two(d.getUTCMonth() + 1)}/${d.getUTCFullYear()} ${iso(+d / 1000).slice(11)}`,
    ],
    [
      '%m/%d/%Y %I:%M:%S %p',
      (d) =>
        `${d.getUTCMonth() + 1}/${d.getUTCDate()}/${d.getUTCFullYear()} ${d.getUTCHours() % 12 || 12}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())} ${d.getUTCHours() < 12 ? 'AM' : 'PM'}`,
    ],
    [
      '%d.%m.%Y %H:%M:%S',
      (d) =>
        `${two(d.getUTCDate())}.${two(d.getUTCMonth() + 1)}.${d.getUTCFullYear()} ${iso(+d / 1000).slice(11)}`,
    ],
    [
      '%a %b %d %H:%M:%S %z %Y',
      (d) =>
        `${DAYS[d.getUTCDay()]} ${MONTHS[d.getUTCMonth()]} ${two(d.getUTCDate())} ${iso(+d / 1000).slice(11)} +0000 ${d.getUTCFullYear()}`,
    ],
    [
      '%a, %d %b %Y %H:%M:%S %z',
      (d) => {
        const east = new Date(+d + 7_200_000);
        return `${DAYS[east.getUTCDay()]}, ${two(east.getUTCDate())} ${MONTHS[east.getUTCMonth()]} ${east.getUTCFullYear()} ${iso(+east / 1000).slice(11)} +0200`;
      },
    ],
    ['%Y%m%d%H%M%S', (d) => iso(+d / 1000).replace(/\D/g, '')],
  ])('%s, which is suggested where it is not said', async (format, spell) => {
    const path = file(
      'format.csv',
      csv((t) => spell(date(t))),
    );
    const error = await userError(importFile(path, { kCore: 0 }));
    expect(error.remedy).toContain(format);
    expect(error.remedy).toMatch(/--time-format/);
    expect(await hashOf(path, { timeFormat: format })).toBe(await reference);
    const other = file('other.csv', `${csv((t) => spell(date(t)))}u1,i1,soon\n`);
    const refused = await userError(importFile(other, { timeFormat: format, kCore: 0 }));
    expect(refused.message).toMatch(/"soon", which is not written as .* \(1 of 109 rows\)/);
    expect(refused.place).toBe(`${other}:110`);
  });

  it('days of a spreadsheet', async () => {
    const path = file(
      'excel.csv',
      csv((t) => (t / 86_400 + 25_569).toFixed(9)),
    );
    expect((await userError(importFile(path, { kCore: 0 }))).remedy).toMatch(/--time-unit excel/);
    expect(await hashOf(path, { timeUnit: 'excel' })).toBe(await reference);
  });

  it.each<[string, (seconds: number, n: number) => string | number, RegExp, RegExp]>([
    [
      'a row in seconds among milliseconds',
      (t, n) => (n === 50 ? t : 1000 * t),
      /107 rows are times in ms, 1 in s/,
      /--where "time>=/,
    ],
    ['zeros among seconds', (t, n) => (n === 3 ? 0 : t), /1 of zero or less/, /--where/],
    [
      'numbers among dates',
      (t, n) => (n === 3 ? t : `${iso(t)}Z`),
      /numbers in 1 rows and dates in 107/,
      /one way/,
    ],
    ['no value', (t, n) => (n % 4 ? t : 'NULL'), /empty in 27 of 108 rows/, /--where "time!="/],
    [
      'days as numbers',
      (t) => iso(t).slice(0, 10).replaceAll('-', ''),
      /dates written as %Y%m%d/,
      /--time-format %Y%m%d/,
    ],
    [
      'a month that is none',
      (t, n) => (n === 7 ? '2020-13-01' : `${iso(t)}Z`),
      /"2020-13-01".*1 of 108/,
      /Most rows fit|time-format/,
    ],
    [
      'dd-mm-yy below 13',
      (t) => `0${1 + (t % 9)}-0${1 + (t % 8)}-${date(t).getUTCFullYear()}`,
      /neither a number nor a date/,
      /"%d-%m-%Y" or --time-format "%m-%d-%Y": say which/,
    ],
  ])('refused: %s', async (_, time, message, remedy) => {
    let n = 0;
    const error = await userError(
      importFile(
        file(
          'bad.csv',
          csv((t) => time(t, n++)),
        ),
        { kCore: 0 },
      ),
    );
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(remedy);
  });

  it('said loudly: before 1990, in the future, within a day', async () => {
    const notes = async (time: (t: number) => string | number) =>
      (await importFile(file('loud.csv', csv(time)), { kCore: 0, time: 'time' })).notes.join('\n');
    expect(await notes((t) => `${iso(t - 1.2e9)}Z`)).toMatch(
      /Warning: time runs from 1979-.*begins before 1990.*--time-format/s,
    );
    expect(await notes((t) => (t % 5 ? `${iso(t)}Z` : '9999-12-31'))).toMatch(
      /Warning: .*9999-12-31, which ends in the future/,
    );
    expect(await notes((t) => 1.6e9 + (t % 80_000))).toMatch(/Warning: .*shorter than a day/);
    expect(await notes((t) => (t % 5 ? iso(t) : `${iso(t)}Z`))).toMatch(
      /Warning: \d+ of 108 rows of time say no time zone/,
    );
    expect(await notes(String)).not.toMatch(/Warning/);
  });

  it('a format that is none is named', async () => {
    const path = file('format.csv', csv(String));
    expect((await userError(importFile(path, { timeFormat: '%Q' }))).message).toMatch(
      /--time-format "%Q" is no format/,
    );
    expect((await userError(importFile(path, { timeFormat: 'dd.mm' }))).message).toMatch(
      /no part such as %Y/,
    );
  });
});

describe('files', () => {
  const lines = (separator: string, head: string) =>
    head + events.map((e) => `${e.user}${separator}${e.item}${separator}${e.time}\n`).join('');
  const table = csv(String).replaceAll('"', '');

  it.each<[string, () => string | Uint8Array, ImportOptions?]>([
    ['s.tsv', () => lines('\t', 'user\titem\ttimestamp\n')],
    ['s.dat', () => lines('::', '')],
    ['s.inter', () => lines('\t', 'user_id:token\titem_id:token\ttimestamp:float\n')],
    ['bare.csv', () => lines(',', '')],
    ['sep.csv', () => `sep=;\r\n${lines(';', 'user;item;time\n').replaceAll('\n', '\r\n')}`],
    ['comments.csv', () => `# made by hand\n# in 2026\n${table}`],
    ['named.tsv', () => `# user\titem\ttime\n${lines('\t', '')}`],
    ['mac.csv', () => table.replaceAll('\n', '\r')],
    ['mixed.csv', () => table.replace(/\n/g, (_, at) => (at % 2 ? '\n' : '\r\n'))],
    ['empty-lines.csv', () => `\n\n${table.replaceAll('\n', '\n\n')}`],
    ['bom.csv', () => `\uFEFF${table}`],
    ['utf16.csv', () => Buffer.from(`\uFEFF${table}`, 'utf16le')],
    ['utf16-bare.csv', () => Buffer.from(table, 'utf16le')],
    ['utf16be.csv', () => Buffer.from(`\uFEFF${table}`, 'utf16le').swap16()],
    ['s.csv.gz', () => gzipSync(table)],
    ['parts.csv.gz', () => Buffer.concat([gzipSync(table.slice(0, 700)), gzipSync(table.slice(700))])],
    ['utf16.csv.gz', () => gzipSync(Buffer.from(`\uFEFF${table}`, 'utf16le'))],
    ['s.jsonl', () => events.map((e) => JSON.stringify(e)).join('\n')],
    ['s.json', () => JSON.stringify(events, null, 2)],
    [
      'text.jsonl',
      () => events.map((e) => `${JSON.stringify({ ...e, time: `${iso(e.time)}Z` })}\n`).join(''),
    ],
    ['nested.jsonl', () => nested((list) => list.map(({ item, time }) => ({ aid: item, ts: 1000 * time })))],
  ])('%s', async (name, content, options) => {
    expect(await hashOf(file(name, content()), options)).toBe(await reference);
  });

  it('Parquet and zstd, of every type', async () => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'America/New_York'");
    await connection.run(
      `CREATE TABLE e AS SELECT * FROM (VALUES ${events.map((e) => `('${e.user}', '${e.item}', ${e.time})`).join()}) t(user_id, item_id, s)`,
    );
    for (const time of [
      's',
      's::DOUBLE',
      's::BIGINT * 1000',
      'make_timestamp(s::BIGINT * 1000000)',
      'to_timestamp(s)',
      'make_timestamp(s::BIGINT * 1000000)::TIMESTAMP_S',
      'make_timestamp(s::BIGINT * 1000000)::VARCHAR',
      "strftime(to_timestamp(s), '%Y-%m-%dT%H:%M:%S%z')",
    ]) {
      const path = join(folder, 'typed.parquet');
      await connection.run(
        `COPY (SELECT user_id, item_id, ${time} AS time FROM e) TO '${path}' (FORMAT parquet)`,
      );
      expect(await hashOf(path)).toBe(await reference);
    }
    const packed = join(folder, 'packed.csv.zst');
    await connection.run(
      `COPY (SELECT user_id, item_id, s AS time FROM e) TO '${packed}' (FORMAT csv, COMPRESSION zstd)`,
    );
    expect(await hashOf(packed)).toBe(await reference);
    const cut = file('cut.csv.zst', readFileSync(packed).subarray(0, -40));
    expect((await userError(importFile(cut))).message).toMatch(/zstd file/);
    const listed = join(folder, 'listed.parquet');
    await connection.run(
      `COPY (SELECT user_id, list(item_id ORDER BY s) AS item_ids, list(s ORDER BY s) AS timestamps FROM e GROUP BY user_id) TO '${listed}' (FORMAT parquet)`,
    );
    expect(await hashOf(listed)).toBe(await reference);
    const structs = join(folder, 'structs.parquet');
    await connection.run(
      `COPY (SELECT user_id AS session, list({'aid': item_id, 'ts': s}) AS events FROM e GROUP BY user_id) TO '${structs}' (FORMAT parquet)`,
    );
    expect(await hashOf(structs)).toBe(await reference);
    connection.closeSync();
    instance.closeSync();
  });

  const byUser = () => {
    const users = new Map<string, typeof events>();
    for (const event of [...events].sort((a, b) => a.time - b.time))
      users.set(event.user, [...(users.get(event.user) ?? []), event]);
    return users;
  };
  function nested(of: (list: typeof events) => unknown): string {
    return [...byUser()]
      .map(([session, list]) => `${JSON.stringify({ session, events: of(list) })}\n`)
      .join('');
  }

  it('columns may be called anything', async () => {
    const others = Object.fromEntries(
      ['user_t', 'item_t', 'time_n', 'time_t', 'keep', 'v0', 'r', 'e', 'k0'].map((name) => [name, 'x']),
    );
    const path = file('names.jsonl', events.map((e) => JSON.stringify({ ...others, ...e })).join('\n'));
    expect(await hashOf(path, { where: ['keep=x', 'time_n!='] })).toBe(await reference);
  });

  it('lists of items and times, and histories without times', async () => {
    const rows = (items: (list: string[]) => string, times: (list: number[]) => string) =>
      `user_id,item_ids,timestamps\n${[...byUser()].map(([user, list]) => `${user},"${items(list.map((e) => e.item))}","${times(list.map((e) => e.time))}"\n`).join('')}`;
    for (const [items, times] of [
      [(l: string[]) => l.join(), (l: number[]) => l.join()],
      [(l: string[]) => l.join('|'), (l: number[]) => l.join('|')],
      [(l: string[]) => `['${l.join("', '")}']`, (l: number[]) => `[${l.join(', ')}]`],
      [(l: string[]) => `[${l.map((i) => `""${i}""`).join(', ')}]`, (l: number[]) => `[${l.join(' ')}]`],
    ] as const)
      expect(await hashOf(file('lists.csv', rows(items, times)))).toBe(await reference);
    const order = async (path: string) => historiesOf((await importFile(path, { kCore: 0 })).interactions);
    const each = (join: (user: string, items: string[]) => string) =>
      [...byUser()]
        .map(
          ([user, list]) =>
            `${join(
              user,
              list.map((e) => e.item),
            )}\n`,
        )
        .join('');
    for (const [name, text] of [
      ['a.txt', each((user, items) => `${user}\t${items.join()}`)],
      ['b.txt', each((user, items) => `${user} ${items.join()}`)],
      ['c.csv', `user_id,items\n${each((user, items) => `${user},"[${items.join(', ')}]"`)}`],
      ['d.jsonl', each((user, items) => JSON.stringify({ user, items }))],
    ] as const)
      expect(await order(file(name, text))).toEqual(expected);
    const sequences = file(
      'e.txt',
      each((user, items) => [user, ...items].join(' ')),
    );
    expect(
      historiesOf((await importFile(sequences, { kCore: 0, format: 'sequences' })).interactions),
    ).toEqual(expected);
  });

  it('lists that cannot be read are refused with their row', async () => {
    const refused = (text: string) => userError(importFile(file('l.csv', text), { kCore: 0 }));
    const cut = await refused('user,item_ids\n1,"[1 2 3]"\n2,"[1 2 ... 8 9]"\n3,"[4 5]"\n');
    expect(cut.message).toMatch(/"\[1 2 ... 8 9\]" is no list/);
    expect(cut.place).toMatch(/l\.csv:3$/);
    expect(
      (
        await refused(
          'user,item_ids,timestamps\n1,"1,2,3","1600000000,1600000001"\n2,"1,2,4","1600000000,1600000001,1600000009"\n',
        )
      ).message,
    ).toMatch(/another length/);
    const texts = await importFile(file('t.csv', 'user,item\n1,"a,b,c"\n1,"a,b,c"\n2,"d,e,f"\n'), {
      kCore: 0,
    });
    expect(texts.interactions.itemIds).toEqual(['', 'a,b,c', 'd,e,f']);
    const pairs = await userError(
      importFile(file('p.txt', '1 2:5 3:4\n2 2:1 3:4 4:5 5:1 6:1\n3 1:1 2:2 3:3\n'), {
        kCore: 0,
        format: 'sequences',
      }),
    );
    expect(pairs.message).toMatch(/pairs such as item:rating/);
    const events = await userError(importFile(file('o.jsonl', '{"user":1,"item":2}\n'), { events: 'event' }));
    expect(events.message).toMatch(/no column "event"/);
  });
});

describe('what is no table is named', () => {
  it.each<[string | Uint8Array, RegExp]>([
    ['BZh91AY&SY', /bzip2/],
    [Buffer.from('\xfd7zXZ\0\0\0', 'latin1'), /an xz file/],
    [Buffer.from('PK\x03\x04....xl/workbook.xml', 'latin1'), /Excel workbook/],
    [Buffer.from('\xd0\xcf\x11\xe0....', 'latin1'), /\.xls/],
    [Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), /HDF5/],
    [Buffer.from('\x80\x04\x95....', 'latin1'), /pickle/],
    ['<!DOCTYPE html><html>', /web page/],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:1\n', /Git LFS/],
    [gzipSync(Buffer.concat([Buffer.alloc(257), Buffer.from('ustar'), Buffer.alloc(250)])), /tar archive/],
  ])('%#', async (content, message) => {
    expect((await userError(importFile(file('x.csv', content)))).message).toMatch(message);
  });
});
