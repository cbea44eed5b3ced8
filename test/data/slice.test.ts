import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { surprisalByRow } from '../../src/data/entropy/surprisal.js';
import type { Sequences } from '../../src/data/interactions.js';
import { isOtherQuality, parseSlice, sliceLabel, sliceSequences } from '../../src/data/slice.js';
import { generateSynthetic } from '../../src/data/synthetic.js';
import { UserError } from '../../src/util/errors.js';
import { rowsOf, sequencesOf } from './sequences.js';

const train: Sequences = (() => {
  const data = generateSynthetic({ users: 60, items: 40, clusters: 4, meanLength: 12 });
  return {
    users: Int32Array.from({ length: 60 }, (_, u) => u),
    offsets: data.offsets,
    items: data.items,
    timestamps: data.timestamps,
  };
})();
const withoutClock = { ...train, timestamps: null };
const share = fc.double({ min: 0.01, max: 1, noNaN: true });

describe('sliceSequences', () => {
  it('keeps everything by default', () => {
    expect(sliceSequences(train, { users: 1 })).toEqual(train);
  });

  it('is nested: a smaller slice is contained in a larger one', () => {
    fc.assert(
      fc.property(share, share, share, share, fc.boolean(), (u1, u2, t1, t2, clock) => {
        const data = clock ? train : withoutClock;
        const small = sliceSequences(data, { users: Math.min(u1, u2), time: Math.min(t1, t2) });
        const large = sliceSequences(data, { users: Math.max(u1, u2), time: Math.max(t1, t2) });
        const rows = new Map(rowsOf(large).map((row, i) => [large.users[i], row]));
        rowsOf(small).forEach((row, i) => {
          expect(rows.get(small.users[i])?.slice(0, row.length)).toEqual(row);
        });
      }),
    );
  });

  it('takes the share asked for', () => {
    expect(sliceSequences(train, { users: 0.5 }).users.length).toBe(30);
    expect(sliceSequences(train, { users: 0.001 }).users.length).toBe(1);
    const tokens = train.items.length;
    const timed = sliceSequences(train, { users: 1, time: 0.3 });
    expect(timed.items.length).toBe(Math.round(0.3 * tokens));
    const cutoff = [...train.timestamps!].sort((a, b) => a - b)[Math.round(0.3 * tokens) - 1]!;
    expect(Math.max(...timed.timestamps!)).toBe(cutoff);
  });

  it('takes a scattered half of the users, not the first', () => {
    const users = sliceSequences(train, { users: 0.5 }).users;
    expect([...users]).toEqual([...users].sort((a, b) => a - b));
    expect(users[users.length - 1]).toBeGreaterThan(45);
  });

  it('breaks ties of time in row order, and drops users left with nothing', () => {
    const data = sequencesOf([[1, 2], [3], [4, 5]], [[10, 20], [10], [10, 30]]);
    const slice = sliceSequences(data, { users: 1, time: 0.4 });
    expect(rowsOf(slice)).toEqual([[1], [3]]);
    expect([...slice.users]).toEqual([0, 1]);
  });

  it('keeps the last maxLength events', () => {
    const slice = sliceSequences(sequencesOf([[1, 2, 3], [4]]), { users: 1, maxLength: 2 });
    expect(rowsOf(slice)).toEqual([[2, 3], [4]]);
    expect(rowsOf(sliceSequences(withoutClock, { users: 1, time: 0.5, maxLength: 3 }))[0]).toHaveLength(3);
  });

  it('leaves its input alone', () => {
    const data = sequencesOf([[1, 2, 3], [4]], [[3, 4, 5], [1]]);
    sliceSequences(data, { users: 0.5, time: 0.5, maxLength: 1 });
    expect(data).toEqual(sequencesOf([[1, 2, 3], [4]], [[3, 4, 5], [1]]));
  });
});

const altered = ['noise', 'repeats', 'shuffle'] as const;

