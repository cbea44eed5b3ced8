import { existsSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sqlName, sqlText } from '../../../src/data/duckdb.js';
import { type ImportOptions, importFile, nameOf } from '../../../src/data/import/import.js';
import type { Interactions } from '../../../src/data/interactions.js';
import { file } from '../files.js';

const all = { kCore: 0 } as const;
const read = async (path: string, options: ImportOptions = all) =>
  (await importFile(path, options)).interactions;

/** Histories by identifiers. */
function histories(data: Interactions): Record<string, string[]> {
  return Object.fromEntries(
    data.userIds.map((id, u) => [
      id,
      Array.from(data.items.subarray(data.offsets[u]!, data.offsets[u + 1]!), (i) => data.itemIds[i]!),
    ]),
  );
}

const EXPECTED = { '2': ['10', '9'], '10': ['9', '11', '9'] };
const TIMED: [number, number, number][] = [
  [10, 9, 1_000_000_300],
  [2, 10, 1_000_000_100],
  [10, 9, 1_000_000_100],
  [10, 11, 1_000_000_200],
  [2, 9, 1_000_000_200],
];
const lines = (format: (user: number, item: number, time: number) => string, header = '') =>
  header + TIMED.map((row) => `${format(...row)}\n`).join('');

describe('importFile reads', () => {
  it.each([
    ['u.data', lines((u, i, t) => `${u}\t${i}\t3\t${t}`)],
    ['ratings.dat', lines((u, i, t) => `${u}::${i}::5::${t}`)],
    ['ratings.csv', lines((u, i, t) => `${u},${i},3.5,${t}`, 'userId,movieId,rating,timestamp\n')],
    ['crlf.csv', lines((u, i, t) => `${u},${i},${t}\r`, 'userId,movieId,timestamp\r\n')],
    ['bom.csv', lines((u, i, t) => `${u},${i},${t}`, '\uFEFFuserId,movieId,timestamp\n')],
    [
      'quoted.csv',
      lines((u, i, t) => `"${u}","${i}","a ""b"", c",${t}`, '"user","item","title, year","time"\n'),
    ],
    ['semicolon.csv', lines((u, i, t) => `${t};${u};${i}`, 'time;user_id;item_id\n')],
    ['ml.inter', lines((u, i, t) => `${u}\t${i}\t${t}`, 'user_id:token\titem_id:token\ttimestamp:float\n')],
    ['table.tsv', lines((u, i, t) => `${i}\t${u}\t${t}`, 'item\tuser\tts\n')],
    ['triples.txt', lines((u, i, t) => `${u} ${i} ${t}`)],
    ['rows.jsonl', lines((u, i, t) => JSON.stringify({ user: u, item: String(i), time: t }))],
    ['rows.json', `[${TIMED.map(([u, i, t]) => `{"user":"${u}","item":${i},"time":${t}}`).join(',\n')}]`],
    ['dates.csv', lines((u, i, t) => `${u},${i},${new Date(t * 1000).toISOString()}`, 'user,item,date\n')],
    ['ms.csv', lines((u, i, t) => `${u},${i},${t * 1000}`, 'user,item,time_ms\n')],
  ])('%s', async (name, content) => {
    const data = await read(file(name, content));
    expect(histories(data)).toEqual(EXPECTED);
    // Users and items are numbered by value, not as text and not by appearance.
    expect(data.userIds).toEqual(['2', '10']);
    expect(data.itemIds).toEqual(['', '9', '10', '11']);
    expect([...data.timestamps!]).toEqual([100, 200, 100, 200, 300].map((t) => 1_000_000_000 + t));
  });

  it('gives the same hash however the interactions are written', async () => {
    const csv = await read(
      file(
        'a.csv',
        lines((u, i, t) => `${u},${i},${t}`, 'user,item,time\n'),
      ),
    );
    const gz = await read(
      file('a.csv.gz', gzipSync(lines((u, i, t) => `${u},${i},${t}`, 'user,item,time\n'))),
    );
    const json = await read(
      file(
        'a.jsonl',
        lines((u, i, t) => JSON.stringify({ item: i, user: u, time: t })),
      ),
    );
    expect(gz.hash).toBe(csv.hash);
    expect(json.hash).toBe(csv.hash);
    const other = await read(
      file(
        'b.csv',
        lines((u, i, t) => `${u},${i},${t + 1}`, 'user,item,time\n'),
      ),
    );
    expect(other.hash).not.toBe(csv.hash);
  });

  it('sequence text, gzipped too, and an order column, and pairs in row order', async () => {
    const text = '10 9 11 9\n2 10 9\n3 1 1 1 1 1\n';
    for (const path of [file('s.txt', text), file('s.txt.gz', gzipSync(text))]) {
      const data = await read(path);
      expect(histories(data)).toEqual({ ...EXPECTED, '3': ['1', '1', '1', '1', '1'] });
      expect(data.timestamps).toBeNull();
    }
    const ordered = await read(file('o.csv', 'user_id,item_id,position\n1,a,2\n1,b,10\n1,c,1\n'));
    expect(histories(ordered)).toEqual({ '1': ['c', 'a', 'b'] });
    expect(ordered.timestamps).toBeNull();
    const { interactions, notes } = await importFile(file('p.txt', '1 5\n1 4\n2 5\n'), all);
    expect(histories(interactions)).toEqual({ '1': ['5', '4'], '2': ['5'] });
    expect(notes.join()).toMatch(/taken to be in order/);
    expect(histories(await read(file('q.txt', '1 5 4\n2 5 6\n'), { ...all, format: 'sequences' }))).toEqual({
      '1': ['5', '4'],
      '2': ['5', '6'],
    });
  });

  it('named columns, also by number where there is no header, and ties by an order column', async () => {
    const path = file('named.csv', 'who,what,when,n\nx,i1,5,2\nx,i2,5,1\ny,i1,4,0\n');
    const data = await read(path, { ...all, user: 'who', item: 'what', time: 'when', order: 'n' });
    expect(histories(data)).toEqual({ x: ['i2', 'i1'], y: ['i1'] });
    const bare = file('bare.csv', 'a,u1,i1,9\nb,u1,i2,8\n');
    expect(
      histories(await read(bare, { ...all, user: 'column2', item: 'column3', order: 'column4' })),
    ).toEqual({
      u1: ['i2', 'i1'],
    });
  });

  it('pairs of words, where the caller says that there is no header', async () => {
    const path = file('words.csv', 'ann,tea\nbob,milk\n');
    expect(histories(await read(path, { ...all, header: false }))).toEqual({ ann: ['tea'], bob: ['milk'] });
    expect(histories(await read(path, { ...all, user: 'ann', item: 'tea' }))).toEqual({ bob: ['milk'] });
  });

  it('only the rows that meet conditions', async () => {
    const path = file(
      'rated.csv',
      `user,item,rating,kind's\n1,a,5,buy\n1,b,3,buy\n1,c,4.5,view\n1,d,,buy\n1,e,10,buy\n`,
    );
    const where = async (...conditions: string[]) =>
      histories(await read(path, { ...all, where: conditions }))['1'];
    expect(await where('rating>=4')).toEqual(['a', 'c', 'e']);
    expect(await where('rating >= 4', "kind's = buy")).toEqual(['a', 'e']);
    expect(await where("kind's!=buy")).toEqual(['c']);
    await expect(where('ratng>4')).rejects.toThrow(/no column "ratng"/);
    await expect(where('rating')).rejects.toThrow(/is no condition/);
    await expect(where('rating>high')).rejects.toThrow(/not a number/);
    await expect(where(`kind's="' OR 1=1 --"`)).rejects.toThrow(/no row meets the conditions/);
  });

  it('identifiers without spaces around them, 7.0 as 7, the rest as it is written', async () => {
    const rows = [
      '007,1',
      '7,01',
      '7,1.0',
      '+7,"a,b"',
      '"it\'s ""x""",2147483648',
      ' 7,2',
      '" 7\t",3.00',
      '-5.0,1',
    ];
    const data = await read(file('ids.csv', `user,item\n${rows.join('\n')}\n`));
    expect(histories(data)).toEqual({
      '-5': ['1'],
      '7': ['01', '1', '2', '3'],
      '+7': ['a,b'],
      '007': ['1'],
      'it\'s "x"': ['2147483648'],
    });
  });

  it('keeps duplicated rows, and equal times in row order', async () => {
    const data = await read(file('dup.csv', 'user,item,time\n1,b,5\n1,a,5\n1,b,5\n'));
    expect(histories(data)).toEqual({ '1': ['b', 'a', 'b'] });
  });

  it('float32 times tie events that are seconds apart', async () => {
    const path = file('f32.csv', 'user,item,time\n1,late,881250949\n1,early,881250940\n');
    expect(histories(await read(path))).toEqual({ '1': ['early', 'late'] });
    expect(histories(await read(path, { ...all, timestamps: 'float32' }))).toEqual({
      '1': ['late', 'early'],
    });
  });

  it('names that try to be SQL are names', async () => {
    const hostile = `x"); DROP TABLE t; --'`;
    const path = file(`we[ir]d '*.csv`, `"${hostile.replaceAll('"', '""')}",item,"a'b"\nu,i,3\nu,j,1\n`);
    const data = await read(path, { ...all, user: hostile, order: "a'b" });
    expect(histories(data)).toEqual({ u: ['j', 'i'] });
    const json = file('evil.jsonl', `${JSON.stringify({ [hostile]: 'u', item: 'i', time: 1 })}\n`);
    expect(histories(await read(json, { ...all, user: hostile }))).toEqual({ u: ['i'] });
    expect(sqlText("a'b")).toBe("'a''b'");
    expect(sqlName('a"b')).toBe('"a""b"');
  });
});

