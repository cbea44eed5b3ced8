import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meanSurprisal, surprisalByRow } from '../../../src/data/entropy/surprisal.js';
import { sequencesOf } from '../sequences.js';

/** The definition, counted anew for every user from lists. */
function slowly(rows: number[][], user: number): number {
  const others = rows.filter((_, u) => u !== user);
  const items = Math.max(...rows.flat());
  const pairs = others.flatMap((row) => row.slice(1).map((item, i) => [row[i]!, item] as const));
  const popularity = (item: number) =>
    (others.flat().filter((one) => one === item).length + 1) / (others.flat().length + items);
  const p = (item: number, before?: number) => {
    const after = pairs.filter(([first]) => first === before).map(([, second]) => second);
    const kinds = new Set(after).size;
    if (kinds === 0) return popularity(item);
    return (after.filter((one) => one === item).length + kinds * popularity(item)) / (after.length + kinds);
  };
  const row = rows[user]!;
  return row.reduce((sum, item, i) => sum - Math.log(p(item, row[i - 1])), 0) / row.length;
}

describe('surprisal of a history to a bigram of the others', () => {
  it('is what the definition says', () => {
    const row = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 8 }), (rows) => {
        const found = surprisalByRow(sequencesOf(rows));
        rows.forEach((_, user) => {
          expect(found[user]).toBeCloseTo(slowly(rows, user), 10);
        });
      }),
    );
  });

  it('tells a pattern that others share from one that they do not', () => {
    const rows = [...Array.from({ length: 9 }, () => [1, 2, 3, 4, 1, 2, 3, 4]), [4, 2, 1, 3, 2, 4, 3, 1]];
    const found = surprisalByRow(sequencesOf(rows));
    expect(found[0]!).toBeLessThan(0.5);
    expect(found[9]!).toBeGreaterThan(2);
  });

  it('weighs users by their events, and has no value without any', () => {
    const rows = [[1, 2, 3, 4, 5], [2], [3, 1]];
    const found = surprisalByRow(sequencesOf(rows));
    expect(meanSurprisal(sequencesOf(rows))).toBeCloseTo((5 * found[0]! + found[1]! + 2 * found[2]!) / 8, 12);
    expect(meanSurprisal(sequencesOf([]))).toBeNaN();
  });
});
