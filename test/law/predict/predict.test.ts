import { describe, expect, it } from 'vitest';
import { calibrate, SIZE_PARTS } from '../../../src/law/calibrate.js';
import { costModel } from '../../../src/law/cost.js';
import { fitLaw } from '../../../src/law/fitting/fit.js';
import { FORM_NAMES } from '../../../src/law/forms/forms.js';
import type { Observation } from '../../../src/law/points/observation.js';
import { budgetLine, enumerateCandidates, use, withinBudget } from '../../../src/law/predict/candidates.js';
import type { Choice } from '../../../src/law/predict/choice.js';
import { predict } from '../../../src/law/predict/predict.js';
import { DEFAULT_MODEL } from '../../../src/model/config.js';
import { countParameters, trainingFlopsPerToken } from '../../../src/model/size.js';
import { createRandom } from '../../../src/util/random.js';

const ITEMS = 3416;
const TOKENS = 5e6;
const random = createRandom('predict');

/** A sweep that peaks at 3 layers and dim 64, with costs. */
const observations: Observation[] = ['half', 'all'].flatMap((slice, s) =>
  [1, 2, 4, 8].flatMap((layers) =>
    [16, 32, 64, 128].map((dim): Observation => {
      const shape = { ...DEFAULT_MODEL, layers, dim };
      const { total, nonEmbedding } = countParameters(shape, ITEMS);
      const flops = TOKENS * trainingFlopsPerToken(shape, ITEMS);
      const value =
        0.2 +
        0.05 * s -
        0.01 * Math.log(layers / 3) ** 2 -
        0.02 * Math.log(dim / 64) ** 2 +
        5e-4 * random.normal();
      return {
        slice,
        layers,
        dim,
        metrics: { 'ndcg@10': value },
        params: total,
        nonEmbeddingParams: nonEmbedding,
        flops,
        tokens: 1e5 * (s + 1),
        seconds: 20 + flops / 2e9,
        peakMemoryBytes: 1e8 + 40 * total,
        config: { model: 'mamba4rec', dState: 32 },
        source: `${slice}:${layers}-${dim}`,
      };
    }),
  ),
);
const source = { models: [DEFAULT_MODEL], numItems: ITEMS };
const options = { ...source, resamples: 100, threads: 1 };

describe('costs', () => {
  const cost = costModel(observations, source);

  it('count parameters exactly and FLOPs through the tokens trained on', () => {
    const shape = { ...DEFAULT_MODEL, layers: 3, dim: 96 };
    expect(cost.exact).toBe(true);
    expect(cost.params(shape)).toEqual(countParameters(shape, ITEMS));
    expect(cost.flops!(shape) / (TOKENS * trainingFlopsPerToken(shape, ITEMS))).toBeCloseTo(1, 10);
  });

  it('find the start-up time and the rate, and the memory', () => {
    const shape = { layers: 3, dim: 96 };
    expect(cost.seconds!(shape) / (20 + cost.flops!(shape) / 2e9)).toBeCloseTo(1, 2);
    const { total } = cost.params(shape)!;
    expect(cost.memoryBytes!(shape) / (1e8 + 40 * total)).toBeCloseTo(1, 1);
  });

  it('are calibrated on a column of parameters where the model is not known', () => {
    const own = costModel(observations, {});
    expect(own.exact).toBe(false);
    const { total } = own.params({ layers: 3, dim: 96 })!;
    expect(total / countParameters({ ...DEFAULT_MODEL, layers: 3, dim: 96 }, ITEMS).total).toBeCloseTo(1, 2);
    expect(own.notes.join()).toMatch(/fitted to the column params/);
  });

  it('need --items or such a column', () => {
    const bare = observations.map(({ params: _, ...rest }) => rest);
    expect(() => costModel(bare, {})).toThrow(
      expect.objectContaining({ remedy: expect.stringMatching(/--items N/) }),
    );
  });

  it('never take a negative part', () => {
    const shapes = [1, 2, 4].flatMap((layers) => [16, 64].map((dim) => ({ layers, dim })));
    const values = shapes.map(({ layers, dim }) => 7 * dim + 3 * layers * dim * dim);
    const fit = calibrate(shapes, values, SIZE_PARTS)!;
    expect(fit.worst).toBeLessThan(1e-6);
    expect(fit.at({ layers: 8, dim: 256 })).toBeCloseTo(7 * 256 + 3 * 8 * 256 ** 2, 0);
    expect(calibrate([shapes[0]!], [1], SIZE_PARTS)).toBeUndefined();
  });
});

