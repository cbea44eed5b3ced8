/** Pieces of WGSL, and sizes of workgroups, that several kernels share. */

/** Values that one thread of overAll adds up alone. */
const ALONE = 16;

/** A reduction over lanes that lie side by side: a few by every lane for itself, many in two steps. */
function overLanes(name: string, type: string, initial: string, combine: string, across: number): string {
  const heads = across > ALONE ? across / ALONE : 0;
  const reduce = (from: string, count: number, at: string) => `
  var total = ${initial};
  for (var k = 0u; k < ${count}; k++) { let value = ${from}[${at}]; total = ${combine}; }`;
  return `
var<workgroup> ${name}Lanes: array<${type}, THREADS>;
var<workgroup> ${name}Heads: array<${type}, ${heads ? `THREADS / ${ALONE}` : '1'}>;
fn ${name}(lane: u32, own: ${type}) -> ${type} {
  ${name}Lanes[lane] = own;
  workgroupBarrier();
  ${
    heads
      ? `let first = lane / ${across} * ${across};
  if (lane - first < ${heads}) {
    ${reduce(`${name}Lanes`, ALONE, `lane + k * ${heads}`)}
    ${name}Heads[first / ${ALONE} + lane - first] = total;
  }
  workgroupBarrier();
  ${reduce(`${name}Heads`, heads, `first / ${ALONE} + k`)}`
      : `${reduce(`${name}Lanes`, across, `lane / ${across} * ${across} + k`)}
  // Nobody writes for the next sum before all have read for this one; in two steps the barriers above see to it.
  workgroupBarrier();`
  }
  return total;
}`;
}

/**
 * `fn sumOver(lane: u32, value: T) -> T`: the sum of `value` over `across` neighbouring threads of a workgroup (a power of
 * two that divides THREADS), the same for all of them, added in the same order every time. To be called by all threads of
 * the workgroup together.
 */
export function sumOver(type: 'f32' | 'vec2f' | 'vec4f' | 'vec2u', across: number): string {
  return overLanes('sumOver', type, `${type}(0)`, 'total + value', across);
}

/** `fn maxOver(lane: u32, value: f32) -> f32`: the largest value, likewise. */
export function maxOver(across: number): string {
  return overLanes('maxOver', 'f32', '-3.4e38', 'max(total, value)', across);
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

/** `hardswish`, v relu6(v + 3) / 6, and its slope `hardswishSlope`. */
export const HARDSWISH = `
fn hardShare(v: f32) -> f32 { return clamp(fma(v, 1.0 / 6.0, 0.5), 0.0, 1.0); }
fn hardswish(v: f32) -> f32 { return v * hardShare(v); }
fn hardswishSlope(v: f32) -> f32 { return hardShare(v) + select(0.0, v / 6.0, abs(v) < 3.0); }`;

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
