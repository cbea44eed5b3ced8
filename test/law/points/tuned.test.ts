/** The tuned envelope: on a surface where the best rate moves with dim one constant rate names the wrong size; tuning does not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitPoints } from '../../../src/law/fitting/fit.js';
import { optimum } from '../../../src/law/fitting/optimum.js';
import type { Observation } from '../../../src/law/points/observation.js';
import { panelsOf, toPoints } from '../../../src/law/points/points.js';
import { optimismOf, selectionNoise } from '../../../src/law/points/tuned/optimism.js';
import { selectingMetric, tunedEnvelope } from '../../../src/law/points/tuned.js';
import { closeThreads } from '../../../src/law/trust/threads.js';
import { bootstrap, predictWithInterval } from '../../../src/law/trust/uncertainty.js';
import { ratesAt } from '../../../src/train/rate.js';
import { createRandom } from '../../../src/util/random.js';

const LAYERS = [1, 2, 4, 8];
const DIMS = [16, 32, 64, 128, 256];
const RATES = [1.25e-4, 2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3, 8e-3];

/** The true law, best at layers 4 and dim 96; the best rate falls as 1/dim and costs its squared distance in logarithms. */
const LOST = 0.004;
const law = (layers: number, dim: number) =>
  0.2 - 0.003 * Math.log(layers / 4) ** 2 - 0.002 * Math.log(dim / 96) ** 2;
const bestRate = (dim: number) => 1e-3 * (64 / dim);
const truth = (layers: number, dim: number, rate: number) =>
  law(layers, dim) - LOST * Math.log(rate / bestRate(dim)) ** 2;

interface Noise {
  /** Of a run, shared by validation and test, and of each of the two alone. */
  seed: number;
  own: number;
}

function run(
  layers: number,
  dim: number,
  rate: number,
  seed: number,
  noise: Noise,
  setting: string | number = rate,
): Observation {
  const random = createRandom('surface', layers, dim, rate, seed);
  const shared = noise.seed * random.normal();
  const value = truth(layers, dim, rate) + shared;
  return {
    slice: 'all',
    layers,
    dim,
    seed,
    metrics: {
      'ndcg@10': value + noise.own * random.normal(),
      'validation:ndcg@10': value + noise.own * random.normal(),
    },
    config: { model: 'm', learningRate: setting },
  };
}
const QUIET: Noise = { seed: 2e-4, own: 2e-4 };
const sizes = LAYERS.flatMap((layers) => DIMS.map((dim) => ({ layers, dim })));

const optimumOf = (observations: Observation[]) => {
  const [panel, ...others] = panelsOf(observations);
  expect(others).toEqual([]);
  const { points } = toPoints(panel!.observations, 'ndcg@10');
  return optimum(fitPoints(points, 'ndcg@10', { form: 'quadratic-log' }));
};
const tune = (observations: Observation[]) =>
  tunedEnvelope(observations, { tuned: ['learningRate'], metric: 'ndcg@10', direction: 'maximize' });

describe('a surface on which the best rate moves with dim', () => {
  const runs = sizes.flatMap(({ layers, dim }) => RATES.map((rate) => run(layers, dim, rate, 0, QUIET)));

  it('has its optimum elsewhere for every constant rate', () => {
    const found = RATES.map(
      (rate) => optimumOf(runs.filter((one) => one.config!['learningRate'] === rate)).dim!,
    );
    // a small rate flatters wide models, a large one narrow models
    for (let i = 1; i < found.length; i++) expect(found[i]!).toBeLessThan(found[i - 1]!);
    expect(found[RATES.indexOf(2.5e-4)]!).toBeGreaterThan(1.5 * 96);
    expect(found[RATES.indexOf(4e-3)]!).toBeLessThan(96 / 1.5);
  });

  it('has the true one under the tuned envelope', () => {
    const { observations, tuning } = tune(runs);
    const { layers, dim } = optimumOf(observations);
    expect(dim!).toBeGreaterThan(96 / 1.15);
    expect(dim!).toBeLessThan(96 * 1.15);
    expect(layers!).toBeGreaterThan(4 / 1.15);
    expect(layers!).toBeLessThan(4 * 1.15);
    expect(tuning).toMatchObject({ settings: ['learningRate'], by: 'validation:ndcg@10', validated: true });
    const { powers } = tuning.moves[0]!;
    expect(Math.abs(powers.dim!.power + 1)).toBeLessThan(0.1);
    expect(Math.abs(powers.layers!.power)).toBeLessThan(0.1);
    // dim 256 wants 2.5e-4 and dim 16 wants 4e-3: no end of the range tried is best
    expect(tuning.edges).toEqual([]);
  });

  it('has it, too, at a rate that follows the width', () => {
    const rule = { base: 1e-3, dim: 64, power: -1, parts: 'all' } as const;
    const followed = sizes.map(({ layers, dim }) =>
      run(layers, dim, ratesAt(rule, dim).others, 0, QUIET, 'rule'),
    );
    const { dim } = optimumOf(followed);
    expect(dim!).toBeGreaterThan(96 / 1.15);
    expect(dim!).toBeLessThan(96 * 1.15);
  });

  it('names the ends of a range that was too short', () => {
    const short = runs.filter(({ config }) => Number(config!['learningRate']) <= 1e-3);
    const { tuning } = tune(short);
    const won = LAYERS.length * 3; // dims 16, 32 and 64
    expect(tuning.edges).toEqual([
      { setting: 'learningRate', end: 'largest', value: 1e-3, won, of: sizes.length },
    ]);
    expect(tuning.notes.join('\n')).toMatch(
      /best learningRate is the largest tried, 0\.001, in 12 of 20 .*try larger/,
    );
  });
});

