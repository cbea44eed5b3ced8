/** What is named at a goal: the cheapest that is surely as good, else the cheapest expected to be, not the one of which least is known. */
import { describe, expect, it } from 'vitest';
import { type Option, weighOptions } from '../../../src/law/goal/decision.js';
import type { Surrogate } from '../../../src/law/goal/surrogate.js';

const option = (dim: number): Option => ({ layers: 1, dim, slice: 'all', cost: dim ** 2 });

/** Believed of each option on its own: the metric, and the deviation of its logarithm. */
function belief(values: readonly number[], deviations: readonly number[]): Surrogate {
  return {
    mean: () => Float64Array.from(values, Math.log),
    covariance: () =>
      deviations.map((deviation, i) =>
        Float64Array.from(deviations, (_, j) => (i === j ? deviation ** 2 : 0)),
      ),
    noise: 0.01,
  };
}

const question = { options: [8, 16, 32].map(option), tolerance: 0.002, confidence: 0.9 } as const;

describe('what is named', () => {
  it('while nothing is sure is not the one farthest out, however likely the least known is to be the best', () => {
    const rising = weighOptions(belief([0.1, 0.104, 0.1035], [0.04, 0.04, 0.3]), {
      ...question,
      direction: 'maximize',
    });
    expect(rising.sure).toBe(false);
    expect(rising.odds[2]!.best).toBeGreaterThan(rising.odds[1]!.best);
    expect(rising.chosen).toBe(1);
    const falling = weighOptions(belief([0.104, 0.1, 0.1005], [0.04, 0.04, 0.3]), {
      ...question,
      direction: 'minimize',
    });
    expect(falling.sure).toBe(false);
    expect(falling.chosen).toBe(1);
  });

  it('is the cheapest of those that are expected to be as good, by half of the tolerance', () => {
    const chosen = (first: number) =>
      weighOptions(belief([first, 0.104, 0.1035], [0.04, 0.04, 0.3]), { ...question, direction: 'maximize' })
        .chosen;
    expect(chosen(0.1031)).toBe(0);
    expect(chosen(0.1029)).toBe(1);
  });

  it('once it is sure is the cheapest within tolerance', () => {
    const standing = weighOptions(belief([0.1, 0.101, 0.09], [1e-4, 1e-4, 1e-4]), {
      ...question,
      direction: 'maximize',
    });
    expect(standing.sure).toBe(true);
    expect(standing.chosen).toBe(0);
  });
});
