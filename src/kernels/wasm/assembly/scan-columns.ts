// Columns of the selective scan: four channels side by side, gathered from rows and scattered back; padded states.
import { VEC } from './math';

/** Steps whose states one channel keeps at a time in the backward pass. */
// @ts-ignore: decorator
@inline export const BLOCK: i32 = 256;
// @ts-ignore: decorator
@inline export const LOG2E: f32 = 1.44269504;

// @ts-ignore: decorator
@inline export function padded(states: i32): i32 {
  return (states + 3) & ~3;
}

/** Bytes of scratch for both directions. */
export function scanScratchBytes(length: i32, states: i32): i32 {
  const wide = padded(states) * 4;
  const blocks = (length + BLOCK - 1) / BLOCK;
  return 4 * length * wide + 8 * length * 16 + 4 * wide + 2 * (min(length, BLOCK) + 1) * wide + (blocks + 1) * wide;
}

/** Copies rows of `states` floats into rows of `wide` bytes, zero-filled. */
export function copyPadded(rows: i32, states: i32, from: usize, to: usize): void {
  const wide = <usize>padded(states) << 2;
  const narrow = <usize>states << 2;
  if (wide == narrow) {
    memory.copy(to, from, <usize>rows * wide);
    return;
  }
  memory.fill(to, 0, <usize>rows * wide);
  for (let r = 0; r < rows; r++) memory.copy(to + <usize>r * wide, from + <usize>r * narrow, narrow);
}

/** The inverse of copyPadded. */
export function copyNarrow(rows: i32, states: i32, from: usize, to: usize): void {
  const wide = <usize>padded(states) << 2;
  const narrow = <usize>states << 2;
  for (let r = 0; r < rows; r++) memory.copy(to + <usize>r * narrow, from + <usize>r * wide, narrow);
}

/** Four channels from column c0 of [length, channels] into [length, 4]; missing channels are zero. */
export function gather(length: i32, channels: i32, c0: i32, from: usize, to: usize): void {
  const row = <usize>channels << 2;
  from += <usize>c0 << 2;
  if (c0 + 4 <= channels) {
    for (let t = 0; t < length; t++, from += row, to += VEC) v128.store(to, v128.load(from));
    return;
  }
  for (let t = 0; t < length; t++, from += row, to += VEC)
    for (let c = 0; c < 4; c++) store<f32>(to + (<usize>c << 2), c0 + c < channels ? load<f32>(from + (<usize>c << 2)) : 0);
}

/** The inverse of gather. */
export function scatter(length: i32, channels: i32, c0: i32, from: usize, to: usize): void {
  const row = <usize>channels << 2;
  to += <usize>c0 << 2;
  if (c0 + 4 <= channels) {
    for (let t = 0; t < length; t++, to += row, from += VEC) v128.store(to, v128.load(from));
    return;
  }
  for (let t = 0; t < length; t++, to += row, from += VEC)
    for (let c = 0; c0 + c < channels; c++) store<f32>(to + (<usize>c << 2), load<f32>(from + (<usize>c << 2)));
}

/** Four values of a per-channel vector (zero where absent or missing). */
export function four(vector: usize, c0: i32, channels: i32): v128 {
  if (!vector) return f32x4.splat(0);
  const at = vector + (<usize>c0 << 2);
  if (c0 + 4 <= channels) return v128.load(at);
  let value = f32x4.splat(0);
  if (c0 < channels) value = f32x4.replace_lane(value, 0, load<f32>(at));
  if (c0 + 1 < channels) value = f32x4.replace_lane(value, 1, load<f32>(at, 4));
  if (c0 + 2 < channels) value = f32x4.replace_lane(value, 2, load<f32>(at, 8));
  return value;
}

/** One row of A, times log2(e) so that the decay is a power of two. */
export function scaledA(states: i32, a: usize, to: usize): void {
  copyPadded(1, states, a, to);
  for (let n: usize = 0; n < <usize>padded(states) << 2; n += VEC)
    v128.store(to + n, f32x4.mul(v128.load(to + n), f32x4.splat(LOG2E)));
}

