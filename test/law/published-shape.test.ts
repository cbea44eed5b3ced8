/**
 * Panels like the published ones (four to six values of layers and of dim, four digits), smooth and not: peaks inside and
 * outside, exponents of either sign, weights of either sign, one level that stands out, flat ones with nothing but noise.
 */
import { describe, expect, it } from 'vitest';
import { fitLaw } from '../../src/law/fitting/fit.js';
import type { Observation } from '../../src/law/points/observation.js';
import { createRandom } from '../../src/util/random.js';
import { bruteForceOptimum } from './brute-force.js';

const PANELS = Number(process.env['PERFLAW_LAWS'] ?? 20);
const g = (x: number, a: number) => -1 / (2 * x ** a) - a * Math.log(x);

/** A column scaled to [0, 1]. */
function unit(values: number[]): number[] {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return values.map((value) => (value - min) / (max - min || 1));
}

function panel(index: number): Observation[] {
  const random = createRandom('published-shape', index);
  const pick = <T>(list: T[]) => list[random.int(list.length)]!;
  const layers = pick([
    [4, 8, 12, 16, 24, 32],
    [4, 8, 16, 32],
    [1, 2, 4, 8],
    [2, 4, 6, 8, 12, 16],
  ]);
  const dims = pick([
    [25, 50, 75, 100],
    [32, 64, 128, 256],
    [16, 32, 64, 128, 256],
    [50, 75, 100, 150],
  ]);
  const size = () => (random.uniform() < 0.8 ? 0.06 : -0.06) * random.uniform();
  const exponent = () => (random.uniform() < 0.5 ? -1 : 1) * 0.01 * 2000 ** random.uniform();
  const levels = (values: number[]) => values.map(() => 0.01 * random.normal());
  const byKind: ((values: number[]) => number[])[] = [
    (values) => {
      const peak = Math.log(pick([2, 10, 20, 64, 90, 1000]));
      const height = size();
      return unit(values.map((x) => -((Math.log(x) - peak) ** 2))).map((share) => height * share);
    },
    (values) => {
      const [height, a] = [size(), exponent()];
      return unit(values.map((x) => g(x, a))).map((share) => height * share);
    },
    levels,
    (values) => values.map(() => 0),
    (values) => values.map((x, i) => 0.02 * Math.log(x) - (i === values.length - 1 ? 0.01 : 0)),
  ];
  const part = byKind[index % byKind.length]!;
  const [rows, columns] = [part(layers), part(dims)];
  const noise = pick([3e-4, 1e-3, 2e-3, 5e-3]) * (index % 5 === 0 && random.uniform() < 0.3 ? 0 : 1);
  return layers.flatMap((l, i) =>
    dims.map((d, j) => ({
      slice: 'all',
      layers: l,
      dim: d,
      metrics: {
        'hr@10': Number(Math.max(0, 0.3 + rows[i]! + columns[j]! + noise * random.normal()).toFixed(4)),
      },
    })),
  );
}

describe('tables of the published shape', () => {
  it(`are fitted to the global optimum, ${PANELS} of them`, () => {
    const worse: string[] = [];
    for (let index = 0; index < PANELS; index++) {
      const observations = panel(index);
      const { sse, coefficients } = fitLaw(observations, { form: 'performance-law' });
      const brute = bruteForceOptimum(observations, 'hr@10');
      if (!(sse <= brute * (1 + 1e-6) + 1e-13)) worse.push(`panel ${index}: ${sse} against ${brute}`);
      for (const [name, value] of Object.entries(coefficients))
        if (!Number.isFinite(value)) worse.push(`panel ${index}: ${name} is ${value}`);
    }
    expect(worse).toEqual([]);
  }, 3_600_000);

  it('follow the textbook equation with the coefficients given, also where the law is a straight line in the logarithm', () => {
    for (const noise of [0, 1e-12]) {
      const straight = [4, 8, 12, 16].flatMap((layers, i) =>
        [25, 50, 75, 100].map((dim, j) => ({
          slice: 'all',
          layers,
          dim,
          metrics: {
            'hr@10': 0.1 + 0.02 * Math.log(layers) - 0.01 * Math.log(dim) + noise * (i === j ? 1 : -1),
          },
        })),
      );
      const fit = fitLaw(straight, { form: 'performance-law' });
      const { a, w1, w2, c } = fit.coefficients as Record<string, number>;
      for (const { layers, dim, metrics } of straight)
        expect(w1! * g(layers, a!) + w2! * g(dim, fit.coefficients["a'"]!) + c!).toBeCloseTo(
          metrics['hr@10']!,
          7,
        );
    }
  });
});
