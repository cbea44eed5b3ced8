/** Shannon entropy of how often each symbol occurs, order disregarded: -sum p ln p, in nats (Shannon 1948). */
import { encodeSymbols } from './windows.js';

/** Entropy -sum p ln p of how often each symbol of a series occurs (Shannon 1948), in nats; NaN for an empty one. */
export function shannonEntropy(series: ArrayLike<number | string>): number {
  const { symbols, distinct } = encodeSymbols(series);
  return entropyOfItems(symbols, distinct - 1);
}

/** The same for whole numbers 0..maxItem, without a map. */
export function entropyOfItems(items: Int32Array, maxItem: number): number {
  if (items.length === 0) return Number.NaN;
  const counts = new Float64Array(maxItem + 1);
  for (let i = 0; i < items.length; i++) counts[items[i]!]!++;
  let sum = 0;
  for (const count of counts) if (count > 0) sum += count * Math.log(count);
  return Math.log(items.length) - sum / items.length;
}
