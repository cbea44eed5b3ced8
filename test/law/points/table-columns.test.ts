/** Tables as Optuna, MLflow, Weights & Biases, Ray Tune and spreadsheets write them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { panelsOf, toPoints } from '../../../src/law/points/points.js';
import { readTable, type TableOptions } from '../../../src/law/points/table.js';

const folder = mkdtempSync(join(tmpdir(), 'perflaw-columns-'));
afterAll(() => rmSync(folder, { recursive: true }));
const read = (name: string, text: string | Uint8Array, options?: TableOptions) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return readTable(path, options);
};
/** A grid of layers and dim under the two names, with further cells by the row's number. */
const grid = (header: string, cells: (i: number, layers: number, dim: number) => string) =>
  [header, ...[1, 2, 4].flatMap((l, a) => [16, 32, 64].map((d, b) => cells(3 * a + b, l, d)))].join('\n');

describe('a table out of', () => {
  it('Optuna: parameters and values by their prefixes, pruned and failed trials left out and counted', async () => {
    const states = [
      'COMPLETE',
      'PRUNED',
      'COMPLETE',
      'FAIL',
      'COMPLETE',
      'WAITING',
      'COMPLETE',
      'RUNNING',
      'PRUNED',
    ];
    const { observations, notes } = await read(
      'optuna.csv',
      grid(
        ',number,value,datetime_start,datetime_complete,duration,params_embedding_dim,params_n_layers,user_attrs_seed,state',
        (i, l, d) =>
          `${i},${i},${states[i] === 'FAIL' ? '' : (10 + i) / 100},2024-01-01 10:00:00,,0 days 01:00:00,${d}.0,${l},0,${states[i]}`,
      ),
    );
    expect(observations).toHaveLength(4);
    expect(observations[1]).toMatchObject({ layers: 1, dim: 64, seed: 0, metrics: { value: 0.12 } });
    expect(notes[0]).toBe(
      'columns: layers = params_n_layers; dim = params_embedding_dim; seed = user_attrs_seed; status = state; metric value',
    );
    expect(notes).toContain(
      '2 PRUNED, 1 FAIL, 1 WAITING, 1 RUNNING left out: only finished runs are fitted (state)',
    );
    expect(notes).toContain('no column has the name of a metric: "value" is taken for it');
    expect(notes.at(-1)).toBe(
      'columns not used: column 1, number, datetime_start, datetime_complete, duration',
    );
  });

  it('MLflow: params., metrics. and tags., FINISHED runs alone', async () => {
    const { observations, notes } = await read(
      'mlflow.csv',
      grid(
        'run_id,experiment_id,status,artifact_uri,start_time,end_time,params.n_layers,params.hidden_size,params.lr,metrics.ndcg_at_10,metrics.val_loss,tags.mlflow.runName,tags.mlflow.user',
        (i, l, d) =>
          `${i}a,0,${i === 8 ? 'KILLED' : 'FINISHED'},/x/${i},t${i},t${i},${l},${d},0.001,0.1${i},${5 - i / 9},run-${i},me`,
      ),
    );
    expect(observations).toHaveLength(8);
    expect(observations[0]).toMatchObject({ layers: 1, dim: 16, metrics: { 'ndcg@10': 0.1, val_loss: 5 } });
    expect(observations[0]!.config).toBeUndefined();
    expect(notes[0]).toContain('metrics ndcg@10 = metrics.ndcg_at_10, val_loss = metrics.val_loss');
    expect(notes).toContain('1 KILLED left out: only finished runs are fitted (status)');
  });

  it('Weights & Biases: config and summary, a crashed run left out, the name of a run no model', async () => {
    const row = (i: number, l: number, d: number) => ({
      Name: `bright-sun-${i}`,
      State: i === 4 ? 'crashed' : 'finished',
      Created: `2024-01-0${i + 1}T00:00:00Z`,
      Runtime: 100 + i,
      config: { model: { num_layers: l, hidden_size: d }, batch_size: 128 },
      summary: { 'test/ndcg@10': 0.1 + i / 100, _step: 10 * i },
    });
    const rows = [1, 2, 4].flatMap((l, a) => [16, 32, 64].map((d, b) => row(3 * a + b, l, d)));
    const { observations, notes } = await read('wandb.json', JSON.stringify(rows));
    expect(observations).toHaveLength(8);
    expect(observations[0]).toMatchObject({ layers: 1, dim: 16, metrics: { 'ndcg@10': 0.1 }, seconds: 100 });
    expect(panelsOf(observations)).toHaveLength(1);
    expect(notes[0]).toContain('layers = config.model.num_layers; dim = config.model.hidden_size');
    expect(notes).toContain('1 crashed left out: only finished runs are fitted (State)');
  });

  it('Ray Tune: config/, TERMINATED kept', async () => {
    const { observations, notes } = await read(
      'ray.csv',
      grid(
        'trial_id,status,training_iteration,time_total_s,config/layers,config/d_model,ndcg@10,hit@10',
        (i, l, d) => `t${i},${i === 0 ? 'ERROR' : 'TERMINATED'},${i + 3},${i}.5,${l},${d},.1${i},.2${i}`,
      ),
    );
    expect(observations).toHaveLength(8);
    expect(observations[0]).toMatchObject({
      dim: 32,
      seconds: 1.5,
      metrics: { 'ndcg@10': 0.11, 'hr@10': 0.21 },
    });
    expect(notes).toContain('1 ERROR left out: only finished runs are fitted (status)');
  });

  it.each([
    [
      'a semicolon and decimal commas',
      'sep=;\nlayers;dim;ndcg@10;params\n1;16;0,037;1,5e3\n2;16;0,041;2500\n',
    ],
    [
      'UTF-16',
      new Uint8Array(
        Buffer.from('\uFEFFlayers\tdim\tndcg@10\tparams\n1\t16\t.037\t1500\n2\t16\t.041\t2500\n', 'utf16le'),
      ),
    ],
    [
      'UTF-16 without a mark',
      new Uint8Array(
        Buffer.from('layers\tdim\tndcg@10\tparams\n1\t16\t.037\t1500\n2\t16\t.041\t2500\n', 'utf16le'),
      ),
    ],
    ['comments', '# made by hand\nlayers,dim,ndcg@10,params\n1,16,.037,1500\n# a bad one\n2,16,.041,2500\n'],
    ['a header behind #', '# layers,dim,ndcg@10,params\n1,16,.037,1500\n2,16,.041,2500\n'],
    [
      'quoted cells with spaces and marks of thousands',
      'layers,dim,ndcg@10,params\n" 1 "," 16 "," .037 ","1,500"\n2,16,.041,"2,500"\n3,16,,"1,234,567"\n',
    ],
    ['counts with letters', 'layers,dim,ndcg@10,params\n1,16.0,37e-3,1.5k\n2.0,16,.041,2.5k\n'],
    ['empty rows at its end', 'layers,dim,ndcg@10,params\n1,16,.037,1500\n2,16,.041,2500\n,,,\n,,,\n'],
  ])('a spreadsheet with %s', async (_, text) => {
    const { observations } = await read('sheet.csv', text);
    expect(observations.slice(0, 2)).toMatchObject([
      { layers: 1, dim: 16, metrics: { 'ndcg@10': 0.037 }, params: 1500 },
      { layers: 2, dim: 16, metrics: { 'ndcg@10': 0.041 }, params: 2500 },
    ]);
  });

  it.each([
    ['records', '[{"layers": 1, "dim": 16, "ndcg@10": 0.037}, {"layers": 2, "dim": 16, "ndcg@10": 0.041}]'],
    [
      'split',
      '{"columns": ["layers", "dim", "ndcg@10"], "index": [0, 1], "data": [[1, 16, 0.037], [2, 16, 0.041]]}',
    ],
    [
      'columns',
      '{"layers": {"0": 1, "1": 2}, "dim": {"0": 16, "1": 16}, "ndcg@10": {"0": 0.037, "1": 0.041}}',
    ],
    [
      'lines under .json',
      '{"layers": 1, "dim": 16, "ndcg@10": 0.037}\n{"layers": 2, "dim": 16, "ndcg@10": 0.041}\n',
    ],
  ])('pandas as JSON by %s', async (_, text) => {
    const { observations } = await read('pandas.json', text);
    expect(observations.map(({ layers, metrics }) => [layers, metrics['ndcg@10']])).toEqual([
      [1, 0.037],
      [2, 0.041],
    ]);
  });
});