describe('candidates', () => {
  const cost = costModel(observations, source);
  const candidates = enumerateCandidates(observations, cost);

  it('hold every measured configuration and reach beyond', () => {
    for (const { layers, dim, params } of observations)
      expect(candidates.find((one) => one.layers === layers && one.dim === dim)!.params).toBe(params);
  });

  it('lie no more than twice as deep and four times as wide as what was measured', () => {
    const most = (list: readonly { layers: number; dim: number }[], axis: 'layers' | 'dim') =>
      Math.max(...list.map((one) => one[axis]));
    expect(most(candidates, 'layers')).toBe(2 * most(observations, 'layers'));
    expect(most(candidates, 'dim')).toBe(4 * most(observations, 'dim'));
  });

  it('on the budget line fit, and no larger dim does', () => {
    const budget = { params: 500_000 };
    for (const one of budgetLine(candidates, budget)) {
      expect(use(one, budget)).toBeLessThanOrEqual(1);
      const larger = candidates.filter(({ layers, dim }) => layers === one.layers && dim > one.dim);
      expect(larger.every((other) => other.params > 500_000)).toBe(true);
    }
  });

  it('are refused with the smallest named when none fits', () => {
    expect(() => withinBudget(candidates, { params: 1000 })).toThrow(
      /no configuration fits 1.00k parameters: the smallest has layers 1, dim 8/,
    );
  });
});

