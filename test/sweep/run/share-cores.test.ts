import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareCores, speedOf, wallSeconds } from '../../../src/sweep/run/share-cores.js';

const sharer = fc.record({
  work: fc.double({ min: 1, max: 1000, noNaN: true }),
  most: fc.integer({ min: 1, max: 8 }),
});

describe('cores', () => {
  it('go to those that take longest, one to each at least and none beyond use', () => {
    expect(
      shareCores(
        [
          { work: 1, most: 8 },
          { work: 9, most: 8 },
        ],
        4,
      ),
    ).toEqual([1, 3]);
    expect(shareCores([{ work: 5, most: 2 }], 4)).toEqual([2]);
    expect(
      shareCores(
        [
          { work: 1, most: 8 },
          { work: 1, most: 8 },
          { work: 1, most: 8 },
        ],
        2,
      ),
    ).toEqual([1, 1, 1]);
    fc.assert(
      fc.property(fc.array(sharer, { maxLength: 6 }), fc.integer({ min: 1, max: 32 }), (sharers, cores) => {
        const threads = shareCores(sharers, cores);
        const used = threads.reduce((a, b) => a + b, 0);
        expect(threads.every((count, i) => count >= 1 && count <= sharers[i]!.most)).toBe(true);
        // None is left free that could be used.
        const wanted = sharers.reduce((sum, { most }) => sum + most, 0);
        expect(used).toBe(Math.max(sharers.length, Math.min(cores, wanted)));
      }),
    );
  });
});

describe('the end of a sweep', () => {
  const equal = (n: number, work: number, most = 1) => Array.from({ length: n }, () => ({ work, most }));

  it('is the work over the cores where all are alike, and never before it', () => {
    expect(wallSeconds([], 2, 2)).toBe(0);
    expect(wallSeconds(equal(8, 10), 4, 4)).toBeCloseTo(20);
    expect(wallSeconds(equal(8, 10), 4, 2)).toBeCloseTo(40);
    expect(wallSeconds(equal(1, 10, 2), 2, 2)).toBeCloseTo(10 / speedOf(2));
    fc.assert(
      fc.property(
        fc.array(sharer, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 8 }),
        (trials, cores) => {
          const total = trials.reduce((sum, { work }) => sum + work, 0);
          expect(wallSeconds(trials, cores, cores)).toBeGreaterThanOrEqual((total / cores) * (1 - 1e-9));
        },
      ),
    );
  });

  it('one trial as large as half of all the rest holds up a sweep that begins with the small ones, on one thread each', () => {
    const small = equal(20, 10);
    const large = (most: number) => ({ work: 100, most });
    const bound = (20 * 10 + 100) / 2;
    expect(wallSeconds([...small, large(1)], 2, 2) / bound).toBeCloseTo(200 / 150, 5);
    expect(wallSeconds([...small, large(2)], 2, 2) / bound).toBeLessThan(1.06);
    expect(wallSeconds([large(1), ...small], 2, 2) / bound).toBeLessThan(1.001);
    // Larger than all the rest together, it ends late with one thread even when it is the first.
    const huge = (most: number) => [{ work: 400, most }, ...small];
    expect(wallSeconds(huge(1), 2, 2) / 300).toBeCloseTo(4 / 3, 5);
    expect(wallSeconds(huge(2), 2, 2) / 300).toBeLessThan(1.1);
  });

  it('of very many trials is told without playing them through', () => {
    expect(wallSeconds(equal(1000, 2), 4, 4)).toBe(500);
  });
});
