import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sequences } from '../../src/data/interactions.js';
import { parseSlice, sliceLabel, sliceSequences } from '../../src/data/slice.js';
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

describe('slices as text', () => {
  it.each(['all', 'users=0.5', 'users=0.5,length=50', 'time=0.25', 'users=0.1,time=0.2,length=7'])(
    '%s',
    (text) => {
      expect(sliceLabel(parseSlice(text))).toBe(text);
    },
  );

  it.each(['users=0', 'users=1.5', 'length=2.5', 'time=-1', 'user=1', '', 'users=x', 'users=1e999'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseSlice(text)).toThrow(UserError);
    },
  );
});
