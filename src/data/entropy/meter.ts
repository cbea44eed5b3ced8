/**
 * Measures of histories that come one after another and are never whole in memory: what is kept is a count for each item,
 * for each pair of items that follow one another and, for ApEn of longer windows, for each window, and one batch of histories.
 */
import type { Sequences } from '../interactions.js';
import { perUserApproximateEntropy } from './apen.js';
import { compressionRatio } from './compression.js';
import { perUserLempelZiv } from './lempel-ziv.js';
import { type SequenceMeasures, warningsOf } from './measures.js';
import { PairTable } from './pair-table.js';

/** Events a batch: what the measures of single histories see at once. */
const BATCH = 1 << 20;

/** How often each window of one length occurs. Windows are numbered by their first items' number and their last item. */
class WindowCounts {
  private readonly names = new PairTable();
  private counts = new Float64Array(1 << 10);
  private distinct = 0;
  private windows = 0;

  constructor() {
    this.names.reset(1 << 10);
  }

  /** Counts the window that adds `item` to the shorter one of number `prefix`; returns its number. */
  add(prefix: number, item: number): number {
    let name = this.names.get(prefix, item);
    if (name < 0) {
      name = this.distinct++;
      this.names.set(prefix, item, name);
      if (name >= this.counts.length) this.counts = enlarged(this.counts, name + 1);
    }
    this.counts[name]!++;
    this.windows++;
    return name;
  }

  /** Phi: the mean over all windows of the logarithm of the share that equals it; NaN where there is none. */
  phi(): number {
    return meanLogShare(this.counts.subarray(0, this.distinct), this.windows);
  }
}

function meanLogShare(counts: Float64Array, windows: number): number {
  let sum = 0;
  for (const count of counts) if (count > 0) sum += count * Math.log(count / windows);
  return sum / windows;
}

/** ApEn of the window length asked for; NaN where no history is long enough. */
export interface StreamedApEn {
  m: number;
  pooled: number;
  perUser: number;
}

/** Add every user's history, then `finish`. The result equals `measureSequences` of all histories together. */
export class HistoryMeter {
  private readonly m: number;
  /** Windows of 2, 3, ... m + 1 items. */
  private readonly longer: WindowCounts[];
  private itemCounts = new Float64Array(1 << 10);
  private items = new Int32Array(BATCH);
  private offsets: number[] = [0];
  private users = 0;
  private tokens = 0;
  private repeats = 0;
  private compressed = 0;
  private apen = { sum: 0, users: 0, withoutRepeats: 0 };
  private apenOfM = { sum: 0, users: 0 };
  private lempelZiv = { phrases: 0, prefix: 0, users: 0 };

  /** @param m window length of `apenOf`, beside the 1 of the other measures. */
  constructor(m = 1) {
    this.m = m;
    this.longer = Array.from({ length: Math.max(1, m) }, () => new WindowCounts());
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
      let name = item;
      for (let k = 0; k < this.longer.length && i + k + 1 < history.length; k++)
        name = this.longer[k]!.add(name, history[i + k + 1]!);
    }
    this.offsets.push(end);
  }

  finish(): SequenceMeasures {
    this.flush();
    const shannon = this.tokens === 0 ? 0 : -meanLogShare(this.itemCounts, this.tokens);
    const pairs = this.longer[0]!.phi();
    const mean = (sum: number, users: number) => (users === 0 ? 0 : sum / users);
    return {
      users: this.users,
      tokens: this.tokens,
      apenPooled: Number.isNaN(pairs) ? 0 : -shannon - pairs,
      apenPerUser: mean(this.apen.sum, this.apen.users),
      lempelZiv: mean(this.lempelZiv.phrases, this.lempelZiv.users),
      lempelZivPrefix: mean(this.lempelZiv.prefix, this.lempelZiv.users),
      shannon,
      compression: mean(this.compressed, 4 * this.tokens),
      repeatShare: mean(this.repeats, this.tokens),
    };
  }

  /** ApEn with windows of m; after `finish`. */
  apenOf(): StreamedApEn {
    const { m, longer } = this;
    const phi = (length: number) =>
      length === 0
        ? 0
        : length === 1
          ? meanLogShare(this.itemCounts, this.tokens)
          : longer[length - 2]!.phi();
    return { m, pooled: phi(m) - phi(m + 1), perUser: this.apenOfM.sum / this.apenOfM.users };
  }

  /** What a reader should know before trusting the measures; after `finish`. */
  warnings(measures: SequenceMeasures): string[] {
    return warningsOf(this.apen, measures);
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
      this.apen.withoutRepeats += apen.withoutRepeats;
      const ofM = this.m === 1 ? apen : perUserApproximateEntropy(batch, this.m);
      if (ofM.users > 0) this.apenOfM.sum += ofM.mean * ofM.users;
      this.apenOfM.users += ofM.users;
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
