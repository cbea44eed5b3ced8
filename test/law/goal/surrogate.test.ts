/** What is believed of runs not yet made: exact where measured, unsure elsewhere, alike across slices and settings. */
import { expect, it } from 'vitest';
import { fitSurrogate, type Place, scalesOf } from '../../../src/law/goal/surrogate.js';

const place = (layers: number, dim: number, more: Partial<Place> = {}): Place => ({
  layers,
  dim,
  slice: 'a',
  ...more,
});
const grid = [1, 2, 4, 8].flatMap((layers) => [16, 32, 64, 128].map((dim) => place(layers, dim)));
const metric = ({ layers, dim }: Place) => 0.1 * dim ** 0.1 * layers ** 0.02;

it('follows what was measured, and is surer there than elsewhere', () => {
  const scales = scalesOf(grid);
  const told = grid.filter(({ dim }) => dim < 128).map((one) => ({ place: one, values: [metric(one)] }));
  const surrogate = fitSurrogate(told, scales, 1);
  const mean = surrogate.mean(grid);
  grid.forEach((one, i) => {
    expect(Math.abs(mean[i]! - Math.log(metric(one)))).toBeLessThan(one.dim < 128 ? 0.01 : 0.06);
  });
  const covariance = surrogate.covariance(grid, grid);
  const at = (layers: number, dim: number) => {
    const i = grid.findIndex((one) => one.layers === layers && one.dim === dim);
    return covariance[i]![i]!;
  };
  expect(at(4, 128)).toBeGreaterThan(2 * at(4, 64));
  for (let i = 0; i < grid.length; i++)
    for (let j = 0; j < i; j++) expect(covariance[i]![j]).toBeCloseTo(covariance[j]![i]!, 10);
});

it('knows the noise of a run from repeats', () => {
  const told = grid.map((one, i) => ({
    place: one,
    values: [-1, 1, i % 2 ? 1 : -1].map((way) => metric(one) * Math.exp(0.03 * way)),
  }));
  expect(fitSurrogate(told, scalesOf(grid), 1).noise).toBeGreaterThan(0.02);
  expect(fitSurrogate(told, scalesOf(grid), 1).noise).toBeLessThan(0.05);
});

it('learns of a large slice from a small one, the more the nearer', () => {
  const at = (tokens: number) => grid.map((one) => ({ ...one, slice: `s${tokens}`, tokens }));
  const pool = [...at(1e5), ...at(1e6), ...at(1e8)];
  const told = at(1e5).map((one) => ({ place: one, values: [metric(one)] }));
  const surrogate = fitSurrogate(told, scalesOf(pool), 1);
  const difference = (tokens: number) => {
    const two = [
      place(2, 16, { slice: `s${tokens}`, tokens }),
      place(2, 128, { slice: `s${tokens}`, tokens }),
    ];
    const [a, b] = surrogate.mean(two);
    const c = surrogate.covariance(two, two);
    return { rise: b! - a!, variance: c[0]![0]! + c[1]![1]! - 2 * c[0]![1]! };
  };
  const true1 = Math.log(metric(place(2, 128)) / metric(place(2, 16)));
  expect(difference(1e6).rise).toBeGreaterThan(0.5 * true1);
  expect(difference(1e6).variance).toBeLessThan(difference(1e8).variance);
});

it('takes a metric of 0 for very little, and a single run for what it is', () => {
  const surrogate = fitSurrogate([{ place: grid[0]!, values: [0] }], scalesOf(grid), 1);
  expect([...surrogate.mean(grid)].every(Number.isFinite)).toBe(true);
  const none = fitSurrogate([], scalesOf(grid), 1);
  expect(none.mean([place(8, 128)])[0]!).toBeGreaterThan(none.mean([place(1, 16)])[0]!);
  expect(fitSurrogate([], scalesOf(grid), -1).mean([place(8, 128)])[0]!).toBeLessThan(0);
});