describe('predict', () => {
  it('finds the optimum that the budget allows, on the slice with the most tokens', async () => {
    const found = await predict(observations, { ...options, budget: { params: 5e6 } });
    expect(found.slice).toBe('all');
    expect(found.otherSlices).toEqual(['half']);
    expect(found.best.layers).toBeGreaterThanOrEqual(2);
    expect(found.best.layers).toBeLessThanOrEqual(4);
    expect(Math.abs(found.best.dim - 64)).toBeLessThanOrEqual(16);
    expect(found.best.extrapolates).toBe(false);
    expect(found.best.interval[0]!).toBeLessThan(0.25);
    expect(found.best.interval[1]!).toBeGreaterThan(0.248);
    expect(found.optimum.layers!).toBeCloseTo(3, 0);
    expect(found.parametersExact).toBe(true);
    expect(found.because).toMatch(/withheld/);
  });

  it('keeps to a tight budget, and counts as asked', async () => {
    const total = await predict(observations, {
      ...options,
      form: 'quadratic-log',
      budget: { params: 150_000 },
    });
    expect(total.best.params).toBeLessThanOrEqual(150_000);
    expect(total.budgetLine!.params).toBeLessThanOrEqual(150_000);
    const outside = await predict(observations, {
      ...options,
      form: 'quadratic-log',
      budget: { params: 150_000, nonEmbedding: true },
    });
    expect(outside.best.nonEmbeddingParams!).toBeLessThanOrEqual(150_000);
    expect(outside.best.predicted).toBeGreaterThan(total.best.predicted);
  });

  it('obeys FLOPs, hours and memory together', async () => {
    const budget = { flops: 5e12, hours: 1, memoryBytes: 1.2e8 };
    const { best } = await predict(observations, { ...options, form: 'quadratic-log', budget });
    expect(best.flops!).toBeLessThanOrEqual(5e12);
    expect(best.seconds!).toBeLessThanOrEqual(3600);
    expect(best.memoryBytes!).toBeLessThanOrEqual(1.2e8);
  });

  it('names a smaller configuration that loses less than the interval', async () => {
    const { best, smallest } = await predict(observations, {
      ...options,
      form: 'quadratic-log',
      budget: { params: 5e6 },
    });
    expect(smallest.params).toBeLessThanOrEqual(best.params);
    expect(smallest.predicted).toBeGreaterThanOrEqual(best.interval[0]!);
  });

  it('says how far beyond the measured range an ever-rising law takes it', async () => {
    const rising = observations.map((one) => ({
      ...one,
      metrics: {
        'ndcg@10': one.metrics['ndcg@10']! / 100 + 0.05 * Math.log(one.dim) + 0.02 * Math.log(one.layers),
      },
    }));
    const found = await predict(rising, { ...options, form: 'log-linear', budget: { params: 2e6 } });
    expect(found.best.extrapolates).toBe(true);
    expect(found.best.beyond.layers * found.best.beyond.dim).toBeGreaterThan(1);
    expect(found.best.predicted).toBeGreaterThan(found.bestMeasuredRange!.interval[1]!);
    expect(found.best.believed).toBeGreaterThan(0.5);
    expect(found.best.calibrated).toBe(true);
    expect(found.forecast.tried).toEqual({ layers: 2, dim: 2 });
    expect(found.bestMeasuredRange!.extrapolates).toBe(false);
    expect(found.budgetLine!.predicted).toBeLessThanOrEqual(found.highest.predicted);
    const width = ({ interval: [low, high] }: Choice) => high! - low!;
    expect(width(found.best)).toBeGreaterThan(width(found.bestMeasuredRange!));
  });

  it('says of a deeper model than any measured that its training may not start, and of no other', async () => {
    const values = (of: (one: Observation) => number) =>
      observations.map((one) => ({ ...one, metrics: { 'ndcg@10': of(one) } }));
    const warning = /a deeper model may need a lower rate to start/;
    const deep = await predict(
      values(({ layers, dim }) => 0.1 + 0.05 * Math.log(layers) - 0.02 * Math.log(dim / 32) ** 2),
      { ...options, form: 'quadratic-log', budget: { params: 2e7 } },
    );
    expect(deep.best.beyond.layers).toBeGreaterThan(1);
    expect(deep.best.beyond.layers).toBeLessThanOrEqual(2);
    expect(deep.notes.join()).toMatch(warning);
    const wide = await predict(
      values(({ layers, dim }) => 0.1 + 0.05 * Math.log(dim) - 0.02 * Math.log(layers / 2) ** 2),
      { ...options, form: 'quadratic-log', budget: { params: 2e7 } },
    );
    expect(wide.best.beyond).toMatchObject({ layers: 1 });
    expect(wide.best.beyond.dim).toBeGreaterThan(1);
    expect(wide.notes.join()).not.toMatch(warning);
  });

  it('trains nothing beyond what was measured where the runs have stopped rising, whatever the form says', async () => {
    const found = await predict(observations, { ...options, form: 'log-linear', budget: { params: 2e6 } });
    expect(found.otherForms).toEqual([]);
    expect(found.best.extrapolates).toBe(false);
    expect(found.smallest.extrapolates).toBe(false);
    const { options: standing, sure, tolerance } = found.decision;
    expect(tolerance).toBeCloseTo(0.01 * found.highest.predicted, 12);
    const own = standing.find((one) => one.layers === found.best.layers && one.dim === found.best.dim)!;
    expect(own.within >= 0.9).toBe(sure);
    expect(own.within).toBeGreaterThanOrEqual(own.best);
    for (const { regret } of standing) expect(regret).toBeGreaterThanOrEqual(0);
  });

  it('takes a tolerance: the wider, the cheaper what is trained', async () => {
    const costs: number[] = [];
    for (const value of [1e-4, 2e-3, 2e-2]) {
      const { best, decision } = await predict(observations, {
        ...options,
        form: 'quadratic-log',
        budget: { params: 5e6 },
        tolerance: { value, relative: false },
      });
      expect(decision.tolerance).toBe(value);
      costs.push(best.flops!);
    }
    expect(costs).toEqual([...costs].sort((a, b) => b - a));
    expect(costs[2]).toBeLessThan(costs[0]!);
  });

  it('promises nothing beyond an axis of two values, and says which run would open it', async () => {
    const few = observations.filter(({ dim }) => dim > 32);
    const found = await predict(few, { ...options, form: 'log-linear', budget: { params: 5e7 } });
    expect(found.best.beyond.dim).toBe(1);
    expect(found.frontier.every(({ dim }) => dim <= 128)).toBe(true);
    expect(found.notes.join()).toMatch(/nothing beyond the measured range of dim is proposed/);
    expect(found.next).toMatchObject({ opens: 'dim', dim: 256, before: null });
  });

  it('draws a frontier: dearer is better, and no dearer than the budget', async () => {
    const { frontier } = await predict(observations, { ...options, budget: { flops: 5e12 } });
    expect(frontier.length).toBeGreaterThan(3);
    frontier.forEach((one, i) => {
      expect(one.flops!).toBeLessThanOrEqual(5e12);
      const before = frontier[i - 1];
      if (!before) return;
      expect(one.flops!).toBeGreaterThan(before.flops!);
      expect(one.predicted).toBeGreaterThan(before.predicted);
    });
  });

  it('proposes a next run that narrows the answer', async () => {
    const asked = { ...options, form: 'quadratic-log', budget: { params: 5e7 } };
    const rising = observations.map((one) => ({
      ...one,
      metrics: { 'ndcg@10': 0.1 + 0.02 * Math.log(one.layers * one.dim) + 0.002 * random.normal() },
    }));
    const { next } = await predict(rising, asked);
    expect(next!.after!).toBeLessThan(0.9 * next!.before!);
    expect(next!.price).toBeGreaterThan(0);
    expect(next!.params).toBeLessThanOrEqual(5e7);
    // where hardly anything is left to narrow, none
    const known = await predict(observations, { ...asked, budget: { params: 5e6 } });
    expect(known.next).toBeNull();
  });

  it('answers for every further setting that was varied, and takes the best', async () => {
    const wide = observations.map((one) => ({
      ...one,
      metrics: { 'ndcg@10': one.metrics['ndcg@10']! + 0.02 },
      config: { model: 'mamba4rec', dState: 64 },
    }));
    const found = await predict([...observations, ...wide], {
      ...options,
      models: [DEFAULT_MODEL, { ...DEFAULT_MODEL, dState: 64 }],
      form: 'quadratic-log',
      budget: { params: 5e6 },
    });
    expect(found.best.group).toEqual({ dState: 64 });
    expect(found.decision.options[0]!.group).toEqual({ dState: 64 });
    expect(found.groups.map(({ group }) => group)).toEqual([{ dState: 32 }, { dState: 64 }]);
    const shape = { ...DEFAULT_MODEL, dState: 64, layers: found.best.layers, dim: found.best.dim };
    expect(found.best.params).toBe(countParameters(shape, ITEMS).total);
  });

  it('says what the other forms expect, and what they would take', async () => {
    const found = await predict(observations, { ...options, budget: { params: 5e6 } });
    expect(found.otherForms.map(({ form }) => form).sort()).toEqual(
      FORM_NAMES.filter((form) => form !== found.form).sort(),
    );
    const own = observations.filter(({ slice }) => slice === found.slice);
    for (const { form, predicted, best } of found.otherForms) {
      const fit = fitLaw(own, { form });
      expect(predicted).toBeCloseTo(fit.predict(found.best), 12);
      expect(best.predicted).toBeGreaterThanOrEqual(predicted);
      expect(best.params).toBeLessThanOrEqual(5e6);
    }
    const alone = await predict(observations, { ...options, form: 'log-linear', budget: { params: 5e6 } });
    expect(alone.otherForms).toEqual([]);
  });

  it('says when the law has left what the metric can be', async () => {
    const high = observations.map((one) => ({
      ...one,
      metrics: { 'ndcg@10': 0.2 * Math.log(one.dim) + 1e-3 * Math.log(one.layers) },
    }));
    const found = await predict(high, { ...options, form: 'log-linear', budget: { params: 5e6 } });
    expect(found.best.predicted).toBe(1);
    expect(found.best.interval[1]).toBe(1);
    expect(found.notes.join()).toMatch(/the law itself says 1\.\d+, which ndcg@10 cannot be/);
  });

  it('refuses a slice never measured, a budget too small, and a limit that cannot be checked', async () => {
    await expect(
      predict(observations, { ...options, slice: 'tenth', budget: { params: 1e6 } }),
    ).rejects.toThrow(/slice "tenth" was never measured/);
    await expect(predict(observations, { ...options, budget: { params: 100 } })).rejects.toThrow(
      /no configuration fits/,
    );
    const bare = observations.map(({ seconds: _, ...rest }) => rest);
    await expect(predict(bare, { ...options, budget: { hours: 1 } })).rejects.toThrow(
      /no times were measured/,
    );
    await expect(predict([], { ...options, budget: { params: 1e6 } })).rejects.toThrow(/no results/);
  });
});

