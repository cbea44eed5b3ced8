import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../src/contract/fake.js';
import { sweepJsonSchema } from '../../../src/sweep/file/schema.js';
import { checkSweepText, readSweepFile } from '../../../src/sweep/file/spec.js';
import { UserError } from '../../../src/util/errors.js';

const GOOD = `# purpose
name: tiny
data: ml-100k
model:
  dState: 16
training: {epochs: 3}
slices:
  - users: 0.5
  - {users: 1, maxLength: 50}
grid:
  dim: [16, 32]
  layers: [1, 2]
`;

/** Bad files: the text, `line:column` of the mistake, and words of the message and of the suggestion. */
const BAD: [name: string, text: string, place: string, message: RegExp, suggestion?: RegExp][] = [
  ['an empty file', '', '1:1', /empty/],
  ['only a comment', '# nothing\n', '1:1', /empty/],
  ['a list at the top', '- data: x\n', '1:1', /expected settings/],
  ['a plain word', 'sweep\n', '1:1', /expected settings/],
  ['a binary file', 'PAR1\0\x01', '1:1', /not a text file/],
  ['an unclosed bracket', 'data: x\ngrid: {dim: [16, 32}\n', '2:20', /not valid YAML/],
  ['a tab as indentation', 'data: x\ngrid:\n\tdim: [1]\n', '3:1', /not valid YAML/],
  ['two documents', 'data: x\n---\ndata: y\n', '2:1', /not valid YAML/],
  ['a key twice', 'data: x\nseeds: [1]\nseeds: [2]\n', '3:1', /"seeds" stands here for the second time/],
  ['a key twice, deeper', 'data: x\ngrid:\n  dim: [1]\n  dim: [2]\n', '4:3', /second time/],
  ['no data', 'grid:\n  dim: [16]\n', '1:1', /data is missing/, /synthetic/],
  ['data of a wrong type', 'data: 5\n', '1:7', /data: expected a data set.*got 5/],
  [
    'a misspelt option of the generator',
    'data:\n  synthetic: {user: 5}\n',
    '2:15',
    /unknown key "user"/,
    /`users`/,
  ],
  [
    'a misspelt key at the top',
    'data: x\nmodle: {dim: 4}\n',
    '2:1',
    /unknown key "modle" at the top/,
    /`model`/,
  ],
  ['swapped letters', 'data: x\nsedes: [1]\n', '2:1', /unknown key "sedes"/, /`seeds`/],
  [
    'a misspelt key in grid',
    'data: x\ngrid:\n  layer: [1]\n',
    '3:3',
    /unknown key "layer" in grid/,
    /`layers`/,
  ],
  ['another spelling', 'data: x\ngrid:\n  d_state: [1]\n', '3:3', /unknown key "d_state"/, /`dState`/],
  [
    'a key in the wrong place',
    'data: x\ndim: 64\n',
    '2:1',
    /unknown key "dim"/,
    /belongs under `model:`.*grid/,
  ],
  ['a training key at the top', 'data: x\nepochs: 3\n', '2:1', /unknown key "epochs"/, /under `training:`/],
  [
    'a misspelt key in a slice',
    'data: x\nslices:\n  - {user: 1}\n',
    '3:6',
    /unknown key "user" in slices\[0\]/,
    /`users`/,
  ],
  ['a misspelt key in training', 'data: x\ntraining:\n  epoch: 3\n', '3:3', /in training/, /`epochs`/],
  ['a misspelt key in budget', 'data: x\nbudget: {flop: 1}\n', '2:10', /in budget/, /`flops`/],
  ['a merge key', 'data: x\ngrid:\n  <<: {dim: [1]}\n', '3:3', /unknown key "<<"/],
  ['an empty grid', 'data: x\ngrid: {}\n', '2:7', /at least one axis/],
  ['a grid without a value', 'data: x\ngrid:\n', '2:6', /grid: expected axes/],
  ['an empty axis', 'data: x\ngrid:\n  dim: []\n', '3:8', /grid\.dim: expected at least one value/],
  [
    'a scalar for an axis',
    'data: x\ngrid:\n  dim: 64\n',
    '3:8',
    /grid\.dim: expected a list of values.*got 64/,
  ],
  [
    'a word for a number',
    'data: x\ngrid:\n  dim: [16, sixty]\n',
    '3:13',
    /grid\.dim\[1\]: expected a whole number.*got sixty/,
  ],
  ['a share for a whole number', 'data: x\ngrid:\n  dim: [16.5]\n', '3:9', /whole number.*got 16\.5/],
  ['a negative size', 'data: x\nmodel:\n  dim: -4\n', '3:8', /model\.dim: .*got -4/],
  ['zero layers', 'data: x\nmodel: {layers: 0}\n', '2:17', /whole number from 1.*got 0/],
  ['true for a number', 'data: x\nmodel: {dim: true}\n', '2:14', /got true/],
  ['not a number', 'data: x\nmodel: {dim: .nan}\n', '2:14', /got \.nan/],
  ['infinity', 'data: x\ngrid: {dim: [.inf]}\n', '2:14', /got \.inf/],
  ['null for a number', 'data: x\nmodel: {dim: ~}\n', '2:14', /model\.dim: expected a whole number.*got ~/],
  ['dropout of one', 'data: x\nmodel: {dropout: 1}\n', '2:18', /below 1.*got 1/],
  ['a share of users of zero', 'data: x\nslices: [{users: 0}]\n', '2:18', /above 0.*got 0/],
  ['a share of users above one', 'data: x\nslices: [{users: 50}]\n', '2:18', /up to 1.*got 50/],
  ['no slices', 'data: x\nslices: []\n', '2:9', /at least one slice/],
  ['a slice that is a number', 'data: x\nslices: [0.5]\n', '2:10', /expected a slice such as/],
  ['no seeds', 'data: x\nseeds: []\n', '2:8', /at least one seed/],
  ['a number of seeds', 'data: x\nseeds: 3\n', '2:8', /expected a list of seeds.*got 3/],
  [
    'an unknown model',
    'data: x\nmodel: {name: mamba4rek}\n',
    '2:15',
    /one of mamba4rec.*got mamba4rek/,
    /`mamba4rec`/,
  ],
  ['an unknown model on an axis', 'data: x\ngrid:\n  model: [tim4rec, sasrec]\n', '3:20', /got sasrec/],
  ['an unknown backend', 'data: x\nbackend: wsam\n', '2:10', /one of auto, wasm/, /`wasm`/],
  ['a wrong metric', 'data: x\nevaluation: {select: ndgc@10}\n', '2:22', /expected a metric/],
  [
    'a metric that is not measured',
    'data: x\nevaluation: {ks: [5], select: ndcg@10}\n',
    '2:31',
    /not measured/,
    /ks/,
  ],
  ['a wrong loss', 'data: x\ntraining: {loss: bpr}\n', '2:18', /one of all, last.*got bpr/],
  ['a size without a unit that exists', 'data: x\nlimits: {memory: 4 potatoes}\n', '2:18', /expected a size/],
  ['a misspelt key in slurm', 'data: x\nslurm: {partitions: a}\n', '2:9', /in slurm/, /`partition`/],
  ['a key of slurm at the top', 'data: x\npartition: gpu\n', '2:1', /"partition"/, /under `slurm:`/],
  [
    'a partition of two words',
    'data: x\nslurm: {partition: "a b"}\n',
    '2:20',
    /partition as sbatch takes it/,
  ],
  ['GPUs of no number', 'data: x\nslurm: {gpus: many}\n', '2:15', /expected a number of GPUs/],
  ['a bad variable', 'data: x\nslurm: {environment: {"A B": 1}}\n', '2:30', /name of letters/],
  ['a setup that is no list', 'data: x\nslurm: {setup: module}\n', '2:16', /setup: expected a list/],
  [
    'a word that is no option',
    'data: x\nslurm: {options: [mem=1]}\n',
    '2:19',
    /expected an option of sbatch/,
  ],
  [
    'an option with a line break',
    'data: x\nslurm: {options: ["--a=b\\n#"]}\n',
    '2:19',
    /an option of sbatch/,
  ],
  ["perflaw's own option", 'data: x\nslurm: {options: ["--array=1"]}\n', '2:19', /sets this option itself/],
  ['a time of nothing', 'data: x\nlimits: {time: 0h}\n', '2:16', /expected a time/],
  ['falling rungs', 'data: x\nhalving: {rungs: [10, 5]}\n', '2:18', /rising numbers of epochs/],
  ['halving without rungs', 'data: x\nhalving: {eta: 3}\n', '2:10', /halving/],
  ['halving that drops nobody', 'data: x\nhalving: {rungs: [5], eta: 1}\n', '2:28', /above 1.*got 1/],
  ['no workers', 'data: x\nworkers: 0\n', '2:10', /workers/],
  [
    'threads that are no number',
    'data: x\nthreads: all\n',
    '2:10',
    /threads: expected auto, or a number of threads/,
  ],
  ['a name with a slash', 'name: ../up\ndata: x\n', '1:7', /expected a short name.*got \.\.\/up/],
  ['an axis in grid and zip', 'data: x\ngrid: {dim: [1]}\nzip: {dim: [2]}\n', '3:7', /stands in grid too/],
  [
    'an axis in grid and list',
    'data: x\ngrid: {dim: [1]}\nlist:\n  - {dim: 2}\n',
    '4:6',
    /stands in grid too/,
  ],
  [
    'a zip of unequal lists',
    'data: x\nzip:\n  dim: [1, 2]\n  layers: [1]\n',
    '4:3',
    /dim has 2 values, layers has 1/,
  ],
  [
    'slices twice',
    'data: x\nslices: [{users: 1}]\ngrid:\n  slice: [{users: 0.5}]\n',
    '2:9',
    /slices are given here and/,
  ],
  ['an empty list', 'data: x\nlist: []\n', '2:7', /at least one entry/],
  ['an entry without settings', 'data: x\nlist: [{}]\n', '2:8', /at least one setting/],
  ['a misspelt key in exclude', 'data: x\nexclude:\n  - {dims: 5}\n', '3:6', /unknown key "dims"/, /`dim`/],
  ['a wrong value in exclude', 'data: x\nexclude:\n  - {dim: [a]}\n', '3:12', /got a/],
];

