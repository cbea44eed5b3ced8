import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CostModel, type DataFacts, planSweep } from '../../../src/sweep/file/plan.js';
import { resolveSweep } from '../../../src/sweep/file/resolve.js';
import { checkSweepText } from '../../../src/sweep/file/spec.js';
import { trialId } from '../../../src/train/identity.js';
import { describeError, type UserError } from '../../../src/util/errors.js';
import { canonicalJson } from '../../../src/util/hash.js';

const DATA: DataFacts = {
  name: 'd',
  hash: 'h',
  numItems: 500,
  timed: true,
  leaves: (k) => k < 400,
  tokensOf: ({ users }) => 1000 * users,
  epochWorkOf: ({ slice }) => ({ steps: 1000 * slice.users, predicting: 1 }),
};
const COST: CostModel = {
  numericVersion: 1,
  sizeOf: ({ model }) => ({ parameters: model.dim * model.layers, flopsPerToken: model.dim * model.layers }),
  memoryOf: () => 1,
};

function plan(text: string, data = DATA, cost = COST) {
  const { source, problems } = checkSweepText(text, 'p.yaml');
  if (!source) throw new Error(JSON.stringify(problems));
  return planSweep(resolveSweep(source), 'wasm', data, cost);
}

describe('a plan', () => {
  it('tells samples of negatives apart, and takes none of them for all items', () => {
    const grid = (text: string) => plan(`data: d\ngrid: {${text}}\n`).trials.map(({ id }) => id);
    const [plain] = grid('dim: [64]');
    expect(grid('negatives: [0]')).toEqual([plain]);
    expect(grid('proposal: [uniform, popularity]')).toEqual([plain]); // nothing is sampled
    const sampled = grid('negatives: [100, 1000], proposal: [uniform, popularity]');
    expect(new Set([plain, ...sampled]).size).toBe(5);
    expect(sampled).toEqual(expect.arrayContaining(grid('negatives: [100, 1000]')));
  });

  it('counts the work of what is predicted: prefixes cost their tokens, and each its scores', () => {
    const seen: string[] = [];
    const data: DataFacts = {
      ...DATA,
      epochWorkOf: ({ training }) => {
        seen.push(`${training.loss} ${training.prefixes}`);
        return { steps: 100, predicting: training.prefixes === 3 ? 0.5 : 1 };
      },
    };
    const cost: CostModel = {
      ...COST,
      sizeOf: (_config, _items, predicting) => ({ parameters: 1, flopsPerToken: 1 + predicting }),
    };
    const text = `data: d
training: {epochs: 2}
grid: {seed: [1, 2]}
list: [{loss: all, prefixes: 5}, {loss: last, prefixes: 3}, {loss: last, prefixes: 1}, {loss: last, prefixes: random}]
`;
    const { trials, duplicates } = plan(text, data, cost);
    expect(trials.map(({ flops }) => flops)).toEqual([300, 300, 400, 400, 400, 400]);
    expect(duplicates).toBe(2); // one prefix is a random one
    expect(seen.sort()).toEqual(['all undefined', 'last 3', 'last random']); // each counted once
  });

  it('keeps the residual of one layer where layers vary from 1 up, says so, and lets the file decide', () => {
    const residuals = (text: string) => {
      const { trials, notes } = plan(`data: d\n${text}\n`);
      const all = trials.map(({ config: { model } }) => `${model.name} ${model.layers} ${model.residual}`);
      return { all: all.sort(), said: notes.filter((note) => note.includes('residual')).length };
    };
    const two = (residual: unknown) => [`mamba4rec 1 ${residual}`, `mamba4rec 2 ${residual}`];
    expect(residuals('grid: {layers: [1, 2]}')).toEqual({ all: two('always'), said: 1 });
    expect(residuals('list: [{dim: 8}, {layers: 2}]')).toEqual({ all: two('always'), said: 1 });
    expect(residuals('model: {residual: published}\ngrid: {layers: [1, 2]}')).toEqual({
      all: two(undefined),
      said: 0,
    });
    expect(residuals('model: {residual: always}\ngrid: {layers: [1, 2]}')).toEqual({
      all: two('always'),
      said: 0,
    });
    expect(residuals('grid: {layers: [1, 2], residual: [published, always]}')).toEqual({
      all: [...two('always'), ...two(undefined)].sort(),
      said: 0,
    });
    expect(residuals('list: [{residual: published}, {layers: 2}]').all).toEqual([
      'mamba4rec 1 undefined',
      'mamba4rec 2 always',
    ]);
    // Layers do not vary, or not from 1 up; a model whose layers vary says nothing of another.
    for (const text of [
      'grid: {dim: [8, 16]}',
      'grid: {layers: [2, 3]}',
      'grid: {layers: [1, 2]}\nexclude: [{layers: 1}]',
    ])
      expect(residuals(text)).toMatchObject({ said: 0 });
    expect(
      residuals('list: [{dim: 8}, {model: tim4rec, layers: 1}, {model: tim4rec, layers: 4}]').all,
    ).toEqual(['mamba4rec 1 undefined', 'tim4rec 1 always', 'tim4rec 4 always']);
    expect(residuals('model: {name: ssd4rec}\ngrid: {layers: [1, 2]}')).toMatchObject({ said: 0 });
  });

  it('crosses grid, zip, slices and seeds', () => {
    const { trials } = plan(
      'data: d\ngrid: {dim: [8, 16], layers: [1, 2]}\nzip: {dState: [4, 8], dropout: [0.1, 0.2]}\nslices: [{users: 0.5}, {users: 1}]\nseeds: [0, 1, 2]\n',
    );
    expect(trials.length).toBe(2 * 2 * 2 * 2 * 3);
    const pairs = new Set(trials.map(({ config: { model } }) => `${model.dState} ${model.dropout}`));
    expect([...pairs].sort()).toEqual(['4 0.1', '8 0.2']);
  });

  it('takes the entries of a list one by one; an entry may name its slice and seed', () => {
    const { trials } = plan(
      'data: d\nlist:\n  - {dim: 8, seed: 7, slice: {users: 0.25}}\n  - {model: tim4rec, dim: 64}\n',
    );
    const shown = trials.map(({ config }) => [
      config.model.name,
      config.model.dim,
      config.seed,
      config.slice.users,
    ]);
    expect(shown).toEqual([
      ['mamba4rec', 8, 7, 0.25],
      ['tim4rec', 64, 0, 1],
    ]);
    expect(trials.map(({ config }) => config.model.headDim)).toEqual([undefined, 32]);
  });

  it('leaves out what exclude names, by values, lists of values, slices and shared settings', () => {
    const { trials, excluded } = plan(
      `data: d
model: {dState: 4}
grid: {dim: [8, 16], layers: [1, 2, 3]}
slices: [{users: 0.5}, {users: 1}]
exclude:
  - {dim: 16, layers: [2, 3]}
  - {slice: {users: 0.5}, layers: 1, dState: 4}
  - {dim: 8, dState: 99}
`,
    );
    expect(excluded).toBe(4 + 2);
    expect(trials.length).toBe(12 - 6);
  });

  it('plans a configuration once however often it is named', () => {
    const { trials, duplicates } = plan('data: d\ngrid: {dim: [8, 8, 16]}\nseeds: [0, 0]\n');
    expect([trials.length, duplicates]).toEqual([2, 4]);
    // A setting that a model does not have is no difference.
    expect(plan('data: d\ngrid: {headDim: [8, 16]}\n').trials.length).toBe(1);
    expect(plan('data: d\ngrid: {headDim: [8, 16], model: [tim4rec]}\n').trials.length).toBe(2);
  });

  it('runs the smallest first', () => {
    const flops = plan('data: d\ngrid: {dim: [64, 8, 32], layers: [4, 1]}\n').trials.map((t) => t.flops);
    expect(flops).toEqual([...flops].sort((a, b) => a - b));
  });

  it('stops at the budget of FLOPs and says what lies beyond', () => {
    // Smallest first: 8, 16 and 32 thousand FLOPs.
    const text = 'data: d\ntraining: {epochs: 1}\nmodel: {layers: 1}\ngrid: {dim: [8, 16, 32]}\n';
    const { trials, beyondBudget } = plan(`${text}budget: {flops: 30k}\n`);
    expect(trials.map(({ config }) => config.model.dim)).toEqual([8, 16]);
    expect(beyondBudget.map(({ config }) => config.model.dim)).toEqual([32]);
    expect(() => plan(`${text}budget: {flops: 7k}\n`)).toThrow(/below the smallest trial/);
  });

  it('refuses what cannot be: too many trials, none, heads that do not fit, cut-offs past the items', () => {
    const many = Array.from({ length: 400 }, (_, i) => i + 1).join(', ');
    expect(() => plan(`data: d\ngrid: {dim: [${many}], layers: [${many}]}\n`)).toThrow(/160,000 trials/);
    expect(() => plan('data: d\ngrid: {dim: [8]}\nexclude: [{dim: 8}]\n')).toThrow(/no trial at all/);
    expect(() => plan('data: d\nmodel: {name: tim4rec, dim: 20}\n')).toThrow(/headDim 32 does not divide/);
    expect(() => plan('data: d\nmodel: {dim: 5, expand: 1.5}\n')).toThrow(/not a whole number/);
    expect(() => plan('data: d\nevaluation: {ks: [10, 500]}\n')).toThrow(/cut-off 500/);
  });

  it('refuses data with nothing to rank, to choose by or to train on, at its place in the file', () => {
    const refusal = (text: string, facts: Partial<DataFacts>) => {
      try {
        plan(text, { ...DATA, ...facts });
      } catch (error) {
        return describeError(error);
      }
      throw new Error('it was planned');
    };
    const text = 'data: d\nslices: [{users: 0.1}, {users: 1}]\n';
    expect(refusal(text, { numItems: 1 })).toMatch(/^p\.yaml:1:7: there is only one item/);
    const few = refusal(text, { numItems: 7 });
    expect(few).toContain('cut-off 20 is not below the number of items, 7');
    const remedy = /`(evaluation: .*)`/.exec(few)![1];
    expect(remedy).toBe('evaluation: {ks: [1, 5], select: ndcg@5}');
    expect(plan(`${text}${remedy}\n`, { ...DATA, numItems: 7 }).trials).toHaveLength(2);
    expect(refusal(text, { leaves: () => false })).toMatch(/nothing to rank\n.*history: unmasked/);
    const unmasked = `${text}evaluation: {history: unmasked}\n`;
    expect(plan(unmasked, { ...DATA, leaves: () => false }).trials).toHaveLength(2);
    const epochWorkOf: DataFacts['epochWorkOf'] = ({ slice }) =>
      slice.users < 1 ? { steps: 0, predicting: 0 } : { steps: 9, predicting: 1 };
    expect(refusal(text, { epochWorkOf })).toMatch(
      /^p\.yaml:2:9: no history of the slice users=0\.1 has two events/,
    );
    expect(refusal('data: d\ngrid: {slice: [{users: 0.1}]}\n', { epochWorkOf })).toMatch(/^p\.yaml:2:15: /);
  });

  it('says once what means little on these data', () => {
    const { notes } = plan('data: d\ngrid: {negatives: [100, 501, 600], dim: [8, 16]}\n', {
      ...DATA,
      leaves: (k) => k < 10,
    });
    expect(notes).toEqual([
      'with the history masked nobody has more than 10 items left to rank, so that hr@10 and hr@20 are 1 whatever the model.',
      expect.stringContaining('501 negatives are all of them'),
      expect.stringContaining('600 negatives are all of them'),
    ]);
    expect(plan('data: d\n').notes).toEqual([]);
  });

  it('gives an identity that changes with whatever decides the numbers, and with nothing else', () => {
    const [trial] = plan('data: d\n').trials;
    const id = (change: object, version = 1) => trialId({ ...trial!.config, ...change }, version);
    expect(id({})).toBe(trial!.id);
    expect(trial!.id).toMatch(/^[0-9a-f]{10}$/);
    expect(id({ data: { name: 'another name', hash: 'h' } })).toBe(trial!.id);
    expect(id({ seed: 1 })).not.toBe(trial!.id);
    expect(id({ data: { name: 'd', hash: 'other' } })).not.toBe(trial!.id);
    expect(id({ backend: 'composed' })).not.toBe(trial!.id);
    expect(id({}, 2)).not.toBe(trial!.id);
  });

  it('is the same for the same file, without doubles, whatever the axes', () => {
    const values = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(values, values, values, (dims, layers, seeds) => {
        const text = (d: number[]) =>
          `data: d\ngrid: {dim: [${d}], layers: [${layers}]}\nseeds: [${seeds}]\n`;
        const { trials } = plan(text(dims));
        expect(trials.length).toBe(dims.length * layers.length * seeds.length);
        expect(new Set(trials.map(({ id }) => id)).size).toBe(trials.length);
        // The order of an axis' values is no part of the plan.
        expect(canonicalJson(plan(text([...dims].reverse())).trials)).toBe(canonicalJson(trials));
      }),
      { numRuns: 30 },
    );
  });

  it('holds 10,000 trials', () => {
    const list = (n: number) => Array.from({ length: n }, (_, i) => i + 1).join(', ');
    const { trials } = plan(
      `data: d\ngrid: {dim: [${list(100)}], layers: [${list(10)}]}\nseeds: [${list(10)}]\n`,
    );
    expect(trials.length).toBe(10_000);
  });
});

