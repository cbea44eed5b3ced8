/** Pieces of WGSL, and sizes of workgroups, that several kernels share. */

/**
 * `fn sumOver(lane: u32, value: T) -> T`: the sum of `value` over the THREADS (a power of two) threads of a workgroup, the
 * same for all of them, added in the same order every time. To be called by all threads together.
 */
export function sumOver(type: 'f32' | 'vec2f' | 'vec4f' | 'vec2u'): string {
  return `
var<workgroup> lanes: array<${type}, THREADS>;
fn sumOver(lane: u32, value: ${type}) -> ${type} {
  workgroupBarrier();
  lanes[lane] = value;
  for (var stride = THREADS / 2; stride > 0; stride /= 2) {
    workgroupBarrier();
    if (lane < stride) { lanes[lane] += lanes[lane + stride]; }
  }
  workgroupBarrier();
  return lanes[0];
}`;
}

/** `fn maxOver(lane: u32, value: f32) -> f32`: the largest value over all threads, likewise. */
export function maxOver(): string {
  return `
var<workgroup> largestOf: array<f32, THREADS>;
fn maxOver(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  largestOf[lane] = value;
  for (var stride = THREADS / 2; stride > 0; stride /= 2) {
    workgroupBarrier();
    if (lane < stride) { largestOf[lane] = max(largestOf[lane], largestOf[lane + stride]); }
  }
  workgroupBarrier();
  return largestOf[0];
}`;
}

/** The smallest power of two that is at least n, within [least, most]. */
export function powerOfTwo(n: number, least: number, most: number): number {
  let power = least;
  while (power < n && power < most) power *= 2;
  return power;
}

/** `sigmoid`, `silu` and its slope `siluSlope`. */
export const SILU = `
fn sigmoid(v: f32) -> f32 { return 1.0 / (1.0 + exp(-v)); }
fn silu(v: f32) -> f32 { return v * sigmoid(v); }
fn siluSlope(v: f32) -> f32 { let s = sigmoid(v); return s * (1.0 + v * (1.0 - s)); }`;

/**
 * `softplus`, ln(1 + e^v), good for very negative v too, where a logarithm of 1 + e^v would have lost its digits: the series
 * of 2 artanh(w / (2 + w)) at w = e^-|v|. `softplusSlope` takes the value: 1 - e^-softplus(v) is the slope at v.
 */
export const SOFTPLUS = `
fn softplus(v: f32) -> f32 {
  let w = exp(-abs(v));
  let s = w / (2.0 + w);
  let q = s * s;
  let series = 1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q / 13.0)))));
  return max(v, 0.0) + 2.0 * s * series;
}
fn softplusSlope(value: f32) -> f32 {
  if (value > 0.1) { return 1.0 - exp(-value); }
  return value * (1.0 - value * (0.5 - value * (1.0 / 6.0 - value * (1.0 / 24.0 - value / 120.0))));
}`;
