// Elementwise kernels over n floats: GELU (exact, by erf), dropout by a counter-based hash, Adam.
import { Coefficients, coefficients } from './coefficients';
import { erfx4, expx4, loadPart, madd, PAIR, storePart, VEC } from './math';

// @ts-ignore: decorator
@inline function gelu(k: Coefficients, v: v128): v128 {
  const gaussian = expx4(k, f32x4.mul(f32x4.mul(v, v), f32x4.splat(-0.5)));
  const cdf = madd(erfx4(k, f32x4.mul(v, f32x4.splat(0.70710678)), gaussian), f32x4.splat(0.5), f32x4.splat(0.5));
  return f32x4.mul(v, cdf);
}

// @ts-ignore: decorator
@inline function geluSlope(k: Coefficients, v: v128): v128 {
  const gaussian = expx4(k, f32x4.mul(f32x4.mul(v, v), f32x4.splat(-0.5)));
  const cdf = madd(erfx4(k, f32x4.mul(v, f32x4.splat(0.70710678)), gaussian), f32x4.splat(0.5), f32x4.splat(0.5));
  return madd(f32x4.mul(v, f32x4.splat(0.39894228)), gaussian, cdf);
}

/** y = x (1 + erf(x / sqrt 2)) / 2. */
export function geluForward(n: i32, x: usize, y: usize): void {
  const k = coefficients();
  let i = 0;
  for (; i + 8 <= n; i += 8, x += PAIR, y += PAIR) {
    const y0 = gelu(k, v128.load(x));
    const y1 = gelu(k, v128.load(x, 16));
    v128.store(y, y1, 16);
    v128.store(y, y0);
  }
  for (; i < n; i += 4, x += VEC, y += VEC) storePart(y, n - i, gelu(k, loadPart(x, n - i)));
}

/** dx = dy (cdf(x) + x pdf(x)). */
export function geluBackward(n: i32, x: usize, dy: usize, dx: usize): void {
  const k = coefficients();
  let i = 0;
  for (; i + 8 <= n; i += 8, x += PAIR, dy += PAIR, dx += PAIR) {
    const d0 = f32x4.mul(v128.load(dy), geluSlope(k, v128.load(x)));
    const d1 = f32x4.mul(v128.load(dy, 16), geluSlope(k, v128.load(x, 16)));
    v128.store(dx, d1, 16);
    v128.store(dx, d0);
  }
  for (; i < n; i += 4, x += VEC, dy += VEC, dx += VEC)
    storePart(dx, n - i, f32x4.mul(loadPart(dy, n - i), geluSlope(k, loadPart(x, n - i))));
}

/**
 * y = x / (1 - rate) where hash(seed, i) >= threshold, else 0; threshold = rate 2^32, seed already well mixed. The hash is
 * the finaliser of MurmurHash3 over a Weyl sequence, so element i does not depend on its neighbours or on the backend.
 * first: number of the first element.
 */
export function dropout(first: i32, n: i32, x: usize, seed: i32, threshold: u32, scale: f32, y: usize): void {
  const seed4 = i32x4.splat(seed);
  const factor = f32x4.splat(scale);
  // Signed, as the comparison is: V8 has no unsigned one for joined vectors.
  const least = i32x4.splat(<i32>(threshold ^ 0x80000000));
  const begin = i32x4.splat(first);
  let index0 = i32x4.add(i32x4(0, 1, 2, 3), begin);
  let index1 = i32x4.add(i32x4(4, 5, 6, 7), begin);
  let i = 0;
  for (; i + 8 <= n; i += 8, x += PAIR, y += PAIR) {
    const y0 = v128.and(isKept(index0, seed4, least), f32x4.mul(v128.load(x), factor));
    const y1 = v128.and(isKept(index1, seed4, least), f32x4.mul(v128.load(x, 16), factor));
    v128.store(y, y1, 16);
    v128.store(y, y0);
    index0 = i32x4.add(index0, i32x4.splat(8));
    index1 = i32x4.add(index1, i32x4.splat(8));
  }
  for (; i < n; i += 4, x += VEC, y += VEC) {
    storePart(y, n - i, v128.and(isKept(index0, seed4, least), f32x4.mul(loadPart(x, n - i), factor)));
    index0 = index1;
  }
}

// @ts-ignore: decorator
@inline function isKept(index: v128, seed: v128, least: v128): v128 {
  let h = i32x4.add(i32x4.mul(index, i32x4.splat(0x9e3779b9)), seed);
  h = v128.xor(h, i32x4.shr_u(h, 16));
  h = i32x4.mul(h, i32x4.splat(0x85ebca6b));
  h = v128.xor(h, i32x4.shr_u(h, 13));
  h = i32x4.mul(h, i32x4.splat(0xc2b2ae35));
  h = v128.xor(h, i32x4.shr_u(h, 16));
  return i32x4.ge_s(v128.xor(h, i32x4.splat(0x80000000)), least);
}

/**
 * One Adam step in place (Kingma and Ba 2015; decoupled weight decay, Loshchilov and Hutter 2019):
 * m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p -= rate (m / c1) / (sqrt(v / c2) + eps) + rate decay p
 * with g scaled by `clip`, c1 and c2 the bias corrections; n1 = 1 - b1 and n2 = 1 - b2 come from outside, where they are
 * exact: in single precision 1 - 0.999 is off by 5e-5.
 */
