import fc from 'fast-check';
import { expect, it } from 'vitest';
import { itemsOf } from '../../src/kernels/cross-entropy/program.js';

it('every item falls to one thread, in order, whatever the rows', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 256 }),
      fc.integer({ min: 1, max: 64 }),
      (items, rows, size) => {
        let at = 0;
        for (let index = 0; index < size; index++) {
          const [from, until] = itemsOf(items, rows, index, size);
          expect(from).toBe(at);
          expect(until).toBeGreaterThanOrEqual(from);
          if (until < items) expect(until % 16).toBe(0);
          at = until;
        }
        expect(at).toBe(items);
      },
    ),
  );
});

it('fewer rows, more items', () => {
  // 76 rows are 19 fours: 36 for the first of two threads, 40 for the second.
  const [, until] = itemsOf(3417, 76, 0, 2);
  expect(until / 3417).toBeCloseTo((0.5 - (0.7 * 36) / 76) / 0.3, 2);
});
