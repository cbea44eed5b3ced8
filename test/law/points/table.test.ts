import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCsv } from '../../../src/law/points/table/csv.js';
import { readTable } from '../../../src/law/points/table.js';

const folder = mkdtempSync(join(tmpdir(), 'perflaw-table-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const read = (name: string, text: string, metric?: string) => readTable(file(name, text), { metric });

describe('parseCsv', () => {
  it('gives back any fields that were quoted', () => {
    const quoted = (field: string) => `"${field.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.string(), { minLength: 2, maxLength: 2 }), { minLength: 1 }),
        (rows) => {
          const text = rows.map((row) => row.map(quoted).join(',')).join('\n');
          // the delimiter is read off the first line: a header keeps it a comma
          const parsed = parseCsv(`a,b\n${text}`, 'x.csv').rows.slice(1);
          expect(parsed.map(({ fields }) => fields)).toEqual(rows);
        },
      ),
    );
  });

  it('keeps count of lines through quoted line breaks, skips blank lines, strips a byte-order mark', () => {
    const { rows } = parseCsv('\uFEFFa;b\r\n"1\n2";3\r\n\r\n4;5', 'x.csv');
    expect(rows).toEqual([
      { line: 1, fields: ['a', 'b'] },
      { line: 2, fields: ['1\n2', '3'] },
      { line: 5, fields: ['4', '5'] },
    ]);
  });

  it('names the line of a quote that never ends', () => {
    expect(() => parseCsv('a,b\n1,"2', 'x.csv')).toThrow(expect.objectContaining({ place: 'x.csv:2' }));
    expect(() => parseCsv('a,b\n"1"2,3', 'x.csv')).toThrow(/after a closing quote/);
  });
});

describe('readTable', () => {
  it('reads the columns of the contract, empty cells as unknown', async () => {
    const { observations } = await read(
      'full.csv',
      'slice,layers,dim,hr@10,ndcg@10,tokens,apen,params,seed,model,dState\n"ml, half",2,64,.3,0.17,1e5,.42,290_944,1,mamba4rec,32\nml,4,64,.31,,,,,,,\n',
    );
    expect(observations[0]).toEqual({
      slice: 'ml, half',
      layers: 2,
      dim: 64,
      metrics: { 'hr@10': 0.3, 'ndcg@10': 0.17 },
      tokens: 1e5,
      quality: { apen: 0.42 },
      params: 290_944,
      seed: 1,
      config: { model: 'mamba4rec', dState: 32 },
      source: 'full.csv:2',
    });
    expect(observations[1]!.metrics).toEqual({ 'hr@10': 0.31 });
    expect(observations[1]!.tokens).toBeUndefined();
  });

  it('knows the usual other spellings, and tabs', async () => {
    const { observations } = await read(
      'alias.tsv',
      'Dataset\tn_layers\thidden_size\tHR_10\tNDCG@10\tvalidation:hr@10\n x \t2\t64\t.3\t.2\t.4\n',
    );
    expect(observations[0]).toMatchObject({
      slice: 'x',
      layers: 2,
      dim: 64,
      metrics: { 'hr@10': 0.3, 'ndcg@10': 0.2, 'validation:hr@10': 0.4 },
    });
  });

  it('takes any column as the metric when it is named, and says which columns it left out', async () => {
    const { observations, notes } = await read(
      'own.csv',
      'layers,dim,accuracy,remark\n1,16,.5,good\n',
      'accuracy',
    );
    expect(observations[0]!.metrics).toEqual({ accuracy: 0.5 });
    expect(notes).toEqual(['columns: layers; dim; metric accuracy', 'columns not used: remark']);
  });

  it('reads JSON arrays and JSON lines alike', async () => {
    const rows = [
      { layers: 1, dim: 16, 'hr@10': 0.1 },
      { layers: 2, dim: 16, 'hr@10': 0.2 },
    ];
    const array = await read('a.json', JSON.stringify(rows));
    const lines = await read('a.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    expect(array.observations.map((one) => one.metrics['hr@10'])).toEqual([0.1, 0.2]);
    expect(lines.observations.map(({ layers, dim }) => [layers, dim])).toEqual([
      [1, 16],
      [2, 16],
    ]);
  });

  it('reads Parquet', async () => {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const path = join(folder, 'runs.parquet');
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run(
      `COPY (SELECT 's' AS slice, 2 AS layers, 64::BIGINT AS dim, 0.25 AS "hr@10") TO '${path}' (FORMAT parquet)`,
    );
    connection.closeSync();
    const { observations } = await readTable(path);
    expect(observations).toEqual([
      { slice: 's', layers: 2, dim: 64, metrics: { 'hr@10': 0.25 }, source: 'runs.parquet row 1' },
    ]);
  });

  it('leaves out rows whose status is not done', async () => {
    const { observations, notes } = await read(
      'status.csv',
      'status,layers,dim,hr@10\ndone,1,16,.1\nfailed,2,16,\nopen,4,16,\n',
    );
    expect(observations).toHaveLength(1);
    expect(notes).toContain('1 failed, 1 open left out: only finished runs are fitted (status)');
  });

  const bad: [string, string, string | Uint8Array, RegExp, string?][] = [
    [
      'a word where a number belongs',
      'w.csv',
      'layers,dim,hr@10\n1,16,.1\n2,sixteen,.2\n',
      /column "dim": "sixteen" is not a whole number above 0/,
      'w.csv:3',
    ],
    ['half a layer', 'h.csv', 'layers,dim,hr@10\n1.5,16,.1\n', /column "layers": "1.5"/, 'h.csv:2'],
    [
      'a metric in words',
      'm.csv',
      'layers,dim,hr@10\n1,16,high\n',
      /column "hr@10": "high" is not a number/,
      'm.csv:2',
    ],
    ['too few fields', 'f.csv', 'layers,dim,hr@10\n1,16\n', /2 fields where the header has 3/, 'f.csv:2'],
    ['no layers', 'l.csv', 'depht,dim,hr@10\n1,16,.1\n', /no column "layers"/],
    ['no metric', 'n.csv', 'layers,dim,score\n1,16,.1\n', /no column with a metric/],
    ['a missing cell', 'c.csv', 'layers,dim,hr@10\n,16,.1\n', /layers is missing/, 'c.csv:2'],
    ['the same column twice', 't.csv', 'layers,dim,dim,hr@10\n1,2,3,4\n', /"dim" is there twice/],
    ['nothing', 'e.csv', '  \n', /the table is empty/],
    ['a header alone', 'o.csv', 'layers,dim,hr@10\n', /has no rows/],
    ['a binary file', 'b.csv', new Uint8Array([0, 1, 2, 0]), /not a text file/],
    ['broken JSON', 'j.json', '[{"layers": 1,', /not valid JSON/],
    [
      'JSON lines cut off',
      'cut.jsonl',
      '{"layers": 1, "dim": 16, "hr@10": 0.1}\n\n{"layers": 2,',
      /not valid JSON/,
      'cut.jsonl:3',
    ],
    ['NaN in JSON', 'nan.json', '[\n{"layers": 1, "dim": 16, "hr@10": NaN}]', /not valid JSON/],
    [
      'columns of different rows',
      'split.json',
      '{"layers": {"0": 1}, "dim": {"1": 16}, "hr@10": {"0": 0.1}}',
      /has other rows/,
    ],
    [
      "a row of pandas' split that is cut",
      'rows.json',
      '{"columns": ["layers", "dim"], "data": [[1]]}',
      /a row of 2 values/,
    ],
    [
      'numbers in the place of a header',
      'head.csv',
      '1,16,.1\n2,16,.2\n',
      /names of the columns/,
      'head.csv:1',
    ],
    [
      'a share and a percentage sign',
      'sign.csv',
      'layers,dim,hr@10\n1,16,3.7%\n',
      /"3.7%" is not a number/,
      'sign.csv:2',
    ],
    [
      'a comma that may be of thousands',
      'comma.csv',
      'layers;dim;hr@10;params\n1;16;.1;1,234\n',
      /"1,234" can be read in two ways/,
      'comma.csv:2',
    ],
    [
      'a point that may be of thousands',
      'point.csv',
      'layers;dim;hr@10;params\n1;16;0,1;1.234\n',
      /"1.234" can be read in two ways/,
      'point.csv:2',
    ],
    [
      'a byte that is no UTF-8',
      'latin.csv',
      new Uint8Array([...Buffer.from('layers,dim,hr@10,remark\n1,16,.1,'), 0xe9, 10]),
      /not UTF-8/,
    ],
    ['a gzip file', 'z.csv', new Uint8Array([0x1f, 0x8b, 8, 0]), /a gzip file/],
    ['a workbook', 'x.csv', new Uint8Array([0x50, 0x4b, 3, 4]), /Excel workbook/],
    ['Parquet under another name', 'q.csv', 'PAR1....', /a Parquet file/],
    [
      'a word that is no status',
      's.csv',
      'layers,dim,hr@10,status\n1,16,.1,done\n2,16,.1,meh\n',
      /"meh" is no status/,
      's.csv:3',
    ],
    [
      'runs none of which is finished',
      'u.csv',
      'layers,dim,hr@10,status\n1,16,.1,RUNNING\n',
      /no run of this table is finished/,
    ],
    [
      'an infinite size',
      'inf.csv',
      'layers,dim,hr@10\n1,inf,.1\n',
      /"inf" is not a whole number/,
      'inf.csv:2',
    ],
    [
      'a seed in words',
      'seed.csv',
      'layers,dim,hr@10,seed\n1,16,.1,a\n',
      /"a" is not a whole number/,
      'seed.csv:2',
    ],
    [
      'two columns that could be the dim',
      'two.csv',
      'layers,hidden,embedding_dim,hr@10\n1,16,8,.1\n2,32,8,.1\n2,32,16,.1\n',
      /"hidden" and "embedding_dim" could both be dim/,
    ],
    ['JSON that is no table', 'k.json', '[1, 2]', /a row must be an object/],
    ['a truncated Parquet file', 'p.parquet', 'PAR1....', /./],
  ];
  for (const [what, name, text, message, place] of bad)
    it(`refuses ${what}, with its place`, async () => {
      const reading = readTable(file(name, text));
      await expect(reading).rejects.toThrow(message);
      await expect(reading).rejects.toMatchObject({ name: 'UserError', ...(place ? { place } : {}) });
    });

  it('refuses a file that is not there', async () => {
    await expect(readTable(join(folder, 'none.csv'))).rejects.toThrow(/no such file/);
    await expect(readTable(join(folder, 'none.parquet'))).rejects.toThrow(/no such file/);
  });
});
