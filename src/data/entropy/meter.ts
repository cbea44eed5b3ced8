/**
 * Measures of histories that come one after another and are never whole in memory: what is kept is a count for each item
 * and for each pair of items that follow one another, and one batch of histories.
 */
import type { Sequences } from '../interactions.js';
import { perUserApproximateEntropy } from './apen.js';
import { compressionRatio } from './compression.js';
import { perUserLempelZiv } from './lempel-ziv.js';
import type { SequenceMeasures } from './measures.js';
import { PairTable } from './pair-table.js';

/** Events a batch: what the measures of single histories see at once. */
const BATCH = 1 << 20;

/** Add every user's history, then `finish`. The result equals `measureSequences` of all histories together. */
export class HistoryMeter {
  private readonly pairs = new PairTable();
  private pairCounts = new Float64Array(1 << 10);
  private numPairs = 0;
  private itemCounts = new Float64Array(1 << 10);
  private items = new Int32Array(BATCH);
  private offsets: number[] = [0];
  private users = 0;
  private tokens = 0;
  private repeats = 0;
  private compressed = 0;
  private apen = { sum: 0, users: 0 };
  private lempelZiv = { phrases: 0, prefix: 0, users: 0 };

  constructor() {
    this.pairs.reset(1 << 10);
  }

  /** Adds one user's items, oldest first; items are numbers from 1 on, small enough to count by. */
  add(history: ArrayLike<number>): void {
    const start = this.offsets[this.offsets.length - 1]!;
    const end = start + history.length;
    if (end > BATCH && start > 0) {
      this.flush();
      this.add(history);
      return;
    }
    if (end > this.items.length) this.items = new Int32Array(end);
    this.users++;
    this.tokens += history.length;
    const seen = new Set<number>();
    for (let i = 0; i < history.length; i++) {
      const item = history[i]!;
      this.items[start + i] = item;
      if (item >= this.itemCounts.length) this.itemCounts = enlarged(this.itemCounts, item + 1);
      this.itemCounts[item]!++;
      if (seen.has(item)) this.repeats++;
      else seen.add(item);
      if (i > 0) this.countPair(history[i - 1]!, item);
    }
    this.offsets.push(end);
  }

  finish(): SequenceMeasures {
    this.flush();
    const phi = (counts: Float64Array, windows: number) => {
      let sum = 0;
      for (const count of counts) if (count > 0) sum += count * Math.log(count / windows);
      return windows === 0 ? 0 : sum / windows;
    };
    let pairs = 0;
    for (let i = 0; i < this.numPairs; i++) pairs += this.pairCounts[i]!;
    const shannon = -phi(this.itemCounts, this.tokens);
    const mean = (sum: number, users: number) => (users === 0 ? 0 : sum / users);
    return {
      users: this.users,
      tokens: this.tokens,
      apenPooled: pairs === 0 ? 0 : -shannon - phi(this.pairCounts.subarray(0, this.numPairs), pairs),
      apenPerUser: mean(this.apen.sum, this.apen.users),
      lempelZiv: mean(this.lempelZiv.phrases, this.lempelZiv.users),
      lempelZivPrefix: mean(this.lempelZiv.prefix, this.lempelZiv.users),
      shannon,
      compression: mean(this.compressed, 4 * this.tokens),
      repeatShare: mean(this.repeats, this.tokens),
    };
  }

  private countPair(a: number, b: number): void {
    let at = this.pairs.get(a, b);
    if (at < 0) {
      at = this.numPairs++;
      this.pairs.set(a, b, at);
      if (at >= this.pairCounts.length) this.pairCounts = enlarged(this.pairCounts, at + 1);
    }
    this.pairCounts[at]!++;
  }

  /** The measures of single histories, batch by batch. */
  private flush(): void {
    const end = this.offsets[this.offsets.length - 1]!;
    if (end > 0) {
      const batch: Sequences = {
        users: new Int32Array(this.offsets.length - 1),
        offsets: Int32Array.from(this.offsets),
        items: this.items.subarray(0, end),
        timestamps: null,
      };
      const apen = perUserApproximateEntropy(batch);
      if (apen.users > 0) this.apen.sum += apen.mean * apen.users;
      this.apen.users += apen.users;
      const { phrases, prefix, users } = perUserLempelZiv(batch);
      if (users > 0) {
        this.lempelZiv.phrases += phrases * users;
        this.lempelZiv.prefix += prefix * users;
      }
      this.lempelZiv.users += users;
      this.compressed += compressionRatio(batch.items) * 4 * end;
    }
    this.offsets = [0];
  }
}

function enlarged(counts: Float64Array, needed: number) {
  const larger = new Float64Array(Math.max(needed, 2 * counts.length));
  larger.set(counts);
  return larger;
}