export function adam(
  n: i32, p: usize, g: usize, m: usize, v: usize,
  rate: f32, b1: f32, n1: f32, b2: f32, n2: f32, eps: f32, c1: f32, c2: f32, decay: f32, clip: f32,
): void {
  const keep = f32x4.splat(1 - rate * decay);
  const scale = f32x4.splat(clip);
  const step = f32x4.splat(rate / c1);
  const old1 = f32x4.splat(b1);
  const old2 = f32x4.splat(b2);
  const new1 = f32x4.splat(n1);
  const new2 = f32x4.splat(n2);
  const correction = f32x4.splat(c2);
  const least = f32x4.splat(eps);
  let i = 0;
  for (; i + 8 <= n; i += 8, p += PAIR, g += PAIR, m += PAIR, v += PAIR) {
    const g0 = f32x4.mul(v128.load(g), scale);
    const g1 = f32x4.mul(v128.load(g, 16), scale);
    const m0 = madd(old1, v128.load(m), f32x4.mul(new1, g0));
    const m1 = madd(old1, v128.load(m, 16), f32x4.mul(new1, g1));
    const v0 = madd(old2, v128.load(v), f32x4.mul(new2, f32x4.mul(g0, g0)));
    const v1 = madd(old2, v128.load(v, 16), f32x4.mul(new2, f32x4.mul(g1, g1)));
    const change0 = f32x4.div(f32x4.mul(m0, step), f32x4.add(f32x4.sqrt(f32x4.div(v0, correction)), least));
    const change1 = f32x4.div(f32x4.mul(m1, step), f32x4.add(f32x4.sqrt(f32x4.div(v1, correction)), least));
    const p0 = f32x4.sub(f32x4.mul(v128.load(p), keep), change0);
    const p1 = f32x4.sub(f32x4.mul(v128.load(p, 16), keep), change1);
    v128.store(m, m1, 16);
    v128.store(m, m0);
    v128.store(v, v1, 16);
    v128.store(v, v0);
    v128.store(p, p1, 16);
    v128.store(p, p0);
  }
  for (; i < n; i += 4, p += VEC, g += VEC, m += VEC, v += VEC) {
    const left = n - i;
    const g4 = f32x4.mul(loadPart(g, left), scale);
    const m4 = madd(old1, loadPart(m, left), f32x4.mul(new1, g4));
    const v4 = madd(old2, loadPart(v, left), f32x4.mul(new2, f32x4.mul(g4, g4)));
    const change = f32x4.div(f32x4.mul(m4, step), f32x4.add(f32x4.sqrt(f32x4.div(v4, correction)), least));
    storePart(m, left, m4);
    storePart(v, left, v4);
    storePart(p, left, f32x4.sub(f32x4.mul(loadPart(p, left), keep), change));
  }
}

/** a + b, or a b: `product` is known where this is called. */
// @ts-ignore: decorator
@inline function combined(a: v128, b: v128, product: bool): v128 {
  return product ? f32x4.mul(a, b) : f32x4.add(a, b);
}

// @ts-ignore: decorator
@inline function combine(n: i32, a: usize, b: usize, out: usize, product: bool): void {
  let i = 0;
  for (; i + 8 <= n; i += 8, a += PAIR, b += PAIR, out += PAIR) {
    const low = combined(v128.load(a), v128.load(b), product);
    const high = combined(v128.load(a, 16), v128.load(b, 16), product);
    v128.store(out, high, 16);
    v128.store(out, low);
  }
  for (; i < n; i += 4, a += VEC, b += VEC, out += VEC) storePart(out, n - i, combined(loadPart(a, n - i), loadPart(b, n - i), product));
}

/** out = a + b. */
export function sums(n: i32, a: usize, b: usize, out: usize): void {
  combine(n, a, b, out, false);
}

/** out = a b, element by element. */
export function products(n: i32, a: usize, b: usize, out: usize): void {
  combine(n, a, b, out, true);
}

/** Sum of squares, in double precision. */
export function sumOfSquares(n: i32, x: usize): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) {
    const v = <f64>load<f32>(x + (<usize>i << 2));
    sum += v * v;
  }
  return sum;
}

/** The share relu6(v + 3) / 6 of Hardswish. */
// @ts-ignore: decorator
@inline export function hardShare(v: v128): v128 {
  return f32x4.pmin(f32x4.pmax(madd(v, f32x4.splat(1.0 / 6.0), f32x4.splat(0.5)), f32x4.splat(0)), f32x4.splat(1));
}

/** Its slope: the share, and v / 6 where |v| < 3. */
// @ts-ignore: decorator
@inline export function hardSlope(v: v128): v128 {
  const inside = f32x4.lt(f32x4.abs(v), f32x4.splat(3));
  return f32x4.add(hardShare(v), v128.and(inside, f32x4.mul(v, f32x4.splat(1.0 / 6.0))));
}

/** y = x relu6(x + 3) / 6. */
export function hardswishForward(n: i32, x: usize, y: usize): void {
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    const v = loadPart(x + at, n - i);
    storePart(y + at, n - i, f32x4.mul(v, hardShare(v)));
  }
}

/** dx = dy (relu6(x + 3) / 6 + x / 6 where |x| < 3). */
export function hardswishBackward(n: i32, x: usize, dy: usize, dx: usize): void {
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    const v = loadPart(x + at, n - i);
    storePart(dx + at, n - i, f32x4.mul(loadPart(dy + at, n - i), hardSlope(v)));
  }
}