describe('what stands for a configuration', () => {
  const of = (layers: number, rate: number, validation: number, test: number, seed = 0): Observation => ({
    slice: 'all',
    layers,
    dim: 16,
    seed,
    metrics: { loss: test, 'validation:loss': validation, 'ndcg@10': test, 'validation:ndcg@10': validation },
    config: { learningRate: rate },
  });

  it('is chosen on validation and read on test', () => {
    const { observations, tuning } = tune([
      of(1, 1, 0.5, 0.1),
      of(1, 2, 0.4, 0.9),
      of(2, 1, 0.1, 0.3),
      of(2, 2, 0.2, 0.2),
    ]);
    expect(observations.map(({ metrics }) => metrics['ndcg@10'])).toEqual([0.1, 0.2]);
    expect(observations.every(({ config }) => !('learningRate' in config!))).toBe(true);
    expect(tuning.configurations.map(({ best, lead, tried }) => [best, lead, tried])).toEqual([
      [{ learningRate: 1 }, expect.closeTo(0.1), 2],
      [{ learningRate: 2 }, expect.closeTo(0.1), 2],
    ]);
  });

  it('is the best by the mean over seeds, not the setting of the best run', () => {
    const { observations } = tune([
      of(1, 1, 0.9, 0.5, 1),
      of(1, 1, 0.1, 0.5, 2),
      of(1, 2, 0.6, 0.7, 1),
      of(1, 2, 0.6, 0.8, 2),
    ]);
    expect(observations.map(({ metrics }) => metrics['ndcg@10'])).toEqual([0.7, 0.8]);
  });

  it('is the lowest of a loss', () => {
    const { observations } = tunedEnvelope([of(1, 1, 0.5, 0.1), of(1, 2, 0.4, 0.9)], {
      tuned: ['learningRate'],
      metric: 'loss',
      direction: 'minimize',
    });
    expect(observations.map(({ metrics }) => metrics['loss'])).toEqual([0.9]);
  });

  it('is chosen by the fitted metric where there is no validation, which is said', () => {
    const bare = [of(1, 1, 0.5, 0.1), of(1, 2, 0.4, 0.9)].map((one) => ({
      ...one,
      metrics: { 'ndcg@10': one.metrics['ndcg@10']! },
    }));
    const { observations, tuning } = tune(bare);
    expect(observations.map(({ metrics }) => metrics['ndcg@10'])).toEqual([0.9]);
    expect(tuning).toMatchObject({ by: 'ndcg@10', validated: false });
    expect(tuning.notes[0]).toMatch(/no validation value of ndcg@10.*flatters/);
  });

  it('was chosen among those that halving ended early too: they are tried, and never chosen', () => {
    const { observations, tuning } = tunedEnvelope([of(1, 2, 0.6, 0.7), of(2, 2, 0.6, 0.7)], {
      tuned: ['learningRate'],
      metric: 'ndcg@10',
      direction: 'maximize',
      dropped: [of(1, 1, 0.9, 0.9), of(1, 1, 0.8, 0.9, 1), of(2, 1, 0.1, 0.1), of(2, 4, 0.1, 0.1)],
    });
    expect(observations.map(({ metrics }) => metrics['ndcg@10'])).toEqual([0.7, 0.7]);
    expect(tuning.configurations.map(({ tried, best }) => [tried, best['learningRate']])).toEqual([
      [2, 2],
      [3, 2],
    ]);
    expect(tuning.edges).toMatchObject([{ end: 'largest', value: 2, won: 1, of: 2 }]);
    expect(tuning.notes.join('\n')).toMatch(/3 settings ended early by successive halving/);
  });

  it('leaves other settings apart: a law each', () => {
    const runs = [1, 2].flatMap((rate) =>
      ['a', 'b'].map((model) => ({ ...of(1, rate, rate, rate), config: { learningRate: rate, model } })),
    );
    const { observations } = tune(runs);
    expect(panelsOf(observations).map(({ group }) => group)).toEqual([{ model: 'a' }, { model: 'b' }]);
  });

  it('may be any of a random search, of which nothing tells the noise', () => {
    const random = createRandom('search');
    const runs = sizes.flatMap(({ layers, dim }) =>
      Array.from({ length: 6 }, () => run(layers, dim, bestRate(dim) * Math.exp(random.normal()), 0, QUIET)),
    );
    const { observations, tuning } = tune(runs);
    expect(observations.length).toBe(sizes.length);
    expect(observations.every(({ optimism }) => optimism === undefined)).toBe(true);
    expect(tuning.notes.join('\n')).toMatch(/seeds, or more sizes, would tell/);
    expect(Math.abs(tuning.moves[0]!.powers.dim!.power + 1)).toBeLessThan(0.25);
  });

  it('does not depend on the order of the runs', () => {
    const runs = sizes.flatMap(({ layers, dim }) =>
      RATES.flatMap((rate) => [1, 2].map((seed) => run(layers, dim, rate, seed, { seed: 0.01, own: 0.01 }))),
    );
    const chosen = (list: Observation[]) =>
      tune(list)
        .observations.map((one) => JSON.stringify(one.metrics))
        .sort();
    const expected = chosen(runs);
    fc.assert(
      fc.property(fc.shuffledSubarray(runs, { minLength: runs.length, maxLength: runs.length }), (list) => {
        expect(chosen(list)).toEqual(expected);
      }),
      { numRuns: 10 },
    );
  });

  it.each([
    [['ndcg@10', 'validation:ndcg@10', 'validation:hr@10'], 'ndcg@10', 'validation:ndcg@10'],
    [['hr@10', 'val_loss', 'validation:hr@10'], 'HR@10', 'validation:hr@10'],
    [['loss', 'val_loss'], 'loss', 'val_loss'],
    [['validation:hr@10', 'hr@10'], 'validation:hr@10', 'validation:hr@10'],
    [['hr@10', 'unmasked:hr@10', 'validation:hr@10'], 'unmasked:hr@10', 'validation:hr@10'],
    [['hr@10', 'validation:ndcg@10'], 'hr@10', undefined],
  ])('of %j, for %s, %s chooses', (names, metric, expected) => {
    const metrics = Object.fromEntries(names.map((name) => [name, 0.5]));
    expect(selectingMetric([{ slice: 'all', layers: 1, dim: 1, metrics }], metric)).toBe(expected);
  });

  it('is chosen by what a sweep selected on, whatever is fitted', () => {
    const one = { ...of(1, 1, 1, 1), config: { select: 'ndcg@10' } };
    expect(selectingMetric([one], 'loss')).toBe('validation:ndcg@10');
  });
});

