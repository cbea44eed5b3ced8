import { describe, expect, it } from 'vitest';
import { fitLaw } from '../../../src/law/fitting/fit.js';
import { optimum } from '../../../src/law/fitting/optimum.js';
import type { Observation } from '../../../src/law/points/observation.js';
import { identifiability } from '../../../src/law/trust/identifiability.js';
import { createRandom } from '../../../src/util/random.js';
import { bruteForce, exponentGrid } from '../brute-force.js';
import { ML1M } from '../panel-ml1m.js';

const g = (x: number, a: number) => -1 / (2 * x ** a) - a * Math.log(x);

/** Laws simulated in the long run; a few in the everyday one. */
const LAWS = Number(process.env['PERFLAW_LAWS'] ?? 15);

function simulate(index: number): Observation[] {
  const random = createRandom('global-optimum', index);
  const pick = <T>(list: T[]) => list[random.int(list.length)]!;
  const layers = pick([
    [1, 2, 3],
    [1, 2, 4, 8],
    [4, 8, 12, 16, 24, 32],
    [2, 3, 5, 8, 13],
  ]);
  const dims = pick([
    [16, 32, 64],
    [25, 50, 75, 100],
    [32, 64, 128, 256, 512],
    [48, 64, 96],
  ]);
  // peaks inside, near and far from the grid, and exponents of either sign
  const exponent = () =>
    random.uniform() < 0.8
      ? -Math.LN2 / (Math.log(1.5) + random.uniform() * Math.log(3000))
      : random.uniform() * 2 - 1;
  const a = exponent();
  const b = exponent();
  const unit = (values: number[], e: number) => {
    const at = values.map((value) => g(value, e));
    return 0.05 / Math.max(1e-9, Math.max(...at) - Math.min(...at));
  };
  const w1 = unit(layers, a) * random.uniform() * (random.uniform() < 0.85 ? 1 : -1);
  const w2 = unit(dims, b) * random.uniform() * (random.uniform() < 0.85 ? 1 : -1);
  const noise = pick([0, 1e-4, 1e-3, 5e-3, 2e-2]);
  return layers.flatMap((l) =>
    dims.map((d) => ({
      slice: 'all',
      layers: l,
      dim: d,
      metrics: {
        'hr@10': Math.max(
          0,
          0.3 + w1 * (g(l, a) - g(layers[0]!, a)) + w2 * (g(d, b) - g(dims[0]!, b)) + noise * random.normal(),
        ),
      },
    })),
  );
}

describe('the published ML-1M panel', () => {
  const fit = fitLaw(ML1M, { form: 'performance-law', metric: 'hr@10' });

  it('has the coefficients and the R^2 of the global optimum', () => {
    expect(fit.coefficients['a']).toBeCloseTo(-0.2603, 4);
    expect(fit.coefficients["a'"]).toBeCloseTo(-0.1665, 4);
    expect(fit.coefficients['w1']).toBeCloseTo(0.1573, 4);
    expect(fit.coefficients['w2']).toBeCloseTo(2.1966, 4);
    expect(fit.coefficients['c']).toBeCloseTo(1.0388, 4);
    expect(fit.r2).toBeCloseTo(0.8949, 4);
  });

  it('is reproduced by the equation with those coefficients', () => {
    const { a, w1, w2, c } = fit.coefficients as Record<string, number>;
    const b = fit.coefficients["a'"]!;
    for (const { layers, dim } of ML1M)
      expect(w1! * g(layers, a!) + w2! * g(dim, b) + c!).toBeCloseTo(fit.predict({ layers, dim }), 10);
  });
});

describe('the global optimum', () => {
  it(`is never above a brute-force grid on ${LAWS} simulated laws`, () => {
    const grid = exponentGrid(120);
    const worse: string[] = [];
    for (let index = 0; index < LAWS; index++) {
      const observations = simulate(index);
      const { sse } = fitLaw(observations, { form: 'performance-law', metric: 'hr@10' });
      const brute = bruteForce(observations, 'hr@10', grid);
      if (sse > brute * (1 + 1e-9) + 1e-18) worse.push(`law ${index}: ${sse} against ${brute}`);
    }
    expect(worse).toEqual([]);
  }, 3_600_000);
});

describe('a copy of a law', () => {
  it('can be asked what the law can; JSON and the listed fields know nothing of what it was made of', () => {
    const law = fitLaw(ML1M, { metric: 'hr@10' });
    const copy = { ...law, notes: [] };
    expect(identifiability(copy)).toEqual(identifiability(law));
    expect(optimum(copy)).toEqual(optimum(law));
    expect(Object.keys(copy)).not.toContain('inner');
    expect(() => optimum(JSON.parse(JSON.stringify(law)))).toThrow(/no law of fitLaw/);
  });
});
