// Sums and products of single rows.
import { madd, sum4 } from './math';

export function dot(width: i32, a: usize, b: usize): f32 {
  let sum = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= width; j += 4) {
    const at = (<usize>j) << 2;
    sum = f32x4.add(sum, f32x4.mul(v128.load(a + at), v128.load(b + at)));
  }
  let rest = sum4(sum);
  for (; j < width; j++) rest += load<f32>(a + ((<usize>j) << 2)) * load<f32>(b + ((<usize>j) << 2));
  return rest;
}

/** y += factor * x. */
export function addScaled(width: i32, factor: f32, x: usize, y: usize): void {
  const factor4 = f32x4.splat(factor);
  let j = 0;
  for (; j + 4 <= width; j += 4) {
    const at = (<usize>j) << 2;
    v128.store(y + at, madd(factor4, v128.load(x + at), v128.load(y + at)));
  }
  for (; j < width; j++) {
    const at = (<usize>j) << 2;
    store<f32>(y + at, load<f32>(y + at) + factor * load<f32>(x + at));
  }
}

/** 1 / sqrt(spread), and 0 for a constant row (CONSTANT_ROW of layer-norm/reference.ts). */
export function inverseRoot(spread: f32): f32 {
  return spread <= 2e-12 ? 0 : <f32>1 / sqrt<f32>(spread);
}

/** Sets bytes to 0. */
export function zero(at: usize, bytes: usize): void {
  memory.fill(at, 0, bytes);
}

/** Sum of n numbers in double precision, in order. */
export function sumOf(n: i32, at: usize): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) sum += load<f64>(at + ((<usize>i) << 3));
  return sum;
}
