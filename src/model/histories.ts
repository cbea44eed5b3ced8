/**
 * The histories of a packed batch, one by one: where each lies, the time between its items, and the way between the packed
 * layout [rows * length] and one history a line, [histories, longest].
 */
import type { PackedBatch } from './sequence-model.js';

export interface Histories {
  /** [histories]: position of the first item in the packed layout, and number of items. */
  starts: Int32Array;
  lengths: Int32Array;
  /** Items of the longest. */
  longest: number;
}

/** Histories in the order in which they lie; a history begins at a reset, at the start of a row and after padding. */
export function historiesOf({ rows, length, items, reset }: PackedBatch): Histories {
  const starts: number[] = [];
  const lengths: number[] = [];
  let longest = 0;
  for (let p = 0; p < rows * length; p++) {
    if (items[p] === 0) continue;
    if (p % length === 0 || reset[p] !== 0 || items[p - 1] === 0) {
      starts.push(p);
      lengths.push(0);
    }
    longest = Math.max(longest, ++lengths[lengths.length - 1]!);
  }
  return { starts: Int32Array.from(starts), lengths: Int32Array.from(lengths), longest };
}

/**
 * For each packed position its index in [histories * width], and `histories * width` (one past the end) where padded.
 * @param size rows * length.
 */
export function lineIndices({ starts, lengths }: Histories, width: number, size: number): Int32Array {
  const indices = new Int32Array(size).fill(starts.length * width);
  for (let h = 0; h < starts.length; h++)
    for (let i = 0; i < lengths[h]!; i++) indices[starts[h]! + i] = h * width + i;
  return indices;
}

/** [size]: for each packed position the one that mirrors it within its own history; itself where padded. */
export function mirrorIndices({ starts, lengths }: Histories, size: number): Int32Array {
  const indices = Int32Array.from({ length: size }, (_, p) => p);
  for (let h = 0; h < starts.length; h++)
    for (let i = 0; i < lengths[h]!; i++) indices[starts[h]! + i] = starts[h]! + lengths[h]! - 1 - i;
  return indices;
}

/**
 * [histories, width], float64: seconds since the item before, 0 for the first item.
 * @param padded whether a history is followed by timestamps of 0, as in a right-padded row (the difference to the first of
 * them is huge and negative, as in TiM4Rec's released code), or by differences of 0.
 */
export function timeGaps(
  { starts, lengths }: Histories,
  timestamps: Float64Array,
  width: number,
  padded: boolean,
): Float64Array {
  const gaps = new Float64Array(starts.length * width);
  for (let h = 0; h < starts.length; h++) {
    const [from, n] = [starts[h]!, lengths[h]!];
    for (let i = 1; i < n; i++) gaps[h * width + i] = timestamps[from + i]! - timestamps[from + i - 1]!;
    if (padded && n < width) gaps[h * width + n] = -timestamps[from + n - 1]!;
  }
  return gaps;
}
