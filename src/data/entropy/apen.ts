/**
 * Approximate Entropy: ApEn(m, r) = Phi^m - Phi^(m+1), Phi^m the mean of ln C_i^m, C_i^m the share of the windows of
 * length m within r of the i-th in the maximum norm, itself counted (Pincus, PNAS 1991). In nats.
 * Items are categories, so histories use r = 0 (equality) and are counted in O(n); r > 0 is for numeric series.
 */
import { UserError } from '../../util/errors.js';
import type { Sequences } from '../interactions.js';
import { encodeSymbols, WindowCounter } from './windows.js';

/** The parameters of Approximate Entropy, named as in Pincus (1991). */
export interface ApEnOptions {
  /** Window length m; 1 by default. */
  m?: number;
  /** Tolerance r; 0 (equality) by default. Above 0 the series must be numeric. */
  r?: number;
  /** Windows run on from the end to the start, as in NIST SP 800-22. */
  circular?: boolean;
}

/**
 * Phi^1..Phi^longest of one series.
 * @throws UserError when r > 0 and a value is not a finite number.
 */
export function apenPhi(
  series: ArrayLike<number | string>,
  longest: number,
  options: Omit<ApEnOptions, 'm'> = {},
): number[] {
  const { r = 0, circular = false } = options;
  if (!(r >= 0) || !Number.isFinite(r)) throw new UserError(`the tolerance r must be 0 or more, not ${r}`);
  const n = series.length;
  if (r > 0) return tolerantPhi(numericSeries(series), longest, r, circular);
  const { symbols, distinct } = encodeSymbols(series);
  const counter = new WindowCounter(n, Math.max(0, distinct - 1));
  if (!circular || n === 0) return counter.phi(symbols, 0, n, longest);
  const wrapped = Int32Array.from({ length: n + longest - 1 }, (_, i) => symbols[i % n]!);
  return counter.phi(wrapped, 0, n, longest, undefined, wrapped.length);
}

/**
 * Approximate Entropy of one series (Pincus 1991), in nats: Phi^m - Phi^(m+1), Phi^m the mean of ln C_i^m, C_i^m the share of the
 * windows of length m within r of the i-th in the maximum norm, itself counted. O(n) where r = 0.
 * @param series symbols (numbers or strings) where r = 0, numbers where r > 0. A series of at most m values has none (NaN).
 * @throws UserError when m is not a whole number of at least 0, r is negative, or r > 0 and a value is not a number.
 */
export function approximateEntropy(series: ArrayLike<number | string>, options: ApEnOptions = {}): number {
  const m = checkWindow(options.m ?? 1);
  const phis = apenPhi(series, m + 1, options);
  return (m === 0 ? 0 : phis[m - 1]!) - phis[m]!;
}

/** Population standard deviation: the customary unit of r, as in r = 0.2 std. */
export function standardDeviation(series: ArrayLike<number>): number {
  const n = series.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += series[i]! / n;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (series[i]! - mean) ** 2;
  return Math.sqrt(sum / n);
}

/** ApEn of all users' histories as one stream, with no window across two users. Nats; NaN where no history is longer than m. */
export function pooledApproximateEntropy(sequences: Sequences, m = 1): number {
  checkWindow(m);
  const { offsets, items, users } = sequences;
  const start = offsets[0]!;
  const end = offsets[users.length]!;
  const isLast = new Uint8Array(items.length);
  for (let u = 0; u < users.length; u++) if (offsets[u + 1]! > offsets[u]!) isLast[offsets[u + 1]! - 1] = 1;
  const phis = new WindowCounter(end - start, maxOf(items, start, end)).phi(items, start, end, m + 1, isLast);
  return (m === 0 ? 0 : phis[m - 1]!) - phis[m]!;
}

export interface PerUserApEn {
  /** Mean over the users with more than m events; NaN where there is none. Nats. */
  mean: number;
  users: number;
  /** Users in whose history no item occurs twice: their ApEn is -ln((n-m+1)/(n-m)), a function of length alone. */
  withoutRepeats: number;
}

