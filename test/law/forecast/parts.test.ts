/** The parts that a forecast is made of: places, curves, weights. */
import { describe, expect, it } from 'vitest';
import { carriedOver, distance, nearestPoints, stepsOf } from '../../../src/law/forecast/axes.js';
import { rollingFolds } from '../../../src/law/forecast/folds.js';
import { lastSlope, makePool, NEAREST } from '../../../src/law/forecast/pool.js';
import { fitProcess } from '../../../src/law/forecast/process.js';
import { fitRidge } from '../../../src/law/forecast/ridge.js';
import { makeStack } from '../../../src/law/forecast/stack.js';
import { normalHalfWidth, studentHalfWidth } from '../../../src/law/forecast/student.js';
import type { Point } from '../../../src/law/points/points.js';
import { createRandom } from '../../../src/util/random.js';

const AXES = ['layers', 'dim'] as const;
const point = (layers: number, dim: number, value: number): Point => ({
  slice: 'all',
  x: { layers, dim },
  value,
  runs: [value],
});
const grid = (layers: number[], dims: number[], value: (h: number, d: number) => number) =>
  layers.flatMap((h) => dims.map((d) => point(h, d, value(h, d))));

describe('places', () => {
  const points = grid([1, 2, 4], [16, 32, 64], (h, d) => h + d);

  it('are as far apart as the logarithms of their ratios together', () => {
    expect(distance({ layers: 1, dim: 16 }, { layers: 2, dim: 64 }, AXES)).toBeCloseTo(3 * Math.log(2), 12);
    expect(nearestPoints(points, { layers: 2, dim: 128 }, AXES).map(({ x }) => x)).toEqual([
      { layers: 2, dim: 64 },
    ]);
  });

  it('that are equally near are averaged', () => {
    const between = { layers: Math.SQRT2, dim: 16 };
    expect(nearestPoints(points, between, AXES)).toHaveLength(2);
    expect(carriedOver(points, between, AXES)).toBe(17.5);
  });

  it('make levels: near values together, one configuration alone with the next smaller', () => {
    const dims = [16, 32, 34, 64, 128];
    expect(
      stepsOf(
        grid([1, 2], dims, () => 0),
        'dim',
      ),
    ).toEqual([[16], [32, 34], [64], [128]]);
    const lone = [...grid([1, 2], [16, 32, 64], () => 0), point(1, 128, 0)];
    expect(stepsOf(lone, 'dim')).toEqual([[16], [32], [64, 128]]);
  });

  it('have a last slope, at equal places on the other axis alone', () => {
    const points = grid([1, 2], [16, 32, 64], (h, d) => 10 * h + 3 * Math.log(d));
    expect(lastSlope(points, 'dim', AXES)).toBeCloseTo(3, 10);
    expect(lastSlope([point(1, 16, 0), point(2, 32, 1)], 'dim', AXES)).toBeUndefined();
  });
});

describe('curves', () => {
  it('a process follows what is smooth, and carries the trend on', () => {
    const truth = (h: number, d: number) => 0.1 * Math.log(d) - 0.02 * Math.log(h / 4) ** 2;
    const process = fitProcess(grid([1, 2, 4, 8], [16, 32, 64, 128], truth), AXES)!;
    expect(process.at({ layers: 3, dim: 48 })).toBeCloseTo(truth(3, 48), 2);
    expect(process.at({ layers: 4, dim: 192 })).toBeGreaterThan(truth(4, 128));
    expect(
      fitProcess(
        grid([1, 2], [16, 32], () => 1),
        AXES,
      ),
    ).toBeUndefined();
    expect(
      fitProcess(
        grid([1, 2, 3], [16, 32], () => 1),
        AXES,
      ),
    ).toBeUndefined();
  });

  it('a process over three axes takes the noise of runs for noise, not for shape', () => {
    const deviation = 0.008;
    for (let seed = 0; seed < 4; seed++) {
      const random = createRandom('noise', seed);
      const points = [28, 43, 68, 97].flatMap((data) =>
        grid([1, 2, 3, 4], [8, 16, 24, 40], (h, d) => 0.01 * Math.log(d * data) + 0.004 * Math.log(h)).map(
          ({ x, value, ...rest }) => {
            const noisy = value + deviation * random.normal();
            return { ...rest, x: { ...x, data }, value: noisy, runs: [noisy] };
          },
        ),
      );
      const { noise } = fitProcess(points, [...AXES, 'data'])!;
      expect(noise / deviation).toBeGreaterThan(0.6);
      expect(noise / deviation).toBeLessThan(1.4);
    }
  });

  it('a ridge finds the one size that counts, and its turn beyond two values of an axis', () => {
    const u = (h: number, d: number) => Math.log(d) + 0.5 * Math.log(h);
    const truth = (h: number, d: number) => 0.3 - 0.02 * (u(h, d) - u(8, 64)) ** 2;
    const ridge = fitRidge(grid([1, 2, 4, 8, 16], [16, 32], truth), AXES)!;
    expect(ridge({ layers: 4, dim: 64 })).toBeCloseTo(truth(4, 64), 3);
    expect(fitRidge(grid([1, 2, 4, 8, 16, 32], [16], truth), AXES)).toBeUndefined();
  });
});