describe('a sweep file', () => {
  it('is read as written', () => {
    const { source, problems } = checkSweepText(GOOD, 'sweeps/tiny.yaml');
    expect(problems).toEqual([]);
    expect(source?.name).toBe('tiny');
    expect(source?.settings.grid).toEqual({ dim: [16, 32], layers: [1, 2] });
    expect(source?.settings.slices).toEqual([{ users: 0.5 }, { users: 1, maxLength: 50 }]);
    expect(source?.placeOf(['model', 'dState'])).toBe('sweeps/tiny.yaml:5:11');
  });

  it('reads 50M, 1e6 and 1_000 where a count is meant, and sizes and times with units', () => {
    const { source } = checkSweepText(
      'data: x\nmodel: {dim: 1_024, maxLength: 0.5k}\nbudget: {flops: 50M}\nlimits: {memory: 2GiB, time: 90min}\n',
      'x.yaml',
    );
    expect(source?.settings.model).toEqual({ dim: 1024, maxLength: 500 });
    expect(source?.settings.budget).toEqual({ flops: 50e6 });
    expect(source?.settings.limits).toEqual({ memory: 2 ** 31, time: 5400 });
  });

  it('takes its name from the file where none is given', () => {
    expect(checkSweepText('data: x\n', '/a b/My sweep!.yaml').source?.name).toBe('My-sweep-');
  });

  it.each(BAD)('with %s is refused at its place', (_, text, place, message, suggestion) => {
    const { source, problems } = checkSweepText(text, 'bad.yaml');
    expect(source).toBeUndefined();
    const found = problems.map((p) => ({ at: `${p.line}:${p.column}`, message: p.message, s: p.suggestion }));
    expect(found[0]).toMatchObject({ at: place, message: expect.stringMatching(message) });
    if (suggestion) expect(found[0]?.s).toMatch(suggestion);
  });

  it('names every mistake at once, each with its place', () => {
    const file = join(temporaryFolder(), 'two.yaml');
    writeFileSync(file, 'data: x\nmodle: {}\ngrid:\n  dim: [x]\n');
    expect(() => readSweepFile(file)).toThrow(UserError);
    try {
      readSweepFile(file);
    } catch (error) {
      expect((error as UserError).exitCode).toBe(2);
      expect((error as Error).message).toContain(`${file}:2:1: unknown key "modle"`);
      expect((error as Error).message).toContain(`${file}:4:9: grid.dim[0]`);
    }
  });

  it('that is missing, or a folder, is named', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'a.yaml'));
    expect(() => readSweepFile(join(folder, 'none.yaml'))).toThrow(/no such file/);
    expect(() => readSweepFile(join(folder, 'a.yaml'))).toThrow(/this is a folder/);
  });

  it('never crashes the reader, whatever it holds', () => {
    const word = fc.constantFrom(
      'data',
      'grid',
      'dim',
      'model',
      '- ',
      '{',
      '}',
      '[',
      ']',
      ':',
      '\n',
      '  ',
      '&a',
      '*a',
      '!!',
      '"',
      "'",
      '|',
      '5',
      '#',
      '%',
      '? ',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.array(word, { maxLength: 30 }).map((w) => w.join('')),
    );
    fc.assert(
      fc.property(text, (t) => {
        const { source, problems } = checkSweepText(t, 'f.yaml');
        expect(source === undefined).toBe(problems.length > 0);
        for (const problem of problems) {
          expect(problem.line).toBeGreaterThan(0);
          expect(problem.line).toBeLessThanOrEqual(t.split(/\n/).length);
          expect(problem.column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('has a JSON Schema in which unknown keys are refused', () => {
    const schema = sweepJsonSchema() as {
      properties: Record<string, { additionalProperties?: boolean }>;
      additionalProperties: boolean;
    };
    expect(schema.additionalProperties).toBe(false);
    expect(schema.properties['grid']?.additionalProperties).toBe(false);
    expect(Object.keys(schema.properties)).toContain('slices');
  });
});
