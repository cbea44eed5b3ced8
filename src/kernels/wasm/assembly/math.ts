// Four-lane elementary functions. Polynomials are weighted minimax fits made for this project (coefficients.ts).
import { Coefficients } from './coefficients';

// @ts-ignore: decorator
@inline export const VEC: usize = 16;
/**
 * Bytes of two vectors. What is done to both alike, V8 joins into vectors of 256 bits (wasm/simd.ts), from stores side by side
 * backwards; the upper half is stored first, since otherwise V8 stores the lower one twice (for the case of a trap between them).
 */
// @ts-ignore: decorator
@inline export const PAIR: usize = 32;

/** a * b + c; one rounding where the module is built for relaxed SIMD, two otherwise. */
// @ts-ignore: decorator
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Sum of the four lanes. */
// @ts-ignore: decorator
@inline export function sum4(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** Largest lane. */
// @ts-ignore: decorator
@inline export function max4(v: v128): f32 {
  return max(
    max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  );
}

/** 2^f times 2^n, with n in the low bits of `shifted`. */
// @ts-ignore: decorator
@inline function exp2Scaled(one: v128, e1: v128, e2: v128, e3: v128, e4: v128, e5: v128, f: v128, shifted: v128): v128 {
  let q = madd(f, e5, e4);
  q = madd(f, q, e3);
  q = madd(f, q, e2);
  q = madd(f, q, e1);
  return i32x4.add(madd(f, q, one), i32x4.shl(shifted, 23));
}

/**
 * 2^(d a), the decay of a state; NaN stays NaN. `tame` says that |d a| <= DECAY_RANGE is known: the same value without the
 * clamps. (f32x4.min and max are eight instructions each on x86, which has no such instruction; pmin and pmax are one.) The
 * constants come from outside: a loop keeps them in registers.
 */
// @ts-ignore: decorator
@inline export function decayBy(
  k: Coefficients, round: v128, one: v128, e1: v128, e2: v128, e3: v128, e4: v128, e5: v128, d: v128, a: v128, tame: bool,
): v128 {
  let shifted = madd(d, a, round);
  if (!tame) shifted = f32x4.pmin(f32x4.pmax(shifted, k.least), k.most);
  let f = madd(d, a, f32x4.sub(round, shifted));
  if (!tame) f = f32x4.pmin(f32x4.pmax(f, f32x4.neg(k.half)), k.half);
  return exp2Scaled(one, e1, e2, e3, e4, e5, f, shifted);
}

/** decayBy with constants out of memory. */
// @ts-ignore: decorator
@inline export function decayx4(k: Coefficients, d: v128, a: v128, tame: bool): v128 {
  return decayBy(k, k.round, k.one, k.exp1, k.exp2, k.exp3, k.exp4, k.exp5, d, a, tame);
}

/**
 * e^v for v <= 88, from -87.3 on; NaN stays NaN. The constants come from outside: a loop keeps them in registers.
 */
// @ts-ignore: decorator
@inline export function expBy(
  lowest: v128, log2e: v128, round: v128, ln2a: v128, ln2b: v128, one: v128, e1: v128, e2: v128, e3: v128, e4: v128, e5: v128, v: v128,
): v128 {
  const x = f32x4.pmax(v, lowest);
  const shifted = madd(x, log2e, round);
  const whole = f32x4.sub(shifted, round);
  // v - whole ln 2 in two steps (ln 2 = 0.693359375 - 2.12194440e-4), then to base 2: keeps the error near 1e-7.
  let rest = madd(whole, ln2a, x);
  rest = madd(whole, ln2b, rest);
  return exp2Scaled(one, e1, e2, e3, e4, e5, f32x4.mul(rest, log2e), shifted);
}

/** e^v, v clamped to [-87.3, 88]. NaN stays NaN. */
// @ts-ignore: decorator
@inline export function expx4(k: Coefficients, v: v128): v128 {
  const x = f32x4.pmin(v, k.highest);
  return expBy(k.lowest, k.log2e, k.round, k.ln2a, k.ln2b, k.one, k.exp1, k.exp2, k.exp3, k.exp4, k.exp5, x);
}

/** 1 / (1 + e^-v). */
// @ts-ignore: decorator
@inline export function sigmoidx4(k: Coefficients, v: v128): v128 {
  return f32x4.div(k.one, f32x4.add(k.one, expx4(k, f32x4.neg(v))));
}

/** v / (1 + e^-v). */
// @ts-ignore: decorator
@inline export function silux4(k: Coefficients, v: v128): v128 {
  return f32x4.div(v, f32x4.add(k.one, expx4(k, f32x4.neg(v))));
}

/**
 * ln(1 + e^v) = max(v, 0) + log1p(u), u = e^-|v|, with log1p(u) = 2 atanh(u / (2 + u)): relatively exact for very
 * negative v, where the time steps of a slow channel lie.
 */
// @ts-ignore: decorator
@inline export function softplusx4(k: Coefficients, v: v128): v128 {
  const u = expx4(k, f32x4.neg(f32x4.abs(v)));
  const s = f32x4.div(u, f32x4.add(u, f32x4.add(k.one, k.one)));
  const s2 = f32x4.mul(s, s);
  let p = madd(s2, k.atanh5, k.atanh4);
  p = madd(s2, p, k.atanh3);
  p = madd(s2, p, k.atanh2);
  p = madd(s2, p, k.atanh1);
  p = madd(s2, p, k.one);
  return madd(f32x4.add(s, s), p, f32x4.pmax(v, f32x4.splat(0)));
}

/**
 * erf(x) given e^(-x^2): 1 - e^(-x^2) t P(t) with t = 1 / (1 + |x| / 2), error 1.2e-8 before rounding.
 */
// @ts-ignore: decorator
@inline export function erfx4(k: Coefficients, x: v128, gaussian: v128): v128 {
  const t = f32x4.div(k.one, madd(f32x4.abs(x), k.half, k.one));
  let p = madd(t, k.erf7, k.erf6);
  p = madd(t, p, k.erf5);
  p = madd(t, p, k.erf4);
  p = madd(t, p, k.erf3);
  p = madd(t, p, k.erf2);
  p = madd(t, p, k.erf1);
  const magnitude = f32x4.sub(k.one, f32x4.mul(gaussian, f32x4.mul(t, p)));
  return v128.or(magnitude, v128.and(x, i32x4.splat(0x80000000)));
}

/** Up to four floats (`left` of them, at least one); missing lanes are zero and nothing past the end is read. */
// @ts-ignore: decorator
@inline export function loadPart(at: usize, left: i32): v128 {
  if (left >= 4) return v128.load(at);
  let v = f32x4.replace_lane(f32x4.splat(0), 0, load<f32>(at));
  if (left > 1) v = f32x4.replace_lane(v, 1, load<f32>(at, 4));
  if (left > 2) v = f32x4.replace_lane(v, 2, load<f32>(at, 8));
  return v;
}

/** The inverse of loadPart. */
// @ts-ignore: decorator
@inline export function storePart(at: usize, left: i32, v: v128): void {
  if (left >= 4) {
    v128.store(at, v);
    return;
  }
  store<f32>(at, f32x4.extract_lane(v, 0));
  if (left > 1) store<f32>(at, f32x4.extract_lane(v, 1), 4);
  if (left > 2) store<f32>(at, f32x4.extract_lane(v, 2), 8);
}

/** The four rows a, b, c, d of a 4 x 4 block, transposed and stored `stride` bytes apart. */
// @ts-ignore: decorator
@inline export function storeTransposed(to: usize, stride: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab01 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const ab23 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd01 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cd23 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab01, cd01, 0, 1, 4, 5));
  v128.store(to + stride, v128.shuffle<f32>(ab01, cd01, 2, 3, 6, 7));
  v128.store(to + 2 * stride, v128.shuffle<f32>(ab23, cd23, 0, 1, 4, 5));
  v128.store(to + 3 * stride, v128.shuffle<f32>(ab23, cd23, 2, 3, 6, 7));
}

/** Sets `bytes` (a multiple of 16) to zero. */
// @ts-ignore: decorator
@inline export function zero(at: usize, bytes: usize): void {
  memory.fill(at, 0, bytes);
}

/**
 * ln(v) for a positive, finite double, to about 1e-16: the mantissa's part as 2 atanh((m - 1) / (m + 1)) on
 * [sqrt 1/2, sqrt 2]. The language's own logarithm brings tables, and this module may not own memory.
 */
export function logarithm(v: f64): f64 {
  const bits = reinterpret<i64>(v);
  let exponent = <i32>((bits >> 52) & 0x7ff) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent++;
  }
  const s = (m - 1) / (m + 1);
  const s2 = s * s;
  let sum: f64 = 0;
  for (let k = 21; k >= 1; k -= 2) sum = sum * s2 + 1 / <f64>k;
  return <f64>exponent * 0.6931471805599453 + 2 * s * sum;
}
