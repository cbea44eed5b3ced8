// Columns of the scans: eight channels side by side are the lanes of a pair of vectors, taken from rows and put back.
import { PAIR, sum4 } from '../math';

/** Channels of a group. */
// @ts-ignore: decorator
@inline export const EIGHT: i32 = 8;

/**
 * Bytes from one step of a group to the next, where its columns are used as they lie in rows of `channels` floats; a group of fewer
 * than EIGHT is copied, [length, EIGHT].
 */
// @ts-ignore: decorator
@inline export function strideOf(channels: i32, count: i32): usize {
  return count == EIGHT ? <usize>channels << 2 : PAIR;
}

/** Where the columns from c0 are: in their rows, or, fewer than EIGHT, copied to `spare` with zeros for those that are missing. */
export function columns(length: i32, channels: i32, c0: i32, count: i32, rows: usize, spare: usize): usize {
  rows += <usize>c0 << 2;
  if (count == EIGHT) return rows;
  for (let t = 0, to = spare; t < length; t++, rows += <usize>channels << 2, to += PAIR)
    for (let c = 0; c < EIGHT; c++) store<f32>(to + (<usize>c << 2), c < count ? load<f32>(rows + (<usize>c << 2)) : 0);
  return spare;
}

/** Where the columns from c0 are to be written: in their rows or, fewer than EIGHT, in `spare`, for putBack. */
// @ts-ignore: decorator
@inline export function target(c0: i32, count: i32, rows: usize, spare: usize): usize {
  return count == EIGHT ? rows + (<usize>c0 << 2) : spare;
}

/** Copies fewer than EIGHT columns from where `target` had them written into their rows. */
export function putBack(length: i32, channels: i32, c0: i32, count: i32, spare: usize, rows: usize): void {
  if (count == EIGHT) return;
  rows += <usize>c0 << 2;
  for (let t = 0; t < length; t++, rows += <usize>channels << 2, spare += PAIR)
    for (let c = 0; c < count; c++) store<f32>(rows + (<usize>c << 2), load<f32>(spare + (<usize>c << 2)));
}

// @ts-ignore: decorator
@inline export const LOG2E: f32 = 1.44269504;
// @ts-ignore: decorator
@inline export const LN2: f32 = 0.69314718;

/** Rows of `narrow` floats into rows of `wide`, zero-filled. */
export function widen(rows: i32, narrow: i32, wide: i32, from: usize, to: usize): void {
  const bytes = <usize>wide << 2;
  if (wide == narrow) {
    memory.copy(to, from, <usize>rows * bytes);
    return;
  }
  memory.fill(to, 0, <usize>rows * bytes);
  for (let r = 0; r < rows; r++)
    memory.copy(to + <usize>r * bytes, from + (<usize>(r * narrow) << 2), <usize>narrow << 2);
}

/** Up to EIGHT values of a per-channel vector, from c0; zero where absent or missing. */
export function take(vector: usize, c0: i32, count: i32, to: usize): void {
  for (let c = 0; c < EIGHT; c++)
    store<f32>(to + (<usize>c << 2), vector && c < count ? load<f32>(vector + (<usize>(c0 + c) << 2)) : 0);
}

/** Adds up to EIGHT per-channel sums to a vector. */
export function addSums(vector: usize, c0: i32, count: i32, sums: usize): void {
  for (let c = 0; c < count; c++) {
    const at = vector + (<usize>(c0 + c) << 2);
    store<f32>(at, load<f32>(at) + load<f32>(sums + (<usize>c << 2)));
  }
}

/** Two vectors of zeros. */
// @ts-ignore: decorator
@inline export function zeroPair(at: usize): void {
  v128.store(at, f32x4.splat(0), 16);
  v128.store(at, f32x4.splat(0));
}

/** Sums of the four lanes of `count` vectors, `stride` bytes apart. */
export function sumLanes(count: i32, from: usize, stride: usize, to: usize): void {
  for (let i = 0; i < count; i++, from += stride, to += 4) store<f32>(to, sum4(v128.load(from)));
}
