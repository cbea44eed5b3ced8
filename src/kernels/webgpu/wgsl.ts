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
