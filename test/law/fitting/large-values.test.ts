import { describe, expect, it } from 'vitest';
import { fitLaw } from '../../../src/law/fitting/fit.js';
import type { Observation } from '../../../src/law/points/observation.js';
import { identifiability } from '../../../src/law/trust/identifiability.js';
import { bootstrap, coefficientIntervals } from '../../../src/law/trust/uncertainty.js';
import { createRandom } from '../../../src/util/random.js';
import { ML1M } from '../panel-ml1m.js';

describe('variables that begin far above 1', () => {
  it('have exponents that are found, told and given an interval with a width', async () => {
    const random = createRandom('wide');
    const observations = [2, 4, 8, 16].flatMap((layers) =>
      [256, 512, 1024, 2048].map(
        (dim): Observation => ({
          slice: 'all',
          layers,
          dim,
          metrics: { 'hr@10': 0.4 - 0.1 / layers ** 0.7 - 4e5 / dim ** 3 + 5e-4 * random.normal() },
        }),
      ),
    );
    const fit = fitLaw(observations, { form: 'saturating-power' });
    expect(Math.abs(fit.coefficients['b']! - 3)).toBeLessThan(0.4);
    const { coefficients, identifiable } = identifiability(fit);
    expect(identifiable).toBe(true);
    const [low, high] = coefficients['b']!.allowed!;
    expect(high! - low!).toBeGreaterThan(0.1);
    const intervals = coefficientIntervals(await bootstrap(fit, { resamples: 60, threads: 1 }));
    expect(intervals['b']![1]! - intervals['b']![0]!).toBeGreaterThan(0.1);
  });

  it('are found in the data term too, where tokens begin at 100,000', () => {
    const observations = [1e5, 2e5, 4e5, 8e5, 16e5].flatMap((tokens) =>
      [1, 2, 4, 8].flatMap((layers) =>
        [16, 32, 64].map(
          (dim): Observation => ({
            slice: `s${tokens}`,
            tokens,
            layers,
            dim,
            metrics: { 'hr@10': 0.4 - 0.1 / layers ** 0.7 - 0.5 / dim ** 0.5 - 0.1 * (1e5 / tokens) ** 2.2 },
          }),
        ),
      ),
    );
    const fit = fitLaw(observations, { form: 'saturating-power', data: 'tokens' });
    expect(fit.coefficients['c']).toBeCloseTo(2.2, 4);
    expect(fit.coefficients['E']).toBeCloseTo(0.4, 4);
    expect(1 - fit.r2).toBeLessThan(1e-10);
  });

  it('reach the optimum of the saturating power law on ML-1M', () => {
    // 200 values of each exponent, and a second implementation, reach .83323
    expect(fitLaw(ML1M, { form: 'saturating-power' }).r2).toBeGreaterThan(0.83323);
  });
});