/** Mean over users of the ApEn of each one's own history. */
export function perUserApproximateEntropy(sequences: Sequences, m = 1): PerUserApEn {
  checkWindow(m);
  const { offsets, items, users } = sequences;
  let longest = 0;
  for (let u = 0; u < users.length; u++) longest = Math.max(longest, offsets[u + 1]! - offsets[u]!);
  const maxItem = maxOf(items, offsets[0]!, offsets[users.length]!);
  const counter = new WindowCounter(longest, maxItem);
  const seenBy = new Int32Array(maxItem + 1).fill(-1);
  let sum = 0;
  let counted = 0;
  let withoutRepeats = 0;
  for (let u = 0; u < users.length; u++) {
    const from = offsets[u]!;
    const to = offsets[u + 1]!;
    const n = to - from;
    if (n <= m) continue;
    counted++;
    let repeats = false;
    for (let i = from; i < to && !repeats; i++) {
      repeats = seenBy[items[i]!] === u;
      seenBy[items[i]!] = u;
    }
    if (!repeats) {
      // Every window is unlike every other, so Phi^k = -ln(number of windows).
      withoutRepeats++;
      sum += m === 0 ? Math.log(n) : Math.log(n - m) - Math.log(n - m + 1);
      continue;
    }
    const phis = counter.phi(items, from, to, m + 1);
    sum += (m === 0 ? 0 : phis[m - 1]!) - phis[m]!;
  }
  return { mean: counted === 0 ? Number.NaN : sum / counted, users: counted, withoutRepeats };
}

function checkWindow(m: number): number {
  if (!Number.isInteger(m) || m < 0)
    throw new UserError(`the window length m must be a whole number, 0 or more, not ${m}`);
  return m;
}

function maxOf(items: Int32Array, from: number, to: number): number {
  let max = 0;
  for (let i = from; i < to; i++) if (items[i]! > max) max = items[i]!;
  return max;
}

function numericSeries(series: ArrayLike<number | string>): Float64Array {
  const values = new Float64Array(series.length);
  for (let i = 0; i < series.length; i++) {
    const value = series[i]!;
    values[i] = typeof value === 'number' || value.trim() !== '' ? Number(value) : Number.NaN;
    if (!Number.isFinite(values[i]!))
      throw new UserError(`value ${i + 1} of the series, ${JSON.stringify(value)}, is not a number`, {
        remedy: 'A tolerance r > 0 needs numbers; use r = 0 to compare symbols.',
      });
  }
  return values;
}

/**
 * Phi^k with a tolerance. Windows are sorted by their first value, so only those within r in it are compared further:
 * O(n log n + candidates), quadratic only where r spans much of the range.
 */
function tolerantPhi(values: Float64Array, longest: number, r: number, circular: boolean): number[] {
  const n = values.length;
  const at = (i: number) => values[i < n ? i : i - n]!;
  const order = Int32Array.from({ length: n }, (_, i) => i).sort((a, b) => values[a]! - values[b]! || a - b);
  // matches[k - 1][i]: windows of length k within r of the i-th, itself included.
  const matches = Array.from({ length: longest }, () => new Int32Array(n).fill(1));
  const lengthAt = (i: number) => (circular ? longest : Math.min(longest, n - i));
  for (let a = 0; a < n; a++) {
    const i = order[a]!;
    for (let b = a + 1; b < n; b++) {
      const j = order[b]!;
      if (values[j]! - values[i]! > r) break;
      const common = Math.min(lengthAt(i), lengthAt(j));
      for (let k = 0; k < common; k++) {
        if (k > 0 && !(Math.abs(at(i + k) - at(j + k)) <= r)) break;
        matches[k]![i]!++;
        matches[k]![j]!++;
      }
    }
  }
  return matches.map((counts, k) => {
    const windows = circular ? n : n - k;
    if (windows <= 0) return Number.NaN;
    let sum = 0;
    for (let i = 0; i < windows; i++) sum += Math.log(counts[i]! / windows);
    return sum / windows;
  });
}
