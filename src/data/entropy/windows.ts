/**
 * Counts how often each window (run of k consecutive symbols) occurs, for k = 1, 2, ..., in O(n) a step and without a
 * hash table: windows of equal content stand together as a group, and a group is split by the next symbol with one dense
 * counter. Memory: two Int32Arrays of n for the order, one for the group bounds, one counter a symbol.
 */

/** Scratch space for windows over symbols 0..maxSymbol in series of at most `capacity` symbols; reuse it for many series. */
export class WindowCounter {
  private order: Int32Array;
  private next: Int32Array;
  private bounds: Int32Array;
  private nextBounds: Int32Array;
  private readonly counts: Int32Array;
  private readonly touched: Int32Array;

  constructor(capacity: number, maxSymbol: number) {
    this.order = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    this.bounds = new Int32Array(capacity + 1);
    this.nextBounds = new Int32Array(capacity + 1);
    this.counts = new Int32Array(maxSymbol + 1);
    this.touched = new Int32Array(Math.min(capacity, maxSymbol + 1));
  }

  /**
   * Mean of ln C_i^k for k = 1..longest, where C_i^k is the share of the windows of length k that equal the i-th
   * (itself counted): Phi^k of Pincus (1991) at tolerance 0.
   * @param symbols a window is `symbols[i .. i + k)`.
   * @param start first position where a window may begin.
   * @param end one past the last such position.
   * @param isLast `isLast[p] = 1` where a series ends at p, so that no window goes past p. Without it only `end` bounds
   *   windows; `limit` then says how far symbols may be read (circular windows read beyond `end`).
   * @returns Phi^1..Phi^longest; NaN where there is no window of that length.
   */
  phi(
    symbols: Int32Array,
    start: number,
    end: number,
    longest: number,
    isLast?: Uint8Array,
    limit: number = end,
  ): number[] {
    const phis: number[] = [];
    let windows = end - start;
    for (let p = start; p < end; p++) this.order[p - start] = p;
    this.bounds[0] = 0;
    this.bounds[1] = windows;
    let groups = windows > 0 ? 1 : 0;
    for (let k = 0; k < longest; k++) {
      [windows, groups] = this.split(symbols, k, windows === 0 ? 0 : groups, isLast, limit);
      phis.push(windows === 0 ? Number.NaN : this.meanLog(groups, windows));
    }
    return phis;
  }

  /** Extends windows of length k to k + 1. Returns how many remain and in how many groups. */
  private split(
    symbols: Int32Array,
    k: number,
    groups: number,
    isLast: Uint8Array | undefined,
    limit: number,
  ): [number, number] {
    const { order, next, bounds, nextBounds, counts, touched } = this;
    let written = 0;
    let made = 0;
    for (let g = 0; g < groups; g++) {
      const from = bounds[g]!;
      const to = bounds[g + 1]!;
      let distinct = 0;
      for (let j = from; j < to; j++) {
        const p = order[j]! + k;
        if (p >= limit || (isLast && k > 0 && isLast[p - 1])) continue;
        const symbol = symbols[p]!;
        if (counts[symbol]!++ === 0) touched[distinct++] = symbol;
      }
      // Counts become the places where each symbol's windows are written.
      let at = written;
      for (let d = 0; d < distinct; d++) {
        const symbol = touched[d]!;
        const size = counts[symbol]!;
        nextBounds[made++] = at;
        counts[symbol] = at;
        at += size;
      }
      for (let j = from; j < to; j++) {
        const p = order[j]! + k;
        if (p >= limit || (isLast && k > 0 && isLast[p - 1])) continue;
        next[counts[symbols[p]!]!++] = order[j]!;
      }
      for (let d = 0; d < distinct; d++) counts[touched[d]!] = 0;
      written = at;
    }
    nextBounds[made] = written;
    this.order = next;
    this.next = order;
    this.bounds = nextBounds;
    this.nextBounds = bounds;
    return [written, made];
  }

  private meanLog(groups: number, windows: number): number {
    let sum = 0;
    for (let g = 0; g < groups; g++) {
      const size = this.bounds[g + 1]! - this.bounds[g]!;
      sum += size * Math.log(size / windows);
    }
    return sum / windows;
  }
}

/** Symbols of any kind as 0, 1, 2, ... in order of first appearance. */
export function encodeSymbols(series: ArrayLike<number | string>): { symbols: Int32Array; distinct: number } {
  const codes = new Map<number | string, number>();
  const symbols = new Int32Array(series.length);
  for (let i = 0; i < series.length; i++) {
    const value = series[i]!;
    let code = codes.get(value);
    if (code === undefined) {
      code = codes.size;
      codes.set(value, code);
    }
    symbols[i] = code;
  }
  return { symbols, distinct: codes.size };
}
