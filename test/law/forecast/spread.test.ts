/** How wide intervals are: what the levels that were tried say of it, and what they cannot. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { steepnessOf } from '../../../src/law/forecast/axes.js';
import type { Fold } from '../../../src/law/forecast/folds.js';
import { makeForecaster } from '../../../src/law/forecast/forecast.js';
import { type Ground, makePool, NEAREST } from '../../../src/law/forecast/pool.js';
import { CALIBRATION, makeSpread, missesOf } from '../../../src/law/forecast/spread.js';
import { makeStack } from '../../../src/law/forecast/stack.js';
import type { Point } from '../../../src/law/points/points.js';

const AXES = ['layers', 'dim'] as const;
const point = (layers: number, dim: number, value: number): Point => ({
  slice: 'all',
  x: { layers, dim },
  value,
  runs: [value],
});
const grid = (dims: number[], value: (h: number, d: number) => number) =>
  [1, 2, 4, 8].flatMap((h) => dims.map((d) => point(h, d, value(h, d))));

const far = [0, Math.log(2)];
const ground: Ground = { noise: 0.001, spread: 0.1, spans: [2, 2], steepness: [0.01, 0.03] };
const said = (nearest: number, process: number) =>
  new Map([
    [NEAREST, nearest],
    ['process', process],
    ['half-anchored process', (nearest + process) / 2],
  ]);
/** Levels of an axis on which the nearest run says 0, the process .02, and the truth is something else. */
const folds = (truths: number[], axis: 'layers' | 'dim' = 'dim', share = 1): Fold[] =>
  truths.map((truth, i) => ({
    axis,
    level: 2 ** i,
    trained: 9,
    share,
    ground,
    predicted: [
      {
        point: point(4, 2 ** i, truth),
        said: said(0, 0.02),
        beyond: axis === 'dim' ? far : [Math.log(2), 0],
      },
    ],
  }));
const factorOf = (tried: Fold[], beyond = far) => {
  const stack = makeStack(tried, AXES);
  const at = said(0.1, 0.12);
  return makeSpread(tried, stack, missesOf(tried, stack), AXES, ground, CALIBRATION).at(
    stack.at(at, beyond),
    at,
    beyond,
  );
};

describe('the factor of an interval', () => {
  it('is that of the calibration where nothing was tried', () => {
    expect(factorOf([]).factor).toBeCloseTo(CALIBRATION.factor, 12);
    expect(factorOf([]).noise).toBeCloseTo(ground.noise, 12);
  });

  it('falls where levels were met, and rises where they were missed', () => {
    const met = factorOf(folds([0.019, 0.019, 0.019]));
    const missed = factorOf(folds([0.019, -0.06, 0.08]));
    expect(met.factor).toBeLessThan(CALIBRATION.factor);
    expect(met.noise).toBeLessThan(ground.noise);
    expect(missed.factor).toBeGreaterThan(CALIBRATION.factor);
    expect(missed.variance).toBeGreaterThan(met.variance);
  });

  it('falls no lower than luck can be told from skill, however well the levels were met', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 8 }), (own, elsewhere) => {
        const tried = [
          ...folds(new Array(own).fill(0.0195)),
          ...folds(new Array(elsewhere).fill(0.0195), 'dim', 0.5),
        ];
        const { levels, factor } = CALIBRATION;
        const least = Math.sqrt(levels / (levels + own + elsewhere / 2)) * factor;
        expect(factorOf(tried).factor).toBeGreaterThanOrEqual(least - 1e-12);
      }),
    );
  });

  it('hears the other axis, all of it no louder than one level', () => {
    const many = factorOf(folds(new Array(40).fill(0.0195), 'layers')).factor;
    const { levels, factor } = CALIBRATION;
    expect(many).toBeLessThan(factor);
    expect(many).toBeGreaterThanOrEqual(Math.sqrt(levels / (levels + 1)) * factor - 1e-12);
  });

  it('hears levels of other slices half as much as own ones', () => {
    const miss = [0.06];
    const [own, elsewhere] = [factorOf(folds(miss)), factorOf(folds(miss, 'dim', 0.5))];
    expect(elsewhere.factor).toBeGreaterThan(CALIBRATION.factor);
    expect(own.factor).toBeGreaterThan(elsewhere.factor);
  });
});

describe('intervals', () => {
  const options = { metric: 'hr@10', forms: ['log-linear', 'quadratic-log'], axes: AXES };
  const width = (points: Point[]) => {
    const { interval } = makeForecaster(points, options).at({ layers: 8, dim: 256 });
    return interval[1] - interval[0];
  };
  const smooth = (h: number, d: number) => 0.2 + 0.01 * Math.log(h) + 0.02 * Math.log(d);
  const jumps = (h: number, d: number) => smooth(h, d) + (Math.log2(d) % 2 === 0 ? 0.02 : 0);

  it('are narrower where the levels followed from one another than where they jumped', () => {
    const dims = [8, 16, 32, 64, 128];
    expect(width(grid(dims, smooth))).toBeLessThan(width(grid(dims, jumps)) / 3);
  });

  it('narrow with every level that followed from the lower ones', () => {
    const widths = [3, 4, 5].map((count) => width(grid([8, 16, 32, 64, 128].slice(-count), smooth)));
    expect(widths).toEqual([...widths].sort((a, b) => b - a));
  });
});

describe('steepness', () => {
  it('is the change along an axis alone, for every unit of its logarithm', () => {
    const points = grid([16, 32, 64], (h, d) => 0.5 * Math.log(h) - 0.25 * Math.log(d));
    expect(steepnessOf(points, 'layers', AXES)).toBeCloseTo(0.5, 12);
    expect(steepnessOf(points, 'dim', AXES)).toBeCloseTo(0.25, 12);
    expect(steepnessOf([point(1, 16, 0), point(2, 32, 1)], 'dim', AXES)).toBeUndefined();
  });

  it('bounds what candidates say of one axis, however much the metric changes along the other', () => {
    const flat = grid([16, 32, 64], (h, d) => 0.2 * Math.log(h) + 0.001 * Math.log(d));
    const pool = makePool(flat, { metric: 'hr@10', forms: ['performance-law', 'quadratic-log'], axes: AXES });
    const said = pool.at({ layers: 8, dim: 64 * 1024 });
    // ten octaves at twice the steepness; a tenth of the spread is free
    const most = 2 * Math.max(0.1 * pool.ground.spread, 0.001 * Math.log(1024));
    for (const value of said.values())
      expect(Math.abs(value - said.get(NEAREST)!)).toBeLessThanOrEqual(most + 1e-12);
  });
});
