import { describe, expect, it } from 'vitest';
import { fitLaw } from '../../../src/law/fitting/fit.js';
import { optimum } from '../../../src/law/fitting/optimum.js';
import type { Observation } from '../../../src/law/points/observation.js';
import { createRandom } from '../../../src/util/random.js';
import { ML1M } from '../panel-ml1m.js';

const row = (layers: number, dim: number, value: number, more: Partial<Observation> = {}): Observation => ({
  slice: 'all',
  layers,
  dim,
  metrics: { 'hr@10': value },
  source: `runs.csv:${layers}-${dim}`,
  ...more,
});
const grid = (layers: number[], dims: number[], value: (l: number, d: number) => number) =>
  layers.flatMap((l) => dims.map((d) => row(l, d, value(l, d))));
const rising = (l: number, d: number) =>
  0.1 + 0.01 * Math.log(l) + 0.02 * Math.log(d) - 0.001 * Math.log(d) ** 2;

describe('data that cannot carry the whole law', () => {
  it('is told how many configurations a form needs', () => {
    expect(() => fitLaw(grid([1, 2, 3], [16], rising).slice(0, 2), { form: 'log-linear' })).toThrow(
      /needs at least 3 configurations; there are 2/,
    );
    expect(() => fitLaw(grid([4, 8, 12], [25, 50, 75], rising).filter((_, i) => i % 2 === 0))).toThrow(
      /5 free numbers here and needs at least 6/,
    );
  });

  it('drops the term of a variable with one value, and says so', () => {
    const fit = fitLaw(grid([2], [16, 32, 64, 128, 256], rising));
    expect(Object.keys(fit.coefficients)).toEqual(["a'", 'w2', 'c']);
    expect(fit.notes.join()).toMatch(/only one value of layers: its term is dropped/);
    expect(optimum(fit).axes.layers).toEqual({ value: null, place: 'not fitted', beyond: null });
  });

  it('keeps a straight line where a variable has two values', () => {
    const fit = fitLaw(grid([1, 2], [16, 32, 64, 128], rising));
    expect(Object.keys(fit.coefficients)).toEqual(['w1 ln', "a'", 'w2', 'c']);
    expect(fit.notes.join()).toMatch(/only 2 values of layers: a is not identifiable/);
  });

  it('refuses metrics that are all equal, NaN or negative, by row', () => {
    expect(() => fitLaw(grid([1, 2, 4], [16, 32, 64], () => 0.25))).toThrow(/0.25 in every configuration/);
    const bad = (value: number) => [...grid([1, 2, 4], [16, 32, 64], rising), row(9, 9, value)];
    expect(() => fitLaw(bad(Number.NaN))).toThrow(expect.objectContaining({ place: 'runs.csv:9-9' }));
    expect(() => fitLaw(bad(-0.1))).toThrow(/hr@10 is -0.1/);
    expect(() => fitLaw([row(0, 16, 0.1), ...grid([1, 2, 4], [16, 32, 64], rising)])).toThrow(/layers is 0/);
  });

  it('names the metrics there are when another is asked for', () => {
    expect(() => fitLaw(ML1M, { metric: 'mrr@5' })).toThrow(
      expect.objectContaining({ remedy: 'There are hr@10.' }),
    );
  });

  it('counts copies of a run once, takes equal rows without a seed or an id as repeats, and says which', () => {
    const once = grid([1, 2, 4], [16, 32, 64], rising);
    const law = (observations: Observation[]) => fitLaw(observations, { form: 'log-linear' });
    const named = once.map((one, i) => ({ ...one, id: `run-${i}` }));
    const sown = once.map((one) => ({ ...one, seed: 3 }));
    for (const rows of [named, sown]) {
      const twice = law([...rows, rows[4]!]);
      expect(twice.notes.join()).toMatch(
        /1 row equals another in configuration, seed or id, and value: copies/,
      );
      expect(twice.runs).toBe(9);
      expect(twice.coefficients).toEqual(law(once).coefficients);
    }
    const repeated = law([...once, once[4]!, once[5]!]);
    expect(repeated.notes.join()).toMatch(/2 rows equal another .* no seed or id .*: taken as repeats/);
    expect(repeated.runs).toBe(11);
    expect(law([...named, { ...named[4]!, id: 'another' }]).runs).toBe(10);
    const seeded = fitLaw(
      once.flatMap((one) => [
        { ...one, seed: 0 },
        { ...one, seed: 1 },
      ]),
      { form: 'log-linear' },
    );
    expect(seeded.runs).toBe(18);
    expect(seeded.configurations).toBe(9);
    expect(seeded.notes).toEqual([]);
  });

  it('leaves out rows without the metric and says how many', () => {
    const fit = fitLaw([...grid([1, 2, 4], [16, 32, 64], rising), { ...row(3, 16, 0), metrics: {} }], {
      form: 'log-linear',
    });
    expect(fit.notes.join()).toMatch(/1 of 10 observations have no hr@10/);
  });
});

