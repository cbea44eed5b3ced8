import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Interactions } from '../../src/data/interactions.js';
import { leaveOneOut, splitInteractions, splitLabel, temporalSplit } from '../../src/data/split.js';

/** Users' events as [time, item], put in order of time. */
function dataOf(histories: [number, number][][], timed = true): Interactions {
  const sorted = histories.map((events) => [...events].sort((a, b) => a[0] - b[0]));
  const offsets = new Int32Array(sorted.length + 1);
  sorted.forEach((events, u) => {
    offsets[u + 1] = offsets[u]! + events.length;
  });
  const events = sorted.flat();
  return {
    name: 'made',
    hash: 'made',
    numUsers: sorted.length,
    numItems: 50,
    offsets,
    items: Int32Array.from(events, ([, item]) => item),
    timestamps: timed ? Float64Array.from(events, ([time]) => time) : null,
    userIds: sorted.map((_, u) => `u${u}`),
    itemIds: ['', ...Array.from({ length: 50 }, (_, i) => `i${i + 1}`)],
  };
}

const histories = fc.array(
  fc.array(fc.tuple(fc.nat({ max: 100 }), fc.integer({ min: 1, max: 50 })), { maxLength: 12 }),
  { minLength: 3, maxLength: 20 },
);

describe('a temporal split', () => {
  it('trains on what came before its first moment, and nothing else; targets are the first events after', () => {
    let checked = 0;
    fc.assert(
      fc.property(histories, (made) => {
        const data = dataOf(made);
        const times = data.timestamps!;
        let split: ReturnType<typeof temporalSplit>;
        try {
          split = temporalSplit(data, { validation: 0.25, test: 0.25 });
        } catch {
          return; // Nobody to evaluate.
        }
        checked++;
        const sorted = [...times].sort((a, b) => a - b);
        const first = sorted[Math.floor(0.5 * sorted.length)]!;
        const second = sorted[Math.floor(0.75 * sorted.length)]!;
        const { train, heldOut } = split;
        expect(train.timestamps!.every((time) => time < first)).toBe(true);
        expect(train.items.length).toBe(times.filter((time) => time < first).length);
        for (const [part, from, until] of [
          ['validation', first, second],
          ['test', second, Number.POSITIVE_INFINITY],
        ] as const) {
          const { users, ends, targets } = heldOut[part];
          const expected = made.flatMap((_, u) => {
            const own = Array.from(
              { length: data.offsets[u + 1]! - data.offsets[u]! },
              (_e, i) => data.offsets[u]! + i,
            );
            const at = own.find((i) => times[i]! >= from);
            return at !== undefined && at > data.offsets[u]! && times[at]! < until ? [{ u, at }] : [];
          });
          expect([...users]).toEqual(expected.map(({ u }) => u));
          expect([...ends]).toEqual(expected.map(({ at }) => at));
          expect([...targets]).toEqual(expected.map(({ at }) => data.items[at]));
        }
      }),
    );
    expect(checked).toBeGreaterThan(50);
  });

  it('of data in which others did something else later is the same for training', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 50 }), (made, item) => {
        const shares = { validation: 0.25, test: 0.25 };
        const data = dataOf(made);
        let before: ReturnType<typeof temporalSplit>;
        try {
          before = temporalSplit(data, shares);
        } catch {
          return;
        }
        const first = Math.min(...before.heldOut.validation.ends.map((at) => data.timestamps![at]!));
        const changed = {
          ...data,
          items: data.items.map((own, i) => (data.timestamps![i]! >= first ? item : own)),
        };
        expect(temporalSplit(changed, shares).train).toEqual(before.train);
      }),
    );
  });

  it('refuses what it cannot split', () => {
    const data = dataOf([
      [
        [1, 1],
        [2, 2],
        [3, 3],
      ],
      [
        [1, 4],
        [2, 5],
        [9, 6],
      ],
    ]);
    expect(() => temporalSplit({ ...data, timestamps: null }, { validation: 0.1, test: 0.1 })).toThrow(
      /needs timestamps/,
    );
    for (const [validation, test] of [
      [0, 0.1],
      [0.5, 0.5],
      [Number.NaN, 0.1],
    ] as const)
      expect(() => temporalSplit(data, { validation, test })).toThrow(/shares of a temporal split/);
    const apart = dataOf([
      [
        [1, 1],
        [2, 2],
      ],
      [
        [8, 4],
        [9, 5],
      ],
    ]);
    expect(() => temporalSplit(apart, { validation: 0.25, test: 0.25 })).toThrow(/leaves no user/);
  });
});

it('without a wish, data are split leave-one-out', () => {
  const data = dataOf([
    [
      [1, 1],
      [2, 2],
      [3, 3],
    ],
    [[1, 4]],
  ]);
  expect(splitInteractions(data)).toEqual(leaveOneOut(data));
  const { heldOut } = leaveOneOut(data);
  expect(heldOut.test).toEqual({
    users: Int32Array.of(0),
    ends: Int32Array.of(2),
    targets: Int32Array.of(3),
  });
  expect(heldOut.validation).toEqual({
    users: Int32Array.of(0),
    ends: Int32Array.of(1),
    targets: Int32Array.of(2),
  });
  expect([splitLabel(undefined), splitLabel({ temporal: { validation: 0.1, test: 0.2 } })]).toEqual([
    'leave-one-out',
    'temporal 0.1/0.2',
  ]);
});