describe('spellings', () => {
  it.each([
    ...['ndcg@10', 'NDCG@10', 'ndcg_10', 'ndcg_at_10', 'test/ndcg@10', 'test_ndcg@10', 'metrics.ndcg_at_10'],
    ...['summary.test/ndcg@10', 'metrics.test_ndcg_10', 'values_ndcg@10', ' ndcg10', 'summary/ndcg@10'],
  ])('"%s" is ndcg@10', async (name) => {
    const { observations } = await read('m.csv', `layers,dim,${name}\n1,16,.1\n`);
    expect(observations[0]!.metrics).toEqual({ 'ndcg@10': 0.1 });
  });

  it.each([
    ['Recall@10', 'recall@10'],
    ['hit@10', 'hr@10'],
    ['HitRate_20', 'hr@20'],
    ['val_ndcg@10', 'validation:ndcg@10'],
    ['eval/hr@10', 'validation:hr@10'],
    ['metrics.val_loss', 'val_loss'],
    ['summary.test/loss', 'test/loss'],
    ['Perplexity', 'Perplexity'],
    ['cross_entropy', 'cross_entropy'],
    ['c4_en-validation_CrossEntropyLoss', 'c4_en-validation_CrossEntropyLoss'],
  ])('"%s" is the metric %s', async (name, metric) => {
    const { observations } = await read('m.csv', `layers,dim,${name}\n1,16,.1\n`);
    expect(observations[0]!.metrics).toEqual({ [metric]: 0.1 });
  });

  it.each(['metrics.score', 'score', 'SCORE'])('--metric %s names metrics.score', async (metric) => {
    const { observations } = await read('score.csv', 'layers,dim,metrics.score\n1,16,.1\n', { metric });
    expect(Object.values(observations[0]!.metrics)).toEqual([0.1]);
  });

  it('keep a kind of loss and a measure of the data apart from a loss', async () => {
    const { observations } = await read(
      'kind.csv',
      'layers,dim,ndcg@10,loss,error,realEntropy\n1,16,.1,bpr,,2.5\n2,16,.1,bpr,out of memory,2.5\n',
    );
    expect(observations[0]!.metrics).toEqual({ 'ndcg@10': 0.1 });
    expect(observations[0]!.quality).toEqual({ realEntropy: 2.5 });
  });

  it('of one letter, and vague ones, count only where nothing else fits', async () => {
    const letters = await read('h.csv', 'h,d,ndcg@10\n1,16,.1\n');
    expect(letters.observations[0]).toMatchObject({ layers: 1, dim: 16 });
    const { observations, notes } = await read(
      'vague.csv',
      'layers,dim,h,d,time,run,name,ndcg@10\n1,16,8,9,10:00,first,a,.1\n2,16,8,9,11:00,second,b,.2\n',
    );
    expect(observations[0]).toEqual({
      slice: 'all',
      layers: 1,
      dim: 16,
      metrics: { 'ndcg@10': 0.1 },
      source: 'vague.csv:2',
    });
    expect(notes.at(-1)).toBe('columns not used: h, d, time, run, name');
  });

  it('of the same thing twice are said with the choice, or refused', async () => {
    const same = await read('same.csv', 'layers,hidden,embedding_dim,hr@10\n1,16,16,.1\n2,32,32,.1\n');
    expect(same.notes).toContain('"hidden" and "embedding_dim" could both be dim: "hidden" is taken');
    const fixed = await read('fixed.csv', 'layers,embedding_dim,hidden,hr@10\n1,64,16,.1\n2,64,32,.1\n');
    expect(fixed.observations.map(({ dim }) => dim)).toEqual([16, 32]);
    expect(fixed.notes).toContain('"embedding_dim" and "hidden" could both be dim: "hidden" is taken');
    const own = await read('own.csv', 'layers,hidden,dim,hr@10\n1,64,16,.1\n2,128,32,.1\n');
    expect(own.observations.map(({ dim }) => dim)).toEqual([16, 32]);
    const metrics = await read('metrics.csv', 'layers,dim,ndcg@10,test/ndcg@10\n1,64,.1,.2\n');
    expect(metrics.observations[0]!.metrics).toEqual({ 'ndcg@10': 0.1, 'test/ndcg@10': 0.2 });
    expect(metrics.notes).toContain(
      '"ndcg@10" and "test/ndcg@10" could both be ndcg@10: the first is taken; --metric "test/ndcg@10" names the other',
    );
    const told = await read('told.csv', 'layers,hidden,embedding_dim,hr@10\n1,16,8,.1\n2,32,16,.1\n', {
      ignore: ['hidden'],
    });
    expect(told.observations.map(({ dim }) => dim)).toEqual([8, 16]);
  });
});

