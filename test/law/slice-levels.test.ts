import { describe, expect, it } from 'vitest';
import type { Observation } from '../../src/law/points/observation.js';
import { meansOfSlices } from '../../src/law/slice-levels.js';
import { createRandom } from '../../src/util/random.js';

/** Slices of two sizes of model; the level is .03 ln(tokens / apen) and .01 more on the larger model. */
function runs(slices: number, dims: (slice: number) => number[]): Observation[] {
  const random = createRandom('slice levels', slices);
  return Array.from({ length: slices }, (_, i) => {
    const tokens = Math.round(1e4 * 1.3 ** i);
    const apen = 2 + random.uniform();
    return dims(i).flatMap((dim) =>
      [0, 1].map((seed): Observation => {
        const value = 0.03 * Math.log(tokens / apen) + (dim === 64 ? 0.01 : 0) + 0.0004 * random.normal();
        return {
          slice: `s${i}`,
          layers: 1,
          dim,
          seed,
          tokens,
          quality: { apen },
          metrics: { 'ndcg@10': value },
        };
      }),
    );
  }).flat();
}

describe('levels of slices without a law', () => {
  it('are means over the sizes that every slice has', () => {
    const observations = runs(8, (i) => (i === 3 ? [32] : [32, 64]));
    const [found, ...rest] = meansOfSlices(observations, 'ndcg@10');
    expect(rest).toEqual([]);
    expect(found!.configurations).toEqual([{ layers: 1, dim: 32 }]);
    expect(found!.levels.map(({ slice }) => slice)).toEqual(['s0', 's1', 's2', 's3', 's4', 's5', 's6', 's7']);
    for (const { slice, level, runs } of found!.levels) {
      const own = observations.filter((one) => one.slice === slice && one.dim === 32);
      expect(runs).toBe(2);
      expect(level).toBeCloseTo((own[0]!.metrics['ndcg@10']! + own[1]!.metrics['ndcg@10']!) / 2, 12);
    }
    expect(found!.quality!.measures).toMatchObject([{ measure: 'apen', adds: true, level: 'falls' }]);
    expect(
      found!.measures.find(({ axes, measure }) => axes === 'log' && measure === 'apen')!.r2,
    ).toBeGreaterThan(0.99);
  });

  it('are none where a size in common, tokens or five slices are missing', () => {
    expect(
      meansOfSlices(
        runs(8, (i) => [i === 0 ? 16 : 32]),
        'ndcg@10',
      ),
    ).toEqual([]);
    expect(
      meansOfSlices(
        runs(4, () => [32]),
        'ndcg@10',
      ),
    ).toEqual([]);
    const without = runs(8, () => [32]).map(({ tokens: _, ...rest }) => rest);
    expect(meansOfSlices(without, 'ndcg@10')).toEqual([]);
  });
});
