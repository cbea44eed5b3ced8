import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lempelZivEntropy, perUserLempelZiv } from '../../../src/data/entropy/lempel-ziv.js';
import { sequencesOf } from '../sequences.js';

/** Both definitions, by brute force. */
function definition(s: number[], form: 'phrases' | 'prefix'): number {
  const n = s.length;
  const phrases = new Set<string>();
  const seen = (from: number, length: number) => {
    const run = s.slice(from, from + length).join();
    if (form === 'phrases') return phrases.has(run);
    for (let j = 0; j + length <= from; j++) if (s.slice(j, j + length).join() === run) return true;
    return false;
  };
  let sum = 0;
  for (let i = 0; i < n; i++) {
    let length = 1;
    while (i + length <= n && seen(i, length)) length++;
    if (i + length <= n) phrases.add(s.slice(i, i + length).join());
    sum += length;
  }
  return (n * Math.log(n)) / sum;
}

describe('lempelZivEntropy', () => {
  it.each([
    ['[1,2,1,2,3]', [1, 2, 1, 2, 3], 1.1495985, 1.0058987],
    ['ten equal items', Array(10).fill(4), 0.6578815, 0.6578815],
    ['0..9', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], Math.log(10), Math.log(10)],
    ['[85,80,89]x17', Array.from({ length: 51 }, (_, i) => [85, 80, 89][i % 3]!), 0.5524053, 0.2970713],
  ] as [string, number[], number, number][])('%s', (_, series, phrases, prefix) => {
    expect(lempelZivEntropy(series)).toBeCloseTo(phrases, 7);
    expect(lempelZivEntropy(series, 'prefix')).toBeCloseTo(prefix, 7);
  });

  it('equals the definitions', () => {
    const alphabet = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(
        alphabet.chain((k) => fc.array(fc.integer({ min: 1, max: k }), { minLength: 1, maxLength: 60 })),
        (s) => {
          expect(lempelZivEntropy(s)).toBeCloseTo(definition(s, 'phrases'), 10);
          expect(lempelZivEntropy(s, 'prefix')).toBeCloseTo(definition(s, 'prefix'), 10);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('stays fast where runs are very long', () => {
    const n = 50_000;
    const constant = new Int32Array(n).fill(1);
    // Lambda_i = i + 1 up to the middle, then n - i + 1.
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Math.min(i + 1, n - i + 1);
    const expected = (n * Math.log(n)) / sum;
    expect(lempelZivEntropy(constant)).toBeCloseTo(expected, 10);
    expect(lempelZivEntropy(constant, 'prefix')).toBeCloseTo(expected, 10);
  });

  it('per user: the mean of each history alone, tables reused', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 30 }), { minLength: 1, maxLength: 8 }),
        (rows) => {
          const long = rows.filter((row) => row.length >= 2);
          const { phrases, prefix, users } = perUserLempelZiv(sequencesOf(rows));
          expect(users).toBe(long.length);
          if (users === 0) return;
          const mean = (form: 'phrases' | 'prefix') =>
            long.reduce((sum, row) => sum + definition(row, form), 0) / long.length;
          expect(phrases).toBeCloseTo(mean('phrases'), 10);
          expect(prefix).toBeCloseTo(mean('prefix'), 10);
        },
      ),
    );
  });
});