describe('the status of a run', () => {
  const status = (column: string, ...words: string[]) =>
    read(
      's.csv',
      `layers,dim,hr@10,${column}\n${words.map((word, i) => `${i + 1},16,.1,${word}`).join('\n')}\n`,
    );

  it.each([
    ['state', 'COMPLETE', 'PRUNED'],
    ['state', 'TrialState.COMPLETE', 'TrialState.FAIL'],
    ['status', 'FINISHED', 'SCHEDULED'],
    ['State', 'finished', 'preempted'],
    ['run.status', 'TERMINATED', 'PENDING'],
    ['status', 'done', 'failed'],
    ['done', 'True', 'False'],
    ['status', 'COMPLETED', 'OUT_OF_MEMORY'],
  ])('%s: %s is kept, %s left out and said', async (column, good, bad) => {
    const { observations, notes } = await status(column, good, bad, good, bad);
    expect(observations.map(({ layers }) => layers)).toEqual([1, 3]);
    expect(notes.join('\n')).toContain(`2 ${column === 'done' ? 'done ' : ''}${bad} left out`);
  });

  it('is kept where a cell is empty, and that is said', async () => {
    const { observations, notes } = await status('status', 'done', '');
    expect(observations).toHaveLength(2);
    expect(notes).toContain('1 row has no status and is kept');
  });

  it('is not what a state of numbers holds, nor one of places', async () => {
    expect((await status('state', '16', '32')).observations).toHaveLength(2);
    expect((await status('state', 'Utah', 'Ohio')).notes).toContain('columns not used: state');
  });

  it('can be ignored', async () => {
    const path = join(folder, 'ignored.csv');
    writeFileSync(path, 'layers,dim,hr@10,status\n1,16,.1,meh\n');
    expect((await readTable(path, { ignore: ['Status'] })).observations).toHaveLength(1);
    await expect(readTable(path, { ignore: ['stat'] })).rejects.toThrow(/there is no column "stat"/);
  });
});