describe("models' own settings", () => {
  const trials = (text: string) => plan(`data: d\n${text}`).trials.map(({ config }) => config);

  it('reach only the models that they mean something to', () => {
    const configs = trials(
      'model: {dim: 16, headDim: 8, beta: 0.2, timeGate: position}\ngrid: {model: [mamba4rec, tim4rec, ssd4rec]}\n',
    );
    const byName = Object.fromEntries(configs.map(({ model }) => [model.name, model]));
    expect(byName['mamba4rec']).not.toHaveProperty('headDim');
    expect(byName['tim4rec']).toMatchObject({ headDim: 8, timeGate: 'position', time: 'causal' });
    expect(byName['tim4rec']).not.toHaveProperty('beta');
    expect(byName['ssd4rec']).toMatchObject({ headDim: 8, beta: 0.2 });
  });

  it('have the defaults that fit the model: published head sizes, a loss that does not leak', () => {
    const [tim, ssd] = trials('model: {dim: 32}\nlist: [{model: tim4rec}, {model: ssd4rec}]\n').sort(
      (a, b) => (a.model.name < b.model.name ? 1 : -1),
    );
    expect(tim).toMatchObject({ model: { headDim: 32, time: 'causal' }, training: { loss: 'all' } });
    expect(ssd).toMatchObject({ model: { headDim: 16 }, training: { loss: 'last' } });
  });

  it('that leak or contradict each other are refused before anything is trained, with their place', () => {
    const leak = 'model: {name: tim4rec, time: paper}\ngrid: {layers: [1]}\n';
    expect(() => trials(leak)).toThrow('mixes timestamps over the whole history');
    expect(() => trials('model: {name: ssd4rec}\ntraining: {loss: all}\ngrid: {layers: [1]}\n')).toThrow(
      'it would see what it predicts',
    );
    try {
      trials(leak);
    } catch (error) {
      expect((error as UserError).place).toMatch(/:2:\d+$/);
    }
  });

  it('that need a clock are refused on data without one', () => {
    const sweep = () => plan('data: d\ngrid: {model: [tim4rec]}\n', { ...DATA, timed: false });
    expect(sweep).toThrow('has no timestamps');
  });
});

describe('resolved settings', () => {
  it('say where each value comes from', () => {
    const { source } = checkSweepText('data: d\nmodel:\n  dim: 32\ngrid:\n  layers: [1]\n', 'p.yaml');
    const { lines, workers } = resolveSweep(source!, { backend: 'composed', workers: 3 });
    const from = Object.fromEntries(lines.map((line) => [line.path, line.from]));
    expect(from['model.dim']).toBe('p.yaml:3:8');
    expect(from['grid.layers']).toBe('p.yaml:5:11');
    expect(from['model.layers']).toBe('default');
    expect(from['backend']).toBe('command line');
    expect(workers).toBe(3);
  });
});
