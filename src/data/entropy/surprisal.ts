/**
 * How surprising a history is to someone who knows the other users: a bigram of items with Witten-Bell smoothing (Witten & Bell,
 * IEEE Trans. Inf. Theory 37, 1991; no constant to choose), counted without the user it is asked about. Unlike the
 * entropies of one history it has a value where no item comes twice, and it is made of what a sequential model can learn.
 */
import type { Sequences } from '../interactions.js';
import { PairTable } from './pair-table.js';

/** Counts of items and of pairs of successive items, a user at a time in and out. */
class Bigram {
  private events = 0;
  private readonly occurs: Int32Array;
  /** How often an item is followed, and by how many different ones. */
  private readonly followed: Int32Array;
  private readonly successors: Int32Array;
  private readonly pairs: PairTable;

  constructor(
    private readonly numItems: number,
    tokens: number,
  ) {
    this.occurs = new Int32Array(numItems + 1);
    this.followed = new Int32Array(numItems + 1);
    this.successors = new Int32Array(numItems + 1);
    this.pairs = new PairTable();
    this.pairs.reset(tokens);
  }

  /** @param by 1 counts the history, -1 takes it out again. */
  count(history: Int32Array, by: 1 | -1): void {
    this.events += by * history.length;
    for (let t = 0; t < history.length; t++) {
      const item = history[t]!;
      this.occurs[item]! += by;
      if (t === 0) continue;
      const before = history[t - 1]!;
      const old = Math.max(0, this.pairs.get(before, item));
      this.pairs.set(before, item, old + by);
      this.followed[before]! += by;
      if (Math.min(old, old + by) === 0) this.successors[before]! += by;
    }
  }

  /** Mean -ln p of the history's events, nats: each by the one before it, the first by popularity. */
  surprisal(history: Int32Array): number {
    let sum = 0;
    for (let t = 0; t < history.length; t++) {
      const item = history[t]!;
      // one more of every item, so that none is impossible
      const popularity = (this.occurs[item]! + 1) / (this.events + this.numItems);
      const before = t === 0 ? 0 : history[t - 1]!;
      const kinds = this.successors[before]!;
      const seen = kinds === 0 ? 0 : Math.max(0, this.pairs.get(before, item));
      const p = kinds === 0 ? popularity : (seen + kinds * popularity) / (this.followed[before]! + kinds);
      sum -= Math.log(p);
    }
    return sum / history.length;
  }
}

/**
 * Mean surprisal of each row's events to a bigram of all other rows, in nats, [rows]; NaN for a row without events. O(tokens).
 * @param sequences rows of item numbers from 1 on.
 */
export function surprisalByRow({ users, offsets, items }: Sequences): Float64Array {
  const rows = users.length;
  const [first, last] = [offsets[0]!, offsets[rows]!];
  let numItems = 0;
  for (let i = first; i < last; i++) numItems = Math.max(numItems, items[i]!);
  const history = (row: number) => items.subarray(offsets[row]!, offsets[row + 1]!);
  const bigram = new Bigram(numItems, last - first);
  for (let row = 0; row < rows; row++) bigram.count(history(row), 1);
  return Float64Array.from({ length: rows }, (_, row) => {
    const own = history(row);
    bigram.count(own, -1);
    const value = bigram.surprisal(own);
    bigram.count(own, 1);
    return value;
  });
}

/** Mean surprisal of an event to a bigram of the other users, in nats: the rows' means weighed by their events; NaN without events. */
export function meanSurprisal(sequences: Sequences): number {
  const { offsets } = sequences;
  let sum = 0;
  let events = 0;
  surprisalByRow(sequences).forEach((value, row) => {
    const length = offsets[row + 1]! - offsets[row]!;
    if (length > 0) sum += length * value;
    events += length;
  });
  return sum / events;
}
