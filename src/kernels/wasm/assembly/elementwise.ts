// Elementwise kernels over n floats: GELU (exact, by erf), dropout by a counter-based hash, Adam.
import { erfx4, expx4, loadPart, madd, storePart } from './math';

/** y = x (1 + erf(x / sqrt 2)) / 2. */
export function geluForward(n: i32, x: usize, y: usize): void {
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    const v = loadPart(x + at, n - i);
    const gaussian = expx4(f32x4.mul(f32x4.mul(v, v), f32x4.splat(-0.5)));
    const cdf = madd(erfx4(f32x4.mul(v, f32x4.splat(0.70710678)), gaussian), f32x4.splat(0.5), f32x4.splat(0.5));
    storePart(y + at, n - i, f32x4.mul(v, cdf));
  }
}

/** dx = dy (cdf(x) + x pdf(x)). */
export function geluBackward(n: i32, x: usize, dy: usize, dx: usize): void {
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    const v = loadPart(x + at, n - i);
    const gaussian = expx4(f32x4.mul(f32x4.mul(v, v), f32x4.splat(-0.5)));
    const cdf = madd(erfx4(f32x4.mul(v, f32x4.splat(0.70710678)), gaussian), f32x4.splat(0.5), f32x4.splat(0.5));
    const slope = madd(f32x4.mul(v, f32x4.splat(0.39894228)), gaussian, cdf);
    storePart(dx + at, n - i, f32x4.mul(loadPart(dy + at, n - i), slope));
  }
}

/**
 * y = x / (1 - rate) where hash(seed, i) >= threshold, else 0; threshold = rate 2^32, seed already well mixed. The hash is
 * the finaliser of MurmurHash3 over a Weyl sequence, so element i does not depend on its neighbours or on the backend.
 * first: number of the first element.
 */
export function dropout(first: i32, n: i32, x: usize, seed: i32, threshold: u32, scale: f32, y: usize): void {
  let index = i32x4.add(i32x4(0, 1, 2, 3), i32x4.splat(first));
  for (let i = 0; i < n; i += 4) {
    let h = i32x4.add(i32x4.mul(index, i32x4.splat(0x9e3779b9)), i32x4.splat(seed));
    h = v128.xor(h, i32x4.shr_u(h, 16));
    h = i32x4.mul(h, i32x4.splat(0x85ebca6b));
    h = v128.xor(h, i32x4.shr_u(h, 13));
    h = i32x4.mul(h, i32x4.splat(0xc2b2ae35));
    h = v128.xor(h, i32x4.shr_u(h, 16));
    const keep = i32x4.ge_u(h, i32x4.splat(<i32>threshold));
    const at = <usize>i << 2;
    storePart(y + at, n - i, v128.and(keep, f32x4.mul(loadPart(x + at, n - i), f32x4.splat(scale))));
    index = i32x4.add(index, i32x4.splat(4));
  }
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
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2;
    const left = n - i;
    const g4 = f32x4.mul(loadPart(g + at, left), f32x4.splat(clip));
    const m4 = madd(f32x4.splat(b1), loadPart(m + at, left), f32x4.mul(f32x4.splat(n1), g4));
    const v4 = madd(f32x4.splat(b2), loadPart(v + at, left), f32x4.mul(f32x4.splat(n2), f32x4.mul(g4, g4)));
    const scaled = f32x4.div(f32x4.mul(m4, f32x4.splat(rate / c1)), f32x4.add(f32x4.sqrt(f32x4.div(v4, f32x4.splat(c2))), f32x4.splat(eps)));
    storePart(m + at, left, m4);
    storePart(v + at, left, v4);
    storePart(p + at, left, f32x4.sub(f32x4.mul(loadPart(p + at, left), keep), scaled));
  }
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
