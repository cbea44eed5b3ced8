/** A file with one fault, at any row, is never taken for a whole one. PERFLAW_FAULTS sets how many files are tried. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { eachHistory } from '../../../../src/data/import/histories.js';
import { importFile } from '../../../../src/data/import/import.js';
import { readColumn } from '../../../../src/data/series.js';
import { UserError } from '../../../../src/util/errors.js';
import { file, folder } from '../../files.js';

const FILES = Number(process.env['PERFLAW_FAULTS'] ?? 16);
const TIME = 60_000 + 5000 * FILES;
type Cells = [user: number, item: number, time: number];
const row = (k: number): Cells => [k % 200, (k * 7) % 300, 1_577_836_800 + k];

interface Kind {
  name: string;
  header: string;
  line(cells: Cells): string;
  faults: ((cells: Cells) => string | Buffer)[];
}

const delimited = (name: string, mark: string, header: string, isQuoted: boolean): Kind => {
  const line = (cells: (string | number)[]) => cells.join(mark);
  return {
    name,
    header,
    line,
    faults: [
      (cells) => line([...cells, 4]),
      ([user, item]) => line([user, item]),
      ([user, item]) => line([user, item, 'soon']),
      ([user, item]) => line([user, item, '']),
      ([, item, time]) => line(['NA', item, time]),
      ([user, item, time]) =>
        Buffer.concat([
          Buffer.from(`${user}${mark}${item}`),
          Buffer.from([0xff]),
          Buffer.from(`${mark}${time}`),
        ]),
      (cells) => Buffer.from(line(cells).replace('15', '1\0')),
      ...(isQuoted
        ? [
            ([user, item, time]: Cells) => line([`"${user}`, item, time]),
            ([user, item, time]: Cells) => line([user, `"${item}`, time]),
          ]
        : []),
    ],
  };
};
const json = ([user, item, time]: Cells) => JSON.stringify({ user, item, time });
const KINDS: Kind[] = [
  delimited('f.csv', ',', 'user_id,item_id,timestamp', true),
  delimited('f.tsv', '\t', 'user_id\titem_id\ttimestamp', true),
  delimited('f.inter', '\t', 'user_id:token\titem_id:token\ttimestamp:float', false),
  {
    name: 'f.jsonl',
    header: '',
    line: json,
    faults: [
      (cells) => json(cells).slice(0, -1),
      (cells) => json(cells).replace('"item"', 'item'),
      (cells) => json(cells).replace('"time":', '"when":'),
      (cells) => `${json(cells)}}`,
      (cells) =>
        Buffer.concat([
          Buffer.from(json(cells).slice(0, 9)),
          Buffer.from([0xc3]),
          Buffer.from(json(cells).slice(9)),
        ]),
    ],
  },
  {
    name: 'f.txt',
    header: '',
    line: ([user, item, time]) =>
      Array.from({ length: 2 + (time % 9) }, (_, i) => (i === 0 ? user : item + i)).join(' '),
    faults: [
      ([user]) => String(user),
      ([user]) => Buffer.concat([Buffer.from(`${user} 5`), Buffer.from([0xe2, 0x28])]),
      ([user]) => Buffer.from(`${user} 5\0 7`),
    ],
  },
];

const refused = async (reading: Promise<unknown>) => {
  const outcome = await reading.then(
    (value) => value,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(UserError);
  return outcome as UserError;
};

const build = (kind: Kind, rows: number, at: number, fault?: (cells: Cells) => string | Buffer): Buffer => {
  const lines = (from: number, to: number) => {
    let text = '';
    for (let k = from; k < to; k++) text += `${kind.line(row(k))}\n`;
    return text;
  };
  const head = kind.header === '' ? '' : `${kind.header}\n`;
  if (!fault) return Buffer.from(head + lines(0, rows));
  return Buffer.concat([
    Buffer.from(head + lines(0, at)),
    Buffer.from(fault(row(at))),
    Buffer.from(`\n${lines(at + 1, rows)}`),
  ]);
};

describe('a fault anywhere', () => {
  it(
    'in text refuses the file, and a file without one is read to its end',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...KINDS),
          fc.oneof(fc.integer({ min: 2, max: 3000 }), fc.integer({ min: 3000, max: 45_000 })),
          fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
          fc.nat(),
          fc.boolean(),
          async (kind, rows, share, which, packed) => {
            const write = (bytes: Buffer) =>
              file(packed ? `${kind.name}.gz` : kind.name, packed ? gzipSync(bytes, { level: 1 }) : bytes);
            // The first rows show what kind of file it is.
            const at = Math.max(1, Math.floor(share * rows));
            const fault = kind.faults[which % kind.faults.length]!;
            // A few short lines could be a table as well.
            const options = { kCore: 0, ...(kind.name === 'f.txt' ? { format: 'sequences' as const } : {}) };
            await refused(importFile(write(build(kind, rows, at, fault)), options));
            const whole = await importFile(write(build(kind, rows, at)), options);
            expect(whole.rows).toBe(rows);
            if (kind.name !== 'f.txt') expect(whole.interactions.items.length).toBe(rows);
          },
        ),
        { numRuns: FILES },
      );
    },
    TIME,
  );

  it('names the line, far down too, for histories as a stream and for one column', async () => {
    const kind = KINDS[0]!;
    for (const at of [4900, 29_000]) {
      const path = file('late.csv', build(kind, 30_000, at, kind.faults[0]));
      for (const reading of [
        () => importFile(path, { kCore: 0 }),
        () => eachHistory(path, {}, () => {}),
        () => readColumn(path, 'item_id'),
      ]) {
        const error = await refused(reading());
        expect(error.message).toMatch(/4 fields where 3 are expected/);
        expect(error.place).toBe(`${path}:${at + 2}`);
      }
    }
  });

  it('in packed bytes refuses the file', async () => {
    const packed = gzipSync(build(KINDS[0]!, 20_000, 0), { level: 1 });
    const two = Buffer.concat([packed, gzipSync(Buffer.from('1,2,1577836900\n'))]);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 30, max: packed.length - 9 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          await refused(importFile(file('cut.csv.gz', packed.subarray(0, at))));
          const damaged = Buffer.from(packed);
          damaged[at]! ^= flip;
          await refused(importFile(file('damaged.csv.gz', damaged)));
        },
      ),
      { numRuns: Math.ceil(FILES / 4) },
    );
    const second = Buffer.from(two);
    second[packed.length]! ^= 1;
    expect((await refused(importFile(file('second.csv.gz', second)))).message).toMatch(/damaged gzip file/);
    expect((await importFile(file('two.csv.gz', two), { kCore: 0 })).rows).toBe(20_001);
  });

  let parquet: Buffer;
  beforeAll(async () => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const path = join(folder, 'faults.parquet');
    await connection.run(
      `COPY (SELECT 'u' || (i % 200) AS user_id, (i * 7) % 300 AS item_id, 1577836800 + i AS timestamp FROM range(40000) t(i)) TO '${path}' (ROW_GROUP_SIZE 4096, COMPRESSION zstd)`,
    );
    connection.closeSync();
    instance.closeSync();
    parquet = readFileSync(path);
  });

  it(
    'in Parquet refuses the file or leaves all of its rows',
    async () => {
      expect((await importFile(file('whole.parquet', parquet), { kCore: 0 })).rows).toBe(40_000);
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 4, max: parquet.length - 9 }),
          fc.integer({ min: 1, max: 255 }),
          async (at, flip) => {
            const damaged = Buffer.from(parquet);
            damaged[at]! ^= flip;
            const outcome = await importFile(file('damaged.parquet', damaged), { kCore: 0 }).catch(
              (error: unknown) => error,
            );
            // Parquet without page checksums cannot tell a changed value; but no row may be lost.
            if (outcome instanceof Error) expect(outcome).toBeInstanceOf(UserError);
            else expect((outcome as { rows: number }).rows).toBe(40_000);
            await refused(importFile(file('cut.parquet', parquet.subarray(0, at))));
          },
        ),
        { numRuns: Math.ceil(FILES / 2) },
      );
    },
    TIME,
  );
});