it("half-widths of Student's t are those of the tables", () => {
  for (const [freedom, at90, at99] of [
    [1, 6.3138, 63.657],
    [2, 2.92, 9.9248],
    [3, 2.3534, 5.8409],
    [5, 2.015, 4.0321],
    [10, 1.8125, 3.1693],
    [60, 1.6706, 2.6603],
  ] as const) {
    expect(studentHalfWidth(0.9, freedom) / at90).toBeCloseTo(1, 3);
    expect(studentHalfWidth(0.99, freedom) / at99).toBeCloseTo(1, 3);
  }
  expect(normalHalfWidth(0.95)).toBeCloseTo(1.959964, 6);
  expect(normalHalfWidth(0.5)).toBeCloseTo(0.67449, 5);
});

describe('the stack', () => {
  const options = { metric: 'hr@10', forms: ['log-linear', 'quadratic-log'] as const, axes: AXES };
  const straight = grid(
    [1, 2, 4, 8],
    [8, 16, 32, 64, 128],
    (h, d) => 0.02 * Math.log(h) + 0.03 * Math.log(d),
  );

  it('gives its weight to what predicted the levels, and none to the nearest run where that failed', () => {
    const folds = AXES.flatMap((axis) => rollingFolds(straight, axis, options));
    expect(folds.map(({ axis, level }) => [axis, level])).toEqual([
      ['layers', 4],
      ['layers', 8],
      ['dim', 32],
      ['dim', 64],
      ['dim', 128],
    ]);
    const stack = makeStack(folds, AXES);
    const pool = makePool(straight, options);
    const { weights, folds: tried, value } = stack.at(pool.at({ layers: 8, dim: 256 }), [0, Math.log(2)]);
    expect(tried).toBe(3);
    expect([...weights.values()].reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    expect(weights.get(NEAREST)!).toBeLessThan(0.01);
    // three quarters of the stack, and a quarter of those that expect half
    const [near, truth] = [
      0.02 * Math.log(8) + 0.03 * Math.log(128),
      0.02 * Math.log(8) + 0.03 * Math.log(256),
    ];
    expect((value - near) / (truth - near)).toBeGreaterThan(0.8);
    expect((value - near) / (truth - near)).toBeLessThan(1.01);
  });

  it('believes half of a rise where nothing was tried', () => {
    const few = straight.filter(({ x }) => x.dim! <= 16);
    const folds = AXES.flatMap((axis) => rollingFolds(few, axis, options));
    const stack = makeStack(folds, AXES);
    const said = makePool(few, options).at({ layers: 4, dim: 32 });
    const near = said.get(NEAREST)!;
    const { value, folds: tried } = stack.at(said, [0, Math.log(2)]);
    expect(tried).toBe(0);
    expect((value - near) / (0.03 * Math.log(2))).toBeCloseTo(0.5, 1);
  });

  it('lets no candidate rise faster than twice what was measured', () => {
    const pool = makePool(straight, options);
    const spread = pool.ground.spread;
    for (const value of pool.at({ layers: 8, dim: 128 * 16 }).values())
      expect(Math.abs(value - straight.at(-1)!.value)).toBeLessThanOrEqual(2 * spread + 1e-12);
  });
});
