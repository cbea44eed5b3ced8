import { describe, expect, it } from 'vitest';
import { fitLaw, fitPoints } from '../../../src/law/fitting/fit.js';
import type { FormName } from '../../../src/law/forms/form.js';
import type { Observation } from '../../../src/law/points/observation.js';
import { toPoints } from '../../../src/law/points/points.js';
import { compareForms, leaveOneOut } from '../../../src/law/trust/compare.js';
import { createRandom } from '../../../src/util/random.js';
import { ML1M } from '../panel-ml1m.js';

const pointsOf = (observations: Observation[]) => toPoints(observations, 'hr@10').points;

describe('leave-one-out', () => {
  for (const form of ['log-linear', 'performance-law'] as FormName[])
    it(`equals fitting ${form} again without each configuration`, () => {
      const points = pointsOf(ML1M);
      const { rmse, q2 } = leaveOneOut(fitPoints(points, 'hr@10', { form }));
      const errors = points.map((point, i) => {
        const fit = fitPoints(
          points.filter((_, j) => j !== i),
          'hr@10',
          { form },
        );
        return point.value - fit.predict(point.x);
      });
      expect(rmse).toBeCloseTo(Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length), 6);
      expect(q2).toBeLessThan(fitPoints(points, 'hr@10', { form }).r2);
    });
});

describe('a choice among forms that cannot be tried', () => {
  it('is the one with the fewest numbers, and says so; alone it is the only one', () => {
    const four = pointsOf(ML1M.filter(({ layers, dim }) => layers <= 8 && dim <= 50));
    expect(four).toHaveLength(4);
    const { chosen, because } = compareForms(four, 'hr@10');
    expect(chosen).toBe('log-linear');
    expect(because).toMatch(/too few configurations to try the 5 forms .*: the one with the fewest numbers/);
    const alone = compareForms(four, 'hr@10', { forms: ['performance-law', 'logistic'] });
    expect(alone).toMatchObject({ chosen: 'performance-law', because: 'the only form that could be fitted' });
  });
});

describe('the comparison of forms', () => {
  const comparison = compareForms(pointsOf(ML1M), 'hr@10');
  const score = (form: FormName) => comparison.scores.find((one) => one.form === form)!;

  it('withholds the largest layers and the largest dim', () => {
    const held = score('log-linear').heldOut!;
    expect(held).toMatchObject({ trained: 15, tested: 9, what: 'the largest layers and the largest dim' });
    const small = ML1M.filter(({ layers, dim }) => layers < 32 && dim < 100);
    const fit = fitLaw(small, { form: 'log-linear' });
    const errors = ML1M.filter((one) => !small.includes(one)).map(
      (one) => one.metrics['hr@10']! - fit.predict({ layers: one.layers, dim: one.dim }),
    );
    expect(held.rmse).toBeCloseTo(Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / 9), 10);
  });

  it('chooses the form with the least held-out error, and says on what ground', () => {
    const fitted = comparison.scores.filter((one) => one.heldOut);
    const least = Math.min(...fitted.map((one) => one.heldOut!.rmse));
    expect(score(comparison.chosen).heldOut!.rmse).toBe(least);
    expect(comparison.because).toMatch(/least error on what was withheld/);
  });

  it('says why a form could not be fitted', () => {
    expect(score('logistic')).toMatchObject({ size: null, r2: null });
    expect(score('logistic').reason).toMatch(/training FLOPs/);
  });

  it('has the AICc of its sums of squares', () => {
    const fit = fitLaw(ML1M, { form: 'log-linear' });
    const expected = 24 * Math.log(fit.sse / 24) + 2 * 4 + (2 * 4 * 5) / (24 - 4 - 1);
    expect(score('log-linear').aicc).toBeCloseTo(expected, 8);
  });

  it('finds the form that made the data', () => {
    const random = createRandom('made');
    const made = (value: (l: number, d: number) => number) =>
      [1, 2, 4, 8, 16].flatMap((layers) =>
        [16, 32, 64, 128, 256].map((dim) => ({
          slice: 'all',
          layers,
          dim,
          metrics: { 'hr@10': value(Math.log(layers), Math.log(dim)) + 5e-4 * random.normal() },
        })),
      );
    const crossed = made((l, d) => 0.1 + 0.02 * l - 0.004 * l * l + 0.05 * d - 0.005 * d * d - 0.004 * l * d);
    expect(compareForms(pointsOf(crossed), 'hr@10').chosen).toBe('quadratic-log-cross');
    const power = made((l, d) => 0.35 - 0.08 * Math.exp(-0.9 * l) - 0.9 * Math.exp(-0.7 * d));
    expect(compareForms(pointsOf(power), 'hr@10').chosen).toBe('saturating-power');
  });

  it('withholds less where little was measured, and still answers', () => {
    const few = [1, 2, 3].flatMap((layers) =>
      [32, 64].map((dim) => ({
        slice: 'all',
        layers,
        dim,
        metrics: { 'hr@10': 0.1 + 0.01 * Math.log(layers * dim) + 1e-3 * ((layers * dim) % 3) },
      })),
    );
    const small = compareForms(pointsOf(few), 'hr@10');
    expect(small.fits['log-linear']).toBeDefined();
    expect(small.scores.find((one) => one.form === 'log-linear')!.heldOut!.what).not.toMatch(
      /and the largest/,
    );
  });

  it('does not let what was withheld judge forms that lost a term for want of values', () => {
    // Three values of dim with a peak in the middle: without the largest, only a straight line is left.
    const peaked = [1, 2, 4].flatMap((layers) =>
      [16, 32, 64].map((dim) => ({
        slice: 'all',
        layers,
        dim,
        params: 1000 * dim + layers * dim * dim,
        flops: 1e6 * (1000 * dim + layers * dim * dim),
        metrics: {
          'hr@10':
            0.2 + 0.01 * Math.log(layers) - 0.03 * Math.log(dim / 32) ** 2 + 1e-4 * ((layers * dim) % 5),
        },
      })),
    );
    const small = compareForms(pointsOf(peaked), 'hr@10');
    const of = (form: FormName) => small.scores.find((one) => one.form === form)!;
    expect(of('quadratic-log').heldOut!.whole).toBe(false);
    expect(of('log-linear').heldOut!.whole).toBe(true);
    expect(small.chosen).not.toBe('log-linear');
    expect(of(small.chosen).looRmse).toBe(
      Math.min(...small.scores.map((one) => one.looRmse ?? Number.POSITIVE_INFINITY)),
    );
    expect(small.because).toMatch(/least leave-one-out error \(without .* forms lose a term/);
    expect(comparison.scores.every((one) => !one.heldOut || one.heldOut.whole)).toBe(true);
  });
});