describe('runs that differ in an unknown column', () => {
  const sheet = grid('layers,dim,bs,seed,ndcg@10,duration,best_epoch', (i, l, d) =>
    [32, 512]
      .flatMap((bs) =>
        [0, 1].map((seed) => `${l},${d},${bs},${seed},${0.1 + i / 100 + 1 / bs},${i}${seed},${3 + (i % 2)}`),
      )
      .join('\n'),
  );

  it('are no repeats: a law for each value, which is said', async () => {
    const { observations, notes } = await read('bs.csv', sheet);
    const panels = panelsOf(observations);
    expect(panels.map(({ label }) => label)).toEqual(['all bs=32', 'all bs=512']);
    for (const { observations: own } of panels) expect(toPoints(own, 'ndcg@10').points).toHaveLength(9);
    expect(notes.join('\n')).toContain('"bs" differs between runs of one configuration (32, 512)');
    expect(notes.at(-1)).toBe('columns not used: duration, best_epoch');
  });

  it('are repeats where the column is ignored', async () => {
    const { observations } = await read('bs.csv', sheet, { ignore: ['bs'] });
    expect(panelsOf(observations)).toHaveLength(1);
    expect(toPoints(observations, 'ndcg@10').points[0]!.runs).toHaveLength(4);
  });

  it('have an empty cell for a value of its own', async () => {
    const { observations } = await read('empty.csv', sheet.replaceAll(',512,', ',,'));
    expect(panelsOf(observations).map(({ label }) => label)).toEqual(['all bs=32', 'all bs=none']);
  });

  it('in the tokens they saw are runs on other slices', async () => {
    const { observations, notes } = await read(
      'tokens.csv',
      grid('layers,dim,tokens,loss', (i, l, d) =>
        [1e6, 2e6].map((n) => `${l},${d},${n},${5 - i / 9 - n / 1e7}`).join('\n'),
      ),
    );
    expect(panelsOf(observations).map(({ slice }) => slice)).toEqual(['tokens=1000000', 'tokens=2000000']);
    expect(notes.join('\n')).toContain('each number is taken for a slice of its own');
  });

  it('of nearly as many values as runs are taken as repeats, and that is said', async () => {
    const { notes } = await read(
      'lr.csv',
      grid('layers,dim,params_lr,ndcg@10', (i, l, d) =>
        [0, 1].map((k) => `${l},${d},${0.001 + i / 1e4 + k / 1e5},${0.1 + i / 100}`).join('\n'),
      ),
    );
    expect(notes.join('\n')).toContain('params_lr: nearly every run has a value of its own');
  });

  it('lists eight of the columns not used, and counts the others', async () => {
    const names = Array.from({ length: 11 }, (_, i) => `x${i}`);
    const { notes } = await read('many.csv', `layers,dim,hr@10,${names}\n1,16,.1,${names}\n`);
    expect(notes.at(-1)).toBe('columns not used: x0, x1, x2, x3, x4, x5, x6, x7 and 3 more');
  });
});

