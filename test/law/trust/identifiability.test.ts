import { describe, expect, it } from 'vitest';
import { fitLaw } from '../../../src/law/fitting/fit.js';
import type { Observation } from '../../../src/law/points/observation.js';
import { identifiability } from '../../../src/law/trust/identifiability.js';
import { createRandom } from '../../../src/util/random.js';
import { ML1M } from '../panel-ml1m.js';

const noisy = (noise: number): Observation[] => {
  const random = createRandom('identifiability', noise);
  return [1, 2, 4].flatMap((layers) =>
    [16, 32, 64].map((dim) => ({
      slice: 'all',
      layers,
      dim,
      metrics: { 'hr@10': 0.1 + 0.01 * Math.log(layers) + 0.02 * Math.log(dim) + noise * random.normal() },
    })),
  );
};

describe('identifiability', () => {
  it('finds all five numbers of the ML-1M panel told', () => {
    const told = identifiability(fitLaw(ML1M));
    expect(told.identifiable).toBe(true);
    const [low, high] = told.coefficients['a']!.allowed!;
    // an independent profile over a fine grid gave -.285 to -.2075
    expect(low).toBeCloseTo(-0.286, 2);
    expect(high).toBeCloseTo(-0.207, 2);
    expect(told.conditionNumber).toBeGreaterThan(5);
  });

  it('does not tell an exponent that noise hides, nor the weight and constant that move with it', () => {
    const told = identifiability(fitLaw(noisy(5e-3)));
    expect(told.identifiable).toBe(false);
    expect(told.coefficients['a']!.identifiable).toBe(false);
    expect(told.coefficients['w1']!).toMatchObject({
      identifiable: false,
      reason: expect.stringMatching(/a/),
    });
    expect(told.coefficients['c']!.identifiable).toBe(false);
  });

  it('tells the slopes of the plain form on the same points', () => {
    const told = identifiability(fitLaw(noisy(5e-3), { form: 'log-linear' }));
    expect(told.identifiable).toBe(true);
  });

  it('gives a range also where it is narrower than the grid', () => {
    const random = createRandom('narrow');
    const g = (x: number, a: number) => -1 / (2 * x ** a) - a * Math.log(x);
    const sharp = [1, 2, 4, 8, 16].flatMap((layers) =>
      [16, 32, 64, 128, 256].map((dim) => ({
        slice: 'all',
        layers,
        dim,
        metrics: { 'hr@10': 2 + 0.3 * g(layers, -0.35) + 2 * g(dim, -0.17) + 1e-7 * random.normal() },
      })),
    );
    const { a } = identifiability(fitLaw(sharp)).coefficients;
    expect(a!.allowed![0]).toBeLessThan(-0.35);
    expect(a!.allowed![1]).toBeGreaterThan(-0.35);
    expect(a!.allowed![1]! - a!.allowed![0]!).toBeLessThan(1e-3);
  });

  it('does not tell weights of columns that depend on one another', () => {
    // layers and dim always grow together: their logarithms are one direction
    const tied: Observation[] = [1, 2, 4, 8, 16].map((layers, i) => ({
      slice: 'all',
      layers,
      dim: 16 * layers,
      metrics: { 'hr@10': 0.1 + 0.01 * i + 0.001 * (i % 2) },
    }));
    const told = identifiability(fitLaw(tied, { form: 'log-linear' }));
    expect(told.identifiable).toBe(false);
    expect(told.conditionNumber).toBeGreaterThan(1e8);
  });
});