describe('weights, robustness, bounds', () => {
  it('weighs a configuration by its runs, as least squares over all runs does', () => {
    const random = createRandom('weights');
    const runs = grid([1, 2, 4, 8], [16, 32, 64], rising).flatMap((one, i) =>
      Array.from({ length: 1 + (i % 3) }, (_, seed) => ({
        ...one,
        seed,
        metrics: { 'hr@10': one.metrics['hr@10']! + 0.01 * random.normal() },
      })),
    );
    const fit = fitLaw(runs, { form: 'log-linear' });
    // the residuals of all runs are orthogonal to the columns
    for (const column of [
      () => 1,
      (o: Observation) => Math.log(o.layers),
      (o: Observation) => Math.log(o.dim),
    ]) {
      const sum = runs.reduce(
        (total, o) =>
          total + column(o) * (o.metrics['hr@10']! - fit.predict({ layers: o.layers, dim: o.dim })),
        0,
      );
      expect(sum).toBeCloseTo(0, 10);
    }
  });

  it('is pulled less by an outlier with Huber', () => {
    const spoilt = ML1M.map((one, i) => (i === 13 ? { ...one, metrics: { 'hr@10': 0.2 } } : one));
    const plain = fitLaw(spoilt, { form: 'quadratic-log' });
    const robust = fitLaw(spoilt, { form: 'quadratic-log', huber: 'auto' });
    const clean = fitLaw(ML1M, { form: 'quadratic-log' });
    const distance = (fit: typeof clean) =>
      Math.max(
        ...ML1M.map(({ layers, dim }) =>
          Math.abs(fit.predict({ layers, dim }) - clean.predict({ layers, dim })),
        ),
      );
    expect(distance(robust)).toBeLessThan(0.25 * distance(plain));
  });

  it('equals least squares where the threshold is wide', () => {
    const wide = fitLaw(ML1M, { huber: 10 });
    expect(wide.r2).toBeCloseTo(fitLaw(ML1M).r2, 10);
  });

  it('keeps exponents and weights within bounds', () => {
    const held = fitLaw(ML1M, { bounds: { a: [-0.2, -0.1], w2: [0, 1] } });
    expect(held.coefficients['a']).toBeGreaterThanOrEqual(-0.2);
    expect(held.coefficients['a']).toBeLessThanOrEqual(-0.1);
    expect(held.coefficients['w2']).toBeGreaterThanOrEqual(0);
    expect(held.coefficients['w2']).toBeLessThanOrEqual(1 + 1e-9);
    expect(held.r2).toBeLessThan(fitLaw(ML1M).r2);
    expect(() => fitLaw(ML1M, { bounds: { q: [0, 1] } })).toThrow(/no coefficient "q"/);
  });
});

describe('the optimum', () => {
  it('of the ML-1M panel is H* = 14.3, d* = 64.2', () => {
    const found = optimum(fitLaw(ML1M));
    expect(found.layers).toBeCloseTo(14.3, 1);
    expect(found.dim).toBeCloseTo(64.2, 1);
    expect(found.axes.dim).toMatchObject({ place: 'inside', beyond: 1 });
    expect(found.predicted).toBeCloseTo(0.317, 2);
  });

  it('does not exist for a law that only rises', () => {
    const found = optimum(fitLaw(grid([1, 2, 4], [16, 32, 64], rising), { form: 'log-linear' }));
    expect(found).toMatchObject({ layers: null, dim: null, predicted: null });
    expect(found.axes.dim?.place).toBe('rises');
  });

  it('is none where the equation has its maximum beyond what could be built, or a minimum', () => {
    const curve = (b1: number, b2: number) => (layers: number, dim: number) =>
      0.3 +
      0.01 * Math.log(layers) -
      0.004 * Math.log(layers) ** 2 +
      b1 * Math.log(dim) +
      b2 * Math.log(dim) ** 2;
    const places = (b1: number, b2: number, form: string) => {
      const { axes, predicted } = optimum(
        fitLaw(grid([1, 2, 4, 8], [16, 32, 64, 128], curve(b1, b2)), { form }),
      );
      return { dim: axes.dim!.place, value: axes.dim!.value, layers: axes.layers!.place, predicted };
    };
    for (const form of ['quadratic-log', 'quadratic-log-cross']) {
      // dim has its maximum at exp(20), its minimum at exp(20), and its maximum at exp(-20)
      expect(places(0.04, -0.001, form)).toMatchObject({ dim: 'rises', value: null, predicted: null });
      expect(places(-0.04, 0.001, form)).toMatchObject({ dim: 'falls', value: null, layers: 'inside' });
      expect(places(-0.04, -0.001, form)).toMatchObject({ dim: 'falls', value: null });
      // at exp(6.2), four times beyond, and at exp(7.6), fifteen times
      expect(places(0.062, -0.005, form)).toMatchObject({ dim: 'outside' });
      expect(places(0.076, -0.005, form)).toMatchObject({ dim: 'rises', layers: 'inside' });
    }
  });

  it('is the highest that was measured, along the axis that has one, where the cross term bends away', () => {
    // a saddle: ln H ln d outweighs both squares
    const saddle = (layers: number, dim: number) =>
      0.2 -
      0.004 * (Math.log(layers) - 1) ** 2 -
      0.001 * Math.log(dim / 16) ** 2 +
      0.01 * Math.log(layers) * Math.log(dim / 16);
    const { axes } = optimum(
      fitLaw(grid([1, 2, 4, 8], [16, 32, 64, 128], saddle), { form: 'quadratic-log-cross' }),
    );
    expect([axes.layers!.place, axes.dim!.place]).toEqual(['rises', 'rises']);
  });
});
