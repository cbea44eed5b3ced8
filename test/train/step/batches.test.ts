import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sequences } from '../../../src/data/interactions.js';
import {
  allPositionWindows,
  assemble,
  countSteps,
  epochRows,
  packRows,
  prefixWindows,
} from '../../../src/train/step/batches.js';
import { createRandom } from '../../../src/util/random.js';

/** Histories of the given lengths; every item is its own position + 1, so that a target can be checked. */
function histories(lengths: number[]): Sequences {
  const offsets = Int32Array.from([0, ...lengths]);
  for (let i = 1; i < offsets.length; i++) offsets[i]! += offsets[i - 1]!;
  const items = Int32Array.from({ length: offsets.at(-1)! }, (_, i) => i + 1);
  return { users: Int32Array.from(lengths.keys()), offsets, items, timestamps: null };
}

const lengthsArbitrary = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 30 });

describe('packed batches', () => {
  it('predict every item but the first of each history exactly once an epoch, from the item before it', () => {
    fc.assert(
      fc.property(
        lengthsArbitrary,
        fc.integer({ min: 1, max: 25 }),
        fc.integer(),
        (lengths, maxLength, seed) => {
          const sequences = histories(lengths);
          const rows = epochRows(sequences, maxLength, 'all', createRandom(seed));
          const batch = assemble(sequences.items, rows, maxLength, 'all');
          const predicted: number[] = [];
          batch.targets.forEach((target, i) => {
            if (target < 0) return;
            predicted.push(target);
            expect(batch.items[i]).toBe(target - 1);
          });
          const starts = new Set([...sequences.offsets].map((o) => o + 1));
          const expected = [...sequences.items].filter((item) => !starts.has(item));
          expect(predicted.sort((a, b) => a - b)).toEqual(expected);
          expect(batch.tokens).toBe(expected.length);
          expect(batch.tokens).toBe(countSteps(sequences, maxLength, 'all'));
        },
      ),
    );
  });

  it('mark where each window begins, and never mix two histories', () => {
    fc.assert(
      fc.property(
        lengthsArbitrary,
        fc.integer({ min: 2, max: 25 }),
        fc.integer(),
        (lengths, maxLength, seed) => {
          const sequences = histories(lengths);
          const rows = epochRows(sequences, maxLength, 'all', createRandom(seed));
          const batch = assemble(sequences.items, rows, maxLength, 'all');
          for (let i = 0; i < batch.items.length; i++) {
            const follows =
              i % maxLength > 0 && batch.items[i] === batch.items[i - 1]! + 1 && batch.items[i] !== 0;
            if (batch.items[i] !== 0 && !follows) expect(batch.reset[i]).toBe(1);
          }
        },
      ),
    );
  });

  it('waste little: rows of mixed histories are nearly full', () => {
    const random = createRandom('lengths');
    const sequences = histories(Array.from({ length: 500 }, () => 2 + random.int(120)));
    const rows = epochRows(sequences, 50, 'all', createRandom('epoch'));
    expect(countSteps(sequences, 50, 'all') / (rows.length * 50)).toBeGreaterThan(0.95);
  });

  it('cut long histories elsewhere in every epoch, and the same way for the same stream', () => {
    const sequences = histories([400]);
    const cuts = (name: string) => allPositionWindows(sequences, 50, createRandom(name)).map((w) => w.start);
    expect(cuts('a')).toEqual(cuts('a'));
    expect(cuts('a')).not.toEqual(cuts('b'));
  });

  it('prefixes: one target each, at the last position, after the last maxLength items', () => {
    const sequences = histories([5]);
    const rows = packRows(prefixWindows(sequences, 3), 3);
    const batch = assemble(sequences.items, rows, 3, 'last');
    const pairs = [...batch.targets].flatMap((target, i) => (target < 0 ? [] : [[batch.items[i], target]]));
    expect(pairs.sort((a, b) => a[1]! - b[1]!)).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
    ]);
    expect(batch.tokens).toBe(countSteps(sequences, 3, 'last'));
  });
});
