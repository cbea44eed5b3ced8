import { describe, expect, it } from 'vitest';
import { fCumulative, fQuantile1, incompleteBeta, quantile } from '../../../src/law/trust/quantiles.js';

describe('quantiles', () => {
  it('of F agree with the tables', () => {
    expect(fQuantile1(0.95, 10)).toBeCloseTo(4.9646, 4);
    expect(fQuantile1(0.95, 19)).toBeCloseTo(4.3807, 4);
    expect(fQuantile1(0.99, 5)).toBeCloseTo(16.2582, 3);
    expect(fCumulative(3.4928, 2, 20)).toBeCloseTo(0.95, 4);
  });

  it('of the beta distribution hit closed forms', () => {
    expect(incompleteBeta(0.3, 1, 1)).toBeCloseTo(0.3, 12);
    expect(incompleteBeta(0.3, 2, 1)).toBeCloseTo(0.09, 12);
    expect(incompleteBeta(0.5, 7, 7)).toBeCloseTo(0.5, 12);
    expect(incompleteBeta(0, 2, 3) + incompleteBeta(1, 2, 3)).toBe(1);
  });

  it('of a sample do not depend on its order', () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
  });
});
