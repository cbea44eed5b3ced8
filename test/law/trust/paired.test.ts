import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitNoise } from '../../../src/law/trust/noise.js';
import { holm, pairedDifference, quantileGroups, seedDifference } from '../../../src/law/trust/paired.js';
import { createRandom } from '../../../src/util/random.js';

describe('a paired difference', () => {
  it('equals the t-test by hand', () => {
    // R: t.test(c(1,2,4,7), c(2,2,5,9), paired = TRUE): t = -2.4495, df = 3, p = 0.0917, interval -2.2992 to 0.2992
    const found = pairedDifference([1, 2, 4, 7], [2, 2, 5, 9]);
    expect(found.difference).toBe(1);
    expect(found.p).toBeCloseTo(0.0917, 4);
    expect(found.interval[0]).toBeCloseTo(-0.2992, 4);
    expect(found.interval[1]).toBeCloseTo(2.2992, 4);
  });

  it('is told in few and many users; without a difference p is 1', () => {
    expect(pairedDifference([1, 1, 0], [1, 1, 0])).toMatchObject({ difference: 0, p: 1, interval: [0, 0] });
    const random = createRandom('paired');
    const base = Float64Array.from({ length: 50_000 }, () => random.uniform());
    const better = base.map((value) => value + 0.001 + 0.02 * random.normal());
    const found = pairedDifference(base, better);
    expect(found.p).toBeLessThan(1e-3);
    expect(found.unpaired.timesWider).toBeGreaterThan(5);
    expect(() => pairedDifference([1], [1, 2])).toThrow();
  });

  it('covers the true difference as often as it says', () => {
    const random = createRandom('coverage');
    let covered = 0;
    for (let trial = 0; trial < 500; trial++) {
      const a = Float64Array.from({ length: 40 }, () => random.normal());
      const b = a.map((value) => value + 0.3 + 0.5 * random.normal());
      const { interval } = pairedDifference(a, b, 0.9);
      if (interval[0] < 0.3 && 0.3 < interval[1]) covered++;
    }
    expect(covered / 500).toBeGreaterThan(0.86);
    expect(covered / 500).toBeLessThan(0.94);
  });

  it('over seeds covers the truth where an interval over users alone does not', () => {
    const random = createRandom('seeds');
    let [covered, byUsers, wide] = [0, 0, 0];
    for (let trial = 0; trial < 400; trial++) {
      const users = Float64Array.from({ length: 300 }, () => random.normal());
      // a run: its users, what the seed moves for all, and what it moves for each
      const run = (shift: number) => {
        const seed = shift + 0.1 * random.normal();
        return users.map((value) => value + seed + 0.5 * random.normal());
      };
      const sides = [0, 0.3].map((shift) => Array.from({ length: 3 }, () => run(shift)));
      const { interval, runs, degrees } = seedDifference(sides[0]!, sides[1]!, 0.9);
      expect(runs).toEqual([3, 3]);
      expect(degrees).toBeGreaterThanOrEqual(3.9);
      if (interval[0] < 0.3 && 0.3 < interval[1]) covered++;
      if (interval[1] - interval[0] > 0.8) wide++;
      const alone = pairedDifference(sides[0]![0]!, sides[1]![0]!, 0.9).interval;
      if (alone[0] < 0.3 && 0.3 < alone[1]) byUsers++;
    }
    expect(covered / 400).toBeGreaterThan(0.87);
    expect(covered / 400).toBeLessThan(0.98);
    expect(wide / 400).toBeLessThan(0.02);
    expect(byUsers / 400).toBeLessThan(0.6);
    expect(() => seedDifference([[1, 2]], [[2, 3]])).toThrow();
  });

  it('Holm’s correction is that of the textbook', () => {
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
    [0.03, 0.06, 0.06, 0.02].forEach((p, i) => {
      expect(adjusted[i]).toBeCloseTo(p, 12);
    });
  });

  it('groups hold every user once, equal values together, in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 9 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 5 }),
        (values, most) => {
          const groups = quantileGroups(values, most);
          expect(groups.length).toBeLessThanOrEqual(most);
          expect(groups.flatMap(({ members }) => members).sort((a, b) => a - b)).toEqual([...values.keys()]);
          groups.forEach(({ from, to, members }, i) => {
            for (const u of members) expect(values[u]! >= from && values[u]! <= to).toBe(true);
            if (i > 0) expect(from).toBeGreaterThan(groups[i - 1]!.to);
          });
        },
      ),
    );
  });
});

describe('the noise of a run', () => {
  it('is split into seeds and users as it was made', () => {
    const random = createRandom('noise');
    const users = 400;
    const truth = { seed: 0.02, user: 0.5, rest: 0.4 };
    // 60 configurations of 3 seeds; the users are drawn anew for each, so that the estimate of theirs has its own spread.
    const configurations = Array.from({ length: 60 }, () => {
      const own = Float64Array.from({ length: users }, () => truth.user * random.normal());
      return Array.from({ length: 3 }, () => {
        const shift = truth.seed * random.normal();
        return own.map((value) => value + shift + truth.rest * random.normal());
      });
    });
    const found = splitNoise([...configurations, [new Float64Array(users)]])!;
    expect(found).toMatchObject({ configurations: 60, runs: 180, users });
    expect(found.user).toBeCloseTo(truth.user / Math.sqrt(users), 3);
    expect(found.seedByUser).toBeCloseTo(truth.rest / Math.sqrt(users), 3);
    expect(Math.abs(found.seed - truth.seed)).toBeLessThan(0.005);
    expect(found.seed ** 2 + found.seedByUser ** 2).toBeCloseTo(found.betweenSeeds ** 2, 12);
  });

  it('is not split where nothing was repeated', () => {
    expect(splitNoise([[new Float64Array(3)], []])).toBeNull();
  });
});
