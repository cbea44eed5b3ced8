/** Slices tell each other, and data is an axis. */
import { describe, expect, it } from 'vitest';
import { makeForecaster } from '../../../src/law/forecast/forecast.js';
import { SLICES } from '../../../src/law/forecast/pool.js';
import { fitSlices } from '../../../src/law/forecast/slices.js';
import type { Observation } from '../../../src/law/points/observation.js';
import { type Panel, type Point, panelsOf, toPoints } from '../../../src/law/points/points.js';
import { predict } from '../../../src/law/predict/predict.js';
import { FORECAST, holdOut } from '../../../src/law/trust/holdout.js';

const AXES = ['layers', 'dim'] as const;
const TOKENS: Record<string, number> = { quarter: 2.5e5, half: 5e5, all: 1e6 };
const value = (slice: string, layers: number, dim: number) =>
  0.2 +
  0.03 * Math.log(TOKENS[slice]! / 1e6) -
  0.3 / Math.sqrt(dim) -
  0.05 / layers +
  2e-4 * Math.sin(7 * layers + dim);
const observations = (slices: string[], dims: number[]): Observation[] =>
  slices.flatMap((slice) =>
    [1, 2, 4].flatMap((layers) =>
      dims.map((dim) => ({
        slice,
        layers,
        dim,
        params: 1000 * dim + 12 * layers * dim * dim,
        flops: TOKENS[slice]! * 72 * layers * dim * dim,
        tokens: TOKENS[slice]!,
        metrics: { 'hr@10': value(slice, layers, dim) },
      })),
    ),
  );
const pointsOf = (list: Observation[]): Point[] => toPoints(list, 'hr@10').points;

describe('other slices', () => {
  const own = pointsOf(observations(['all'], [16, 32]));
  const others = pointsOf(observations(['quarter', 'half'], [16, 32, 64]));

  it('tell what they were measured at, and nothing else', () => {
    const told = fitSlices(own, others, AXES)!;
    expect(told({ layers: 4, dim: 64 })!).toBeCloseTo(value('all', 4, 64), 2);
    expect(told({ layers: 4, dim: 128 })).toBeUndefined();
    expect(fitSlices(own.slice(0, 2), others, AXES)).toBeUndefined();
  });

  it('open an axis of two values as far as they reach', () => {
    const options = { metric: 'hr@10', forms: ['log-linear'], axes: AXES };
    expect(makeForecaster(own, options).isOpen({ layers: 4, dim: 64 })).toBe(false);
    const told = makeForecaster(own, { ...options, others });
    expect(told.isOpen({ layers: 4, dim: 64 })).toBe(true);
    expect(told.isOpen({ layers: 4, dim: 128 })).toBe(false);
    expect(told.at({ layers: 4, dim: 64 }).said.has(SLICES)).toBe(true);
  });
});

describe('levels of other slices', () => {
  const options = { metric: 'hr@10', forms: ['log-linear'], axes: AXES };
  const own = pointsOf(observations(['all'], [16, 32, 64]));
  const beyond = { layers: 4, dim: 128 };

  it('count half: two slices with a level each make one level of the slice itself two', () => {
    const others = pointsOf(observations(['quarter', 'half'], [16, 32, 64]));
    const [alone, one, two] = [[], others.filter(({ slice }) => slice === 'half'), others].map((some) =>
      makeForecaster(own, { ...options, others: some }),
    );
    const dim = AXES.indexOf('dim');
    expect([alone, one, two].map((made) => [made!.tried[dim], made!.triedElsewhere[dim]])).toEqual([
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
    expect([alone, one, two].map((made) => made!.at(beyond).calibrated)).toEqual([false, false, true]);
    const width = (made: typeof alone) => made!.at(beyond).interval[1] - made!.at(beyond).interval[0];
    expect(width(two)).toBeLessThan(width(alone));
  });

  it('open no axis of two values: what lies beyond it must have been tried here', () => {
    const two = pointsOf(observations(['all'], [16, 32]));
    const others = pointsOf(observations(['quarter', 'half'], [16, 32, 64]));
    expect(makeForecaster(two, { ...options, others }).isOpen(beyond)).toBe(false);
  });

  it('that lie where something is withheld are withheld too', async () => {
    const panels = panelsOf(observations(['half', 'all'], [16, 32, 64, 128]));
    const [half, all] = ['half', 'all'].map((name) => panels.find(({ slice }) => slice === name)!) as [
      Panel,
      Panel,
    ];
    const errors = async (others?: Point[]) => {
      const found = await holdOut(all, { metric: 'hr@10', split: 'dim', resamples: 20, threads: 1, others });
      return found.forms.find(({ form }) => form === FORECAST)!.runs.map(({ predicted }) => predicted);
    };
    const known = pointsOf(half.observations);
    const below = known.filter(({ x }) => x.dim! < 128);
    expect(await errors(known)).toEqual(await errors(below));
    expect(await errors(known)).not.toEqual(await errors());
  });
});

describe('data as an axis', () => {
  const all = observations(['quarter', 'half', 'all'], [16, 32, 64, 128]);
  const options = { resamples: 50, threads: 1 };

  it('predicts a slice larger than any, at its cost', async () => {
    const now = await predict(all, { ...options, slice: 'all', budget: { params: 1e6 } });
    const more = await predict(all, { ...options, budget: { params: 1e6 }, times: 4 });
    expect(more.tokens).toBe(4e6);
    expect(more.best.predicted).toBeGreaterThan(now.best.predicted);
    expect(more.best.predicted).toBeLessThan(0.35);
    expect(more.forecast.tried.data).toBe(1);
    const { layers, dim } = more.best;
    expect(more.best.flops! / (4e6 * 72 * layers * dim ** 2)).toBeCloseTo(1, 1);
    expect(more.best.measured).toBeNull();
    const tokens = await predict(all, { ...options, budget: { params: 1e6 }, tokens: 4e6 });
    expect(tokens.best).toEqual(more.best);
  });

  it('is refused where slices of too few sizes were measured', async () => {
    const two = all.filter(({ slice }) => slice !== 'half');
    await expect(predict(two, { ...options, budget: { params: 1e6 }, times: 4 })).rejects.toThrow(/2 sizes/);
    const bare = all.map(({ tokens: _, ...rest }) => rest);
    await expect(predict(bare, { ...options, budget: { params: 1e6 }, times: 4 })).rejects.toThrow(/tokens/);
  });

  it('is what a budget of FLOPs may be spent on, unless one slice was asked for', async () => {
    const shared = await predict(all, { ...options, budget: { flops: 1e12 } });
    expect(new Set(shared.frontier.map(({ slice }) => slice)).size).toBeGreaterThan(1);
    expect(shared.best.share).toBeLessThanOrEqual(1);
    expect(shared.notes.join()).toMatch(/more and less of the same data/);
    const one = await predict(all, { ...options, slice: 'half', budget: { flops: 1e12 } });
    expect(one.frontier.every(({ slice }) => slice === 'half')).toBe(true);
  });
});
