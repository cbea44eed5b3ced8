/**
 * Hoffmann et al. (2022) as fitted again by Besiroglu et al. (2024): L = 1.8172 + 482.01 / N^0.3478 + 2085.43 / D^0.3658, by
 * Huber's loss with threshold 1e-3 on the logarithm. The points read off the figure carry no licence, so they are simulated
 * from the published coefficients on a like design: 245 models of 44M to 16B parameters.
 */
import { describe, expect, it } from 'vitest';
import { fitLaw } from '../../../src/law/fitting/fit.js';
import { innerOf } from '../../../src/law/fitting/inner.js';
import type { Observation } from '../../../src/law/points/observation.js';
import { createRandom } from '../../../src/util/random.js';

const TRUE = { E: 1.8172, A: 482.01, a: 0.3478, B: 2085.43, b: 0.3658 };

function simulate(noise: number, outliers: number): Observation[] {
  const random = createRandom('chinchilla', noise, outliers);
  return Array.from({ length: 245 }, (_, i) => {
    const N = Math.exp(Math.log(44e6) + random.uniform() * Math.log(16e9 / 44e6));
    const D = N * Math.exp(Math.log(1) + random.uniform() * Math.log(300));
    const loss = TRUE.E + TRUE.A / N ** TRUE.a + TRUE.B / D ** TRUE.b;
    const factor = Math.exp(noise * random.normal() + (i < outliers ? 0.15 : 0));
    return { slice: 'all', layers: 1, dim: 1, params: N, tokens: D, metrics: { loss: loss * factor } };
  });
}

const options = {
  form: 'saturating-power',
  metric: 'loss',
  variables: ['params', 'tokens'],
  link: 'log',
  huber: 1e-3,
} as const;

describe('the Chinchilla law', () => {
  it('is recovered exactly without noise', () => {
    const { coefficients } = fitLaw(simulate(0, 0), { ...options, variables: ['params', 'tokens'] });
    expect(coefficients['E']).toBeCloseTo(TRUE.E, 4);
    expect(coefficients['a']).toBeCloseTo(TRUE.a, 4);
    expect(coefficients['b']).toBeCloseTo(TRUE.b, 4);
    expect(coefficients['A']! / TRUE.A).toBeCloseTo(1, 2);
    expect(coefficients['B']! / TRUE.B).toBeCloseTo(1, 2);
  });

  it('is recovered with noise and with outliers that the threshold cuts off', () => {
    const observations = simulate(1e-3, 5);
    const fit = fitLaw(observations, { ...options, variables: ['params', 'tokens'] });
    const { coefficients } = fit;
    expect(Math.abs(coefficients['E']! - 1.817)).toBeLessThan(0.03);
    expect(Math.abs(coefficients['a']! - 0.347)).toBeLessThan(0.02);
    expect(Math.abs(coefficients['b']! - 0.367)).toBeLessThan(0.02);
    // no set of coefficients is better than the fitted one, the true one included
    const objective = (law: (N: number, D: number) => number) =>
      observations.reduce((sum, { params, tokens, metrics }) => {
        const r = Math.abs(Math.log(metrics['loss']! / law(params!, tokens!)));
        return sum + (r <= 1e-3 ? r * r : 2e-3 * r - 1e-6);
      }, 0);
    const fitted = objective((params, tokens) => fit.predict({ params, tokens }));
    expect(fitted).toBeLessThan(objective((N, D) => TRUE.E + TRUE.A / N ** TRUE.a + TRUE.B / D ** TRUE.b));
    expect(fitted).toBeCloseTo(innerOf(fit).solution.objective, 10);
  });
});