describe('fractions and percentages', () => {
  const table = (...values: number[]) =>
    read('scale.csv', `layers,dim,ndcg@10\n${values.map((value, i) => `${i + 1},16,${value}`).join('\n')}\n`);

  it('in one column are refused with the rows', async () => {
    await expect(table(0.037, 4.5, 0.047, 0.043, 5.3)).rejects.toThrow(/percentages in rows 3, 6/);
    await expect(table(4.5, 4.7, 0.047, 5.1)).rejects.toThrow(/fractions in row 4/);
  });

  it('are not mistaken: percentages around 1 are percentages, a run near 0 is a bad run', async () => {
    for (const values of [
      [0.48, 0.7, 0.9, 1.3],
      [0.4, 2.5, 8, 12],
      [0.001, 4.5, 4.7, 4.8],
      [0, 3.5, 4],
      [12, 30, 55],
      [0.2, 0.4, 1],
    ])
      expect((await table(...values)).observations).toHaveLength(values.length);
  });

  it('are told apart wherever the rows lie', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.double({ min: 0.05, max: 0.15, noNaN: true }), fc.boolean()), {
          minLength: 4,
          maxLength: 30,
        }),
        async (rows) => {
          fc.pre(new Set(rows.map(([, percent]) => percent)).size === 2);
          await expect(table(...rows.map(([value, percent]) => (percent ? 100 : 1) * value))).rejects.toThrow(
            /holds fractions .* and percentages/,
          );
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('a table with one fault', () => {
  const rows = Array.from({ length: 40 }, (_, i) => [1 + (i % 4), 16 * (1 + (i % 5)), 0.1 + i / 1000]);
  const faults: Record<string, (line: string) => string> = {
    'a field too many': (line) => `${line},1`,
    'a field too few': (line) => line.slice(0, line.lastIndexOf(',')),
    'a quote that never ends': (line) => line.replace(/^/, '"'),
    'text after a quote': (line) => line.replace(/^(\d)/, '"$1"x'),
    'a word': (line) => line.replace(/,[^,]*$/, ',high'),
  };

  it('is never taken for whole: CSV, JSON lines', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(faults)),
        fc.integer({ min: 0, max: rows.length - 1 }),
        async (kind, at) => {
          const lines = rows.map((row) => row.join(','));
          lines[at] = faults[kind]!(lines[at]!);
          await expect(read('fault.csv', ['layers,dim,hr@10', ...lines].join('\n'))).rejects.toMatchObject({
            name: 'UserError',
            place: `fault.csv:${at + 2}`,
          });
          const json = rows.map(([layers, dim, hr]) => JSON.stringify({ layers, dim, 'hr@10': hr }));
          json[at] = json[at]!.slice(0, -1 - (at % 9));
          await expect(read('fault.jsonl', json.join('\n'))).rejects.toMatchObject({
            name: 'UserError',
            place: `fault.jsonl:${at + 1}`,
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is never taken for whole: Parquet', async () => {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const { readFileSync } = await import('node:fs');
    const path = join(folder, 'whole.parquet');
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run(
      `COPY (SELECT 1 + i % 4 AS layers, 16 * (1 + i % 5) AS dim, hash(i) / 1e20 AS "hr@10" FROM range(60000) t(i))
       TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 5000, COMPRESSION zstd)`,
    );
    connection.closeSync();
    expect((await readTable(path)).observations).toHaveLength(60_000);
    const bytes = readFileSync(path);
    for (const share of [0.3, 0.5, 0.7, 0.9]) {
      const damaged = Uint8Array.from(bytes);
      damaged.fill(0xa5, Math.floor(share * bytes.length), Math.floor(share * bytes.length) + 400);
      await expect(read('damaged.parquet', damaged)).rejects.toThrow(/not readable|rows were read/);
      await expect(
        read('cut.parquet', bytes.subarray(0, Math.floor(share * bytes.length))),
      ).rejects.toThrow();
    }
  });
});