describe('k-core', () => {
  it('is the largest set in which everybody has k', async () => {
    const row = fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 0, max: 4 }),
        async (rows, k) => {
          let kept = rows;
          for (let before = -1; before !== kept.length; ) {
            before = kept.length;
            kept = kept.filter(([u, i]) => {
              return kept.filter((r) => r[0] === u).length >= k && kept.filter((r) => r[1] === i).length >= k;
            });
          }
          const path = file('core.csv', `user,item\n${rows.map((r) => r.join()).join('\n')}\n`);
          if (kept.length === 0) {
            await expect(read(path, { kCore: k })).rejects.toThrow(/no user and item keep/);
            return;
          }
          const expected: Record<string, string[]> = {};
          for (const [u, i] of kept) expected[u] = [...(expected[u] ?? []), String(i)];
          expect(histories(await read(path, { kCore: k }))).toEqual(expected);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('names come from files', () => {
    expect(nameOf('/a/b/ratings.csv.gz')).toBe('ratings');
    expect(nameOf('../u.data')).toBe('u');
    expect(nameOf('/x/../.hidden file')).toBe('hidden-file');
    expect(nameOf('...')).toBe('data');
  });
});

describe('real data', () => {
  const shared = new URL('../../../../shared/data/', import.meta.url).pathname;
  const needs = (path: string) => {
    if (!existsSync(path)) console.log(`skipped: ${path} is not on this machine`);
    return existsSync(path);
  };

  it.runIf(needs(`${shared}ml-100k/u.data`))('MovieLens 100K after 5-core', async () => {
    const { interactions: data, rows } = await importFile(`${shared}ml-100k/u.data`);
    expect([rows, data.numUsers, data.numItems, data.items.length]).toEqual([100_000, 943, 1349, 99_287]);
    const float32 = await read(`${shared}ml-100k/u.data`, { timestamps: 'float32' });
    let changed = 0;
    for (let u = 0; u < 943; u++)
      if (data.items[data.offsets[u + 1]! - 1] !== float32.items[float32.offsets[u + 1]! - 1]) changed++;
    expect(changed / 943).toBeCloseTo(0.158, 2);
  });

  it.runIf(needs(`${shared}ml-1m-order.parquet`))('MovieLens 1M, ordered, is its own 5-core', async () => {
    const { interactions: data } = await importFile(`${shared}ml-1m-order.parquet`);
    expect([data.numUsers, data.numItems, data.items.length]).toEqual([6040, 3416, 999_611]);
    expect(data.timestamps).toBeNull();
    expect([...data.items.subarray(0, 3)].map((i) => data.itemIds[i])).toEqual(['2758', '862', '1069']);
  });
});