describe('configurations that are asked for', () => {
  it('are answered in their order, measured, inside or beyond, whether they fit the budget or not', async () => {
    const at = [
      { layers: 2, dim: 64 },
      { layers: 3, dim: 48 },
      { layers: 8, dim: 256 },
    ];
    const report = await predict(observations, { ...options, budget: { params: 300_000 }, at });
    expect(report.asked.map(({ layers, dim }) => ({ layers, dim }))).toEqual(at);
    const [measured, inside, beyond] = report.asked as [Choice, Choice, Choice];
    expect(measured.measured).not.toBeNull();
    expect(inside).toMatchObject({ measured: null, extrapolates: false });
    expect(inside.predicted).toBeCloseTo(
      0.25 - 0.01 * Math.log(3 / 3) ** 2 - 0.02 * Math.log(48 / 64) ** 2,
      2,
    );
    expect(beyond).toMatchObject({ extrapolates: true, beyond: { layers: 1, dim: 2 } });
    expect(beyond.params).toBeGreaterThan(300_000);
    const width = ({ interval: [low, high] }: Choice) => high! - low!;
    expect(width(beyond)).toBeGreaterThan(width(inside));
  });

  it('cost and expect what the answer says of the same configuration', async () => {
    const { best } = await predict(observations, { ...options, budget: { params: 500_000 } });
    const again = await predict(observations, { ...options, budget: { params: 500_000 }, at: [best] });
    expect(again.asked).toEqual([again.best]);
  });
});
