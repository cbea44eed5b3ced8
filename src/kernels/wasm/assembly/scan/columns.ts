// Columns of the scans: four channels side by side are the four lanes of a vector, taken from rows and put back.
import { sum4, VEC } from '../math';

// @ts-ignore: decorator
@inline export const LOG2E: f32 = 1.44269504;
// @ts-ignore: decorator
@inline export const LN2: f32 = 0.69314718;

/** `count` (at most four) columns from column c0 of [length, channels] into [length, 4]; missing ones are zero. */
export function gather(length: i32, channels: i32, c0: i32, count: i32, from: usize, to: usize): void {
  const row = <usize>channels << 2;
  from += <usize>c0 << 2;
  if (count == 4) {
    for (let t = 0; t < length; t++, from += row, to += VEC) v128.store(to, v128.load(from));
    return;
  }
  for (let t = 0; t < length; t++, from += row, to += VEC)
    for (let c = 0; c < 4; c++) store<f32>(to + (<usize>c << 2), c < count ? load<f32>(from + (<usize>c << 2)) : 0);
}

/** The inverse of gather. */
export function scatter(length: i32, channels: i32, c0: i32, count: i32, from: usize, to: usize): void {
  const row = <usize>channels << 2;
  to += <usize>c0 << 2;
  if (count == 4) {
    for (let t = 0; t < length; t++, to += row, from += VEC) v128.store(to, v128.load(from));
    return;
  }
  for (let t = 0; t < length; t++, to += row, from += VEC)
    for (let c = 0; c < count; c++) store<f32>(to + (<usize>c << 2), load<f32>(from + (<usize>c << 2)));
}

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

/** Up to four values of a per-channel vector; zero where absent or missing. */
export function four(vector: usize, c0: i32, count: i32): v128 {
  let value = f32x4.splat(0);
  if (!vector) return value;
  const at = vector + (<usize>c0 << 2);
  if (count == 4) return v128.load(at);
  value = f32x4.replace_lane(value, 0, load<f32>(at));
  if (count > 1) value = f32x4.replace_lane(value, 1, load<f32>(at, 4));
  if (count > 2) value = f32x4.replace_lane(value, 2, load<f32>(at, 8));
  return value;
}

/** Adds up to four per-channel sums to a vector. */
// @ts-ignore: decorator
@inline export function addFour(vector: usize, c0: i32, count: i32, value: v128): void {
  const at = vector + (<usize>c0 << 2);
  store<f32>(at, load<f32>(at) + f32x4.extract_lane(value, 0));
  if (count > 1) store<f32>(at, load<f32>(at, 4) + f32x4.extract_lane(value, 1), 4);
  if (count > 2) store<f32>(at, load<f32>(at, 8) + f32x4.extract_lane(value, 2), 8);
  if (count > 3) store<f32>(at, load<f32>(at, 12) + f32x4.extract_lane(value, 3), 12);
}

/** Sums of the four lanes of `count` vectors, `stride` bytes apart. */
export function sumLanes(count: i32, from: usize, stride: usize, to: usize): void {
  for (let i = 0; i < count; i++, from += stride, to += 4) store<f32>(to, sum4(v128.load(from)));
}
