/** Files that are not what they seem: each ends in a UserError that names the file, never in a stack trace or a wrong reading. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import { importFile } from '../../src/data/import/import.js';
import { describeError, UserError } from '../../src/util/errors.js';
import { createRandom } from '../../src/util/random.js';
import { file, folder, userError } from './files.js';

const rows = Array.from({ length: 600 }, (_, i) => `${i % 30},${(i * 7) % 20},${1e9 + i}`);
const csv = (lines: string[]) => `user,item,time\n${lines.join('\n')}\n`;
const replaced = (at: number, line: string) => csv(rows.map((row, i) => (i === at ? line : row)));
let parquet: Buffer;
let lists: string;

beforeAll(async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const whole = join(folder, 'whole.parquet');
  lists = join(folder, 'lists.parquet');
  await connection.run(
    `COPY (SELECT i % 30 AS user_id, (i * 7) % 20 AS item_id, i AS timestamp FROM range(20000) t(i)) TO '${whole}' (ROW_GROUP_SIZE 2048)`,
  );
  await connection.run(`COPY (SELECT 1 AS user_id, {'a': 1} AS item_id, 5 AS timestamp) TO '${lists}'`);
  connection.closeSync();
  instance.closeSync();
  parquet = readFileSync(whole);
});

describe('files that are wrong', () => {
  it.each<[what: string, content: () => string | Uint8Array, name: string, message: RegExp, place?: string]>([
    ['empty', () => '', 'a.csv', /the file is empty/],
    ['white space', () => '\n\n  \n', 'a.csv', /the file is empty/],
    ['one byte', () => 'x', 'a.csv', /one field/],
    ['a header alone', () => 'user,item,time\n', 'a.csv', /holds no interactions/],
    ['truncated Parquet', () => parquet.subarray(0, parquet.length / 2), 'a.parquet', /truncated Parquet/],
    ['Parquet, three bytes short', () => parquet.subarray(0, -3), 'a.parquet', /truncated Parquet/],
    ['Parquet of the magic alone', () => 'PAR1PAR1', 'a.parquet', /truncated Parquet/],
    ['CSV called Parquet', () => csv(rows), 'a.parquet', /not a Parquet file/],
    [
      'random bytes',
      () => Buffer.from(Array.from({ length: 9999 }, () => createRandom('b').int(256))),
      'a.csv',
      /user|binary|UTF-8|field/,
    ],
    ['a program', () => readFileSync(process.execPath).subarray(0, 100_000), 'a.csv', /a binary file/],
    ['Latin-1', () => Buffer.from(replaced(3, 'é,1,5'), 'latin1'), 'a.csv', /not UTF-8/],
    [
      'Latin-1 far down',
      () => Buffer.from(csv([...rows, ...Array(9000).fill('1,2,3'), 'é,1,5']), 'latin1'),
      'a.csv',
      /UTF-8|unicode/i,
    ],
    ['a zip archive', () => zipSync({ 'a.csv': Buffer.from('user,item\n1,2') }), 'a.csv', /a zip archive/],
    ['damaged gzip', () => gzipSync(csv(rows)).fill(7, 40, 80), 'a.csv.gz', /gzip|not readable|binary|UTF-8/],
    ['a short line', () => replaced(5, '1,2'), 'a.csv', /2 fields where 3 are expected/, ':7'],
    ['a long line', () => replaced(5, '1,2,3,4'), 'a.csv', /4 fields where 3|more/i, ':7'],
    ['no time in a row', () => replaced(8, '1,2,'), 'a.csv', /"time" is empty/, ':10'],
    ['words for a time', () => replaced(8, '1,2,soon'), 'a.csv', /holds "soon", which is neither/, ':10'],
    ['an infinite time', () => replaced(8, '1,2,inf'), 'a.csv', /holds "inf"/, ':10'],
    ['no user in a row', () => replaced(8, ',2,3'), 'a.csv', /the user \("user"\) is empty/, ':10'],
    ['no item in a row', () => replaced(8, '1,,3'), 'a.csv', /the item \("item"\) is empty/, ':10'],
    ['no user with enough items', () => csv(rows.slice(0, 29)), 'a.csv', /no user and item keep 5/],
    [
      'two columns of words',
      () => 'who,what\na,b\n',
      'a.csv',
      /does the first line, "who what", name the columns/,
    ],
    [
      'unknown columns',
      () => 'who,what\n1,2\n',
      'a.csv',
      /no column looks like the user; the file has: "who", "what"/,
    ],
    [
      'numbers without names',
      () => '1,2,3\n4,5,6\n',
      'a.csv',
      /the file has: "column1", "column2", "column3"/,
    ],
    ['one column', () => 'abc\ndef\n', 'a.csv', /one field/],
    ['broken JSON lines', () => '{"user":1,"item":2,"time":3}\n{"user":1,', 'a.jsonl', /not readable/],
    ['JSON without columns', () => '{"a":1}\n{"a":2}\n', 'a.jsonl', /no column looks like the user/],
    ['JSON of objects', () => '{"user":{"a":1},"item":2}\n', 'a.jsonl', /not identifiers/],
    ['a user without items', () => '1 2 3 4 5 6\n2\n3 4 5\n', 'a.txt', /user "2" has no items/, ':2'],
  ])('%s', async (_, content, name, message, place = '') => {
    const path = file(name, content());
    const error = await userError(importFile(path));
    expect(error.message).toMatch(message);
    expect(error.place).toBe(`${path}${place}`);
    expect(describeError(error)).not.toMatch(/\n\s+at /);
  });

  it('Parquet damaged inside never crashes, and its structs are no items', async () => {
    const random = createRandom('parquet');
    for (let i = 0; i < 12; i++) {
      const damaged = Buffer.from(parquet);
      for (let j = 0; j < 40; j++) damaged[4 + random.int(damaged.length - 8)] = random.int(256);
      const path = file(`damaged-${i}.parquet`, damaged);
      const outcome = await importFile(path).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(UserError);
    }
    expect((await userError(importFile(lists))).message).toMatch(/"item_id" holds STRUCT/);
  });

  it('missing files, folders, pipes', async () => {
    expect((await userError(importFile(join(folder, 'none.csv')))).message).toMatch(/no such file/);
    mkdirSync(join(folder, 'sub'), { recursive: true });
    expect((await userError(importFile(join(folder, 'sub')))).message).toMatch(/a folder/);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect((await userError(importFile(pipe))).message).toMatch(/not a regular file/);
  });

  it('columns that do not exist are answered with those that do', async () => {
    const path = file('columns.csv', 'customer_no,sku,bought_at\n1,2,3\n');
    const error = await userError(importFile(path, { user: 'costumer_no', item: 'sku', kCore: 0 }));
    expect(error.message).toMatch(
      /no column "costumer_no" for the user; the file has: "customer_no", "sku", "bought_at"/,
    );
    expect(error.remedy).toMatch(/Did you mean --user customer_no/);
    const far = await userError(importFile(path, { user: 'zzz', item: 'sku', kCore: 0 }));
    expect(far.remedy).toMatch(/--user COLUMN/);
    const twice = await userError(importFile(path, { user: 'sku', item: 'sku', kCore: 0 }));
    expect(twice.message).toMatch(/asked for twice/);
  });
});

describe('any bytes at all', () => {
  const outcome = async (name: string, content: string | Uint8Array) => {
    const result = await importFile(file(name, content), { kCore: 0 }).catch((error: unknown) => error);
    if (result instanceof Error && !(result instanceof UserError)) throw result;
  };
  const names = fc.constantFrom('f.csv', 'f.data', 'f.jsonl', 'f.parquet', 'f.txt', 'f.inter');

  it('are read or refused', async () => {
    await fc.assert(fc.asyncProperty(names, fc.uint8Array({ maxLength: 300 }), outcome), { numRuns: 60 });
  });

  it('that nearly are a table are read or refused', async () => {
    const cell = fc.oneof(
      fc.integer().map(String),
      fc.string({ maxLength: 8 }),
      fc.constantFrom('"', '""', "'", ';DROP TABLE', '1e999', '-0', 'NaN', '\\N', '{"a":1}', '::', '\u2028'),
    );
    const table = fc
      .array(fc.array(cell, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 })
      .map((lines) => lines.map((cells) => cells.join(',')).join('\n'));
    await fc.assert(
      fc.asyncProperty(
        names,
        fc.constantFrom('', 'user,item,time\n', 'user_id:token\titem_id:token\n', '{"user":1}\n'),
        table,
        (name, head, body) => outcome(name, head + body),
      ),
      { numRuns: 100 },
    );
  });
});
