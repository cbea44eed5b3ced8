import { describe, expect, it } from 'vitest';
import { fitLaw } from '../../../src/law/fitting/fit.js';
import type { Observation } from '../../../src/law/points/observation.js';
import { toPoints } from '../../../src/law/points/points.js';
import { outlierNote, stepNote } from '../../../src/law/trust/outliers.js';
import { createRandom } from '../../../src/util/random.js';

const LAYERS = [1, 2, 3, 4];
const DIMS = [16, 32, 64, 128];

function sweep(seed: number, law: (layers: number, dim: number) => number, noise = 5e-4): Observation[] {
  const random = createRandom('outliers', seed);
  return LAYERS.flatMap((layers) =>
    DIMS.map((dim) => ({
      slice: 'all',
      layers,
      dim,
      metrics: { 'ndcg@10': law(layers, dim) + noise * random.normal() },
    })),
  );
}
const plain = (layers: number, dim: number) => 0.06 + 0.004 * Math.log(layers) + 0.003 * Math.log(dim);
const withValue = (observations: Observation[], index: number, value: number) =>
  observations.map((one, i) => (i === index ? { ...one, metrics: { 'ndcg@10': value } } : one));

describe('a run far from the others', () => {
  const note = (observations: Observation[], huber?: 'auto') =>
    outlierNote(fitLaw(observations, { form: 'log-linear', ...(huber ? { huber } : {}) }));

  it('is named with what the law says of it, and --robust is offered', () => {
    expect(note(withValue(sweep(1, plain), 6, 0.09))).toMatch(
      /^layers 2, dim 64 \(0\.0900, the law says 0\.0\d+\): far from what the others say; check the run, or give --robust$/,
    );
  });

  it('is named where its metric is 0, also where it is not alone', () => {
    const two = withValue(withValue(sweep(1, plain), 6, 0), 9, 0);
    expect(note(two)).toMatch(
      /^layers 2, dim 64; layers 3, dim 32: ndcg@10 is 0 in a run, where half .* --robust$/,
    );
    expect(note(two, 'auto')).toBeUndefined();
  });

  it('is a training that collapsed where a smaller model reaches three times as much, and how to leave it out is said', () => {
    const collapsed = withValue(withValue(sweep(1, plain), 6, 0.0174), 14, 0.021);
    expect(note(collapsed)).toMatch(
      /^layers 2, dim 64 \(0\.0174, a smaller one 0\.07\d+\); layers 4, dim 64 \(0\.0210, .* --where "ndcg@10>0\.03", or give --robust$/,
    );
    // the small end of a steep law is none
    expect(note(sweep(1, (layers, dim) => 0.001 * layers * dim)) ?? '').not.toMatch(/collapsed/);
  });

  it('is not seen in noise, nor in an exact law: at most 1 of 60 sweeps', () => {
    let named = 0;
    for (let seed = 0; seed < 60; seed++) if (note(sweep(seed, plain))) named++;
    expect(named).toBeLessThanOrEqual(1);
    expect(note(sweep(0, plain, 0))).toBeUndefined();
  });
});

describe('one layer that is another architecture', () => {
  const note = (observations: Observation[]) => {
    const { points } = toPoints(observations, 'ndcg@10');
    return stepNote(points, { metric: 'ndcg@10', direction: 'maximize' });
  };
  // published Mamba4Rec on a sparse set, dim 64: .051, .070, .071, .070
  const published = (layers: number, dim: number) =>
    [0.051, 0.07, 0.071, 0.07][layers - 1]! + 0.003 * Math.log(dim / 64);

  it('is named with the size of its step and what one can do', () => {
    expect(note(sweep(2, published))).toMatch(
      /of models of one layer lies 0\.0\d+ on the worse side of the curve of the deeper ones.*Mamba4Rec.*--where "layers>1"/,
    );
  });

  it('is not seen in laws without a step: at most 5 of 60 sweeps each', () => {
    const smooth: ((layers: number, dim: number) => number)[] = [
      plain,
      (layers, dim) => 0.08 - 0.02 / layers - 0.1 / dim ** 0.5,
      (layers, dim) => 0.07 - 0.004 * Math.log(layers / 3) ** 2 - 0.002 * Math.log(dim / 64) ** 2,
      () => 0.07,
    ];
    for (const law of smooth) {
      let named = 0;
      for (let seed = 0; seed < 60; seed++) if (note(sweep(seed, law))) named++;
      expect(named).toBeLessThanOrEqual(5);
    }
  });

  it('takes four values of layers, from 1 on', () => {
    const all = sweep(2, published);
    expect(note(all.filter(({ layers }) => layers < 4))).toBeUndefined();
    expect(note(all.map((one) => ({ ...one, layers: one.layers + 1 })))).toBeUndefined();
  });
});