describe('the optimism of choosing', () => {
  /** Settings that are all alike: whatever the best of them leads by is luck. */
  const alike = (count: number, noise: Noise, seeds: number, draw: number): Observation[] =>
    sizes.flatMap(({ layers, dim }) =>
      Array.from({ length: count }, (_, j) => j).flatMap((j) =>
        Array.from({ length: seeds }, (_, seed) => {
          const random = createRandom('alike', draw, layers, dim, j, seed);
          const value = law(layers, dim) + noise.seed * random.normal();
          return {
            slice: 'all',
            layers,
            dim,
            seed,
            metrics: {
              'ndcg@10': value + noise.own * random.normal(),
              'validation:ndcg@10': value + noise.own * random.normal(),
            },
            config: { learningRate: j + 1 },
          };
        }),
      ),
    );
  const average = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const flattered = (observations: Observation[]) =>
    average(observations.map(({ layers, dim, metrics }) => metrics['ndcg@10']! - law(layers, dim)));
  const expected = (observations: Observation[]) =>
    average(observations.map(({ optimism }) => optimism!.mean));

  it.each([
    ['the noise is the seed’s and there are repeats', { seed: 0.01, own: 0.002 }, 3],
    ['the noise is the seed’s and there are none', { seed: 0.01, own: 0.002 }, 1],
    ['half of the noise is not shared', { seed: 0.01, own: 0.01 }, 1],
    ['nothing is shared between validation and test', { seed: 0, own: 0.01 }, 3],
  ])('is what it is where %s', (_, noise, seeds) => {
    const all = [0, 1, 2, 3].map((draw) => tune(alike(6, noise, seeds, draw)).observations);
    const told = average(all.map(expected));
    const true_ = average(all.map(flattered));
    // 20 configurations four times over: the truth itself is known to about a tenth of the noise
    expect(Math.abs(told - true_)).toBeLessThan(0.0025);
    if (noise.seed > 0) expect(told).toBeGreaterThan(0.5 * true_);
  });

  it('is none where one setting is far ahead', () => {
    const noise = { deviation: 0.001, shared: 1, from: 'repeats' } as const;
    const one = (value: number) => ({ chosenBy: [value], read: [value] });
    const far = { layers: 1, dim: 1, settings: ['a', 'b'], candidates: [one(0.1), one(0.5)] };
    expect(optimismOf(far, noise, 1, 'k')).toEqual({ mean: 0, spread: 0 });
    const near = { ...far, candidates: [one(0.1), one(0.1)] };
    // the larger of two normal values lies 1/sqrt(pi) deviations above their mean
    expect(optimismOf(near, noise, 1, 'k').mean).toBeCloseTo(0.001 / Math.sqrt(Math.PI), 4);
    expect(optimismOf(near, noise, -1, 'k').mean).toBeCloseTo(-0.001 / Math.sqrt(Math.PI), 4);
  });

  it('tells the noise of a run from the effect of settings that move with the size', () => {
    const runs = sizes.map(({ layers, dim }) => {
      const own = RATES.map((rate) => run(layers, dim, rate, 0, { seed: 0.003, own: 0 }));
      const candidates = own.map(({ metrics }) => ({
        chosenBy: [metrics['ndcg@10']!],
        read: [metrics['ndcg@10']!],
      }));
      return { layers, dim, settings: RATES.map(String), candidates };
    });
    const noise = selectionNoise(runs)!;
    expect(noise.from).toBe('layout');
    expect(noise.deviation).toBeGreaterThan(0.002);
    expect(noise.deviation).toBeLessThan(0.004);
    expect(selectionNoise(runs.slice(0, 1))).toBeUndefined();
  });

  it('is in the interval of a new run and in no value: runs that nobody chose lie inside as often as promised', async () => {
    const noise = { seed: 0.01, own: 0 };
    const inside = { with: 0, without: 0 };
    let all = 0;
    for (let draw = 0; draw < 20; draw++) {
      const { observations } = tune(alike(8, noise, 1, draw));
      const { points } = toPoints(observations, 'ndcg@10');
      const plain = points.map(({ optimism: _, ...point }) => point);
      const options = { resamples: 200, threads: 1, seed: draw };
      const fit = fitPoints(points, 'ndcg@10', { form: 'quadratic-log' });
      expect(fit.predict({ layers: 2, dim: 64 })).toBe(
        fitPoints(plain, 'ndcg@10', { form: 'quadratic-log' }).predict({ layers: 2, dim: 64 }),
      );
      const tuned = await bootstrap(fit, options);
      const other = await bootstrap(fitPoints(plain, 'ndcg@10', { form: 'quadratic-log' }), options);
      const random = createRandom('new runs', draw);
      for (const at of sizes) {
        const value = law(at.layers, at.dim) + noise.seed * random.normal();
        const holds = ([low, high]: [number | null, number | null]) => value >= low! && value <= high!;
        all++;
        if (holds(predictWithInterval(tuned, at).interval)) inside.with++;
        if (holds(predictWithInterval(other, at).interval)) inside.without++;
      }
    }
    await closeThreads();
    expect(inside.with / all).toBeGreaterThan(0.82);
    expect(inside.without / all).toBeLessThan(0.6);
  });
});