describe('slices of another quality', () => {
  it('alter a larger share where a smaller one does, and alike; the same events in every slice', () => {
    fc.assert(
      fc.property(fc.constantFrom(...altered), share, share, share, (key, a, b, users) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        const plain = rowsOf(train);
        const small = rowsOf(sliceSequences(train, { users: 1, [key]: less }));
        const whole = sliceSequences(train, { users: 1, [key]: more });
        const large = rowsOf(whole);
        expect(whole.offsets).toEqual(train.offsets);
        small.forEach((row, u) => {
          row.forEach((item, i) => {
            if (item !== plain[u]![i]) expect(large[u]![i]).toBe(item);
          });
        });
        const part = sliceSequences(train, { users, [key]: more });
        rowsOf(part).forEach((row, i) => {
          expect(row).toEqual(large[part.users[i]!]);
        });
      }),
      { numRuns: 25 },
    );
  });

  it.each(altered)('alter about the share asked for: %s', (key) => {
    const plain = rowsOf(train);
    const changed = (amount: number) => {
      const rows = rowsOf(sliceSequences(train, { users: 1, [key]: amount }));
      return rows.flatMap((row, u) => row.map((item, i) => Number(item !== plain[u]![i])));
    };
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(changed(0))).toBe(0);
    // an altered event may get the item that it had
    expect(mean(changed(1))).toBeGreaterThan(0.8);
    // whole histories are shuffled, and there are sixty
    expect(Math.abs(mean(changed(0.4)) / mean(changed(1)) - 0.4)).toBeLessThan(
      key === 'shuffle' ? 0.15 : 0.05,
    );
  });

  it('shuffle keeps the items of a history, repeats bring nothing new, noise keeps the popular popular', () => {
    const plain = rowsOf(train);
    rowsOf(sliceSequences(train, { users: 1, shuffle: 1 })).forEach((row, u) => {
      expect(row.toSorted()).toEqual(plain[u]!.toSorted());
    });
    rowsOf(sliceSequences(train, { users: 1, repeats: 1 })).forEach((row, u) => {
      expect(row[0]).toBe(plain[u]![0]);
      row.slice(1).forEach((item, i) => {
        expect(plain[u]!.slice(Math.max(0, i - 9), i + 1)).toContain(item);
      });
    });
    const counts = (items: Int32Array) =>
      Float64Array.from({ length: 41 }, (_, i) => items.filter((x) => x === i).length);
    const before = counts(train.items);
    const after = counts(sliceSequences(train, { users: 1, noise: 1 }).items);
    const excess = before
      .map((count, i) => (after[i]! - count) ** 2 / Math.max(1, count))
      .reduce((a, b) => a + b);
    expect(excess / 40).toBeLessThan(2.5);
  });

  it('the latest share is what the earliest leaves', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.05, max: 0.95, noNaN: true }), fc.boolean(), (time, clock) => {
        const data = clock ? train : withoutClock;
        const early = sliceSequences(data, { users: 1, time });
        const late = sliceSequences(data, { users: 1, latest: 1 - time });
        const rows = new Map<number, number[]>();
        for (const part of [early, late])
          rowsOf(part).forEach((row, i) => {
            rows.set(part.users[i]!, [...(rows.get(part.users[i]!) ?? []), ...row]);
          });
        expect(Array.from(train.users, (user) => rows.get(user))).toEqual(rowsOf(train));
      }),
    );
  });

  it('picks the users that others predict, nested', () => {
    const surprisal = surprisalByRow(train);
    const mean = (users: Int32Array) => users.reduce((sum, user) => sum + surprisal[user]!, 0) / users.length;
    const pick = (users: number, pick: 'predictable' | 'surprising') =>
      sliceSequences(train, { users, pick }).users;
    expect(mean(pick(0.3, 'predictable'))).toBeLessThan(mean(sliceSequences(train, { users: 0.3 }).users));
    expect(mean(pick(0.3, 'surprising'))).toBeGreaterThan(mean(sliceSequences(train, { users: 0.3 }).users));
    expect([...pick(0.7, 'surprising')]).toEqual(expect.arrayContaining([...pick(0.3, 'surprising')]));
    const both = [...pick(0.5, 'predictable'), ...pick(0.5, 'surprising')];
    expect(new Set(both).size).toBe(60);
  });

  it('are told by their labels', () => {
    expect(['users=0.5,pick=surprising', 'noise=0.1', 'users=0.5,shuffle=1'].map(isOtherQuality)).toEqual([
      true,
      true,
      true,
    ]);
    expect(
      ['all', 'users=0.5,latest=0.3,length=5', 'pickles', 'my noise=3 slice'].map(isOtherQuality),
    ).toEqual([false, false, false, false]);
  });
});

describe('slices as text', () => {
  it.each([
    'all',
    'users=0.5',
    'users=0.5,length=50',
    'time=0.25',
    'users=0.1,time=0.2,length=7',
    'users=0.5,pick=surprising,latest=0.2,length=9,noise=0.1,repeats=0.2,shuffle=0.3',
  ])('%s', (text) => {
    expect(sliceLabel(parseSlice(text))).toBe(text);
  });

  it.each([
    'users=0',
    'users=1.5',
    'length=2.5',
    'time=-1',
    'user=1',
    '',
    'users=x',
    'users=1e999',
    'pick=surprising',
    'users=0.5,pick=odd',
    'time=0.5,latest=0.5',
    'noise=1.1',
    'shuffle=-0.1',
    'noise=',
  ])('refuses "%s"', (text) => {
    expect(() => parseSlice(text)).toThrow(UserError);
  });
});
