// Factors of the products by which the gradients of the scan with one decay a head are made (head-scan-back.ts): the dual
// form of Dao and Gu (2024) over blocks of BLOCK steps. With a_t = exp(dt_t A), 0 at a reset, and H the state at a block's
// beginning, [states, headDim]:
//   L[t, s] = a_{s+1} ... a_t for s <= t, else 0      M = (C B^T) o L o dt_s      Y = M X + (a_0 ... a_t) C H
// L and the other products of decays come row by row from the one before: nothing is divided, and nothing overflows.
import { loadPart, VEC } from '../math';
import { BLOCK } from './selective-scan';

/** Products of decays below this count as nothing: they would become subnormal numbers, on which processors are slow. */
// @ts-ignore: decorator
@inline const LEAST: f32 = 7.8886e-31;

/**
 * L [BLOCK, BLOCK], zero above the diagonal and behind `length`; before[t] = a_0 ... a_t; after[s] = a_{s+1} ... a_{n-1}.
 * @returns the product of all decays.
 */
export function decayProducts(length: i32, decays: usize, L: usize, before: usize, after: usize): f32 {
  const least = f32x4.splat(LEAST);
  const row = <usize>BLOCK << 2;
  memory.fill(L, 0, <usize>BLOCK * row);
  let product: f32 = 1;
  for (let t = 0; t < length; t++, L += row) {
    const at = <usize>t << 2;
    const a = load<f32>(decays + at);
    product *= a;
    if (product < LEAST) product = 0;
    store<f32>(before + at, product);
    for (let s: usize = 0; s < at; s += VEC) {
      const v = f32x4.mul(v128.load(L - row + s), f32x4.splat(a));
      v128.store(L + s, v128.andnot(v, f32x4.lt(v, least)));
    }
    store<f32>(L + at, 1);
  }
  let rest: f32 = 1;
  for (let s = length - 1; s >= 0; s--) {
    store<f32>(after + (<usize>s << 2), rest);
    rest *= load<f32>(decays + (<usize>s << 2));
    if (rest < LEAST) rest = 0;
  }
  return product;
}

/** The left factor of Y, [BLOCK, BLOCK + wide]: M and, beside it, C times the decays before. S = C B^T. */
export function leftFactor(length: i32, wide: i32, S: usize, L: usize, dts: usize, C: usize, before: usize, left: usize): void {
  for (let t = 0; t < length; t++) {
    const row = <usize>(t * BLOCK) << 2;
    const to = left + (<usize>(t * (BLOCK + wide)) << 2);
    for (let s: usize = 0; s < <usize>BLOCK << 2; s += VEC)
      v128.store(to + s, f32x4.mul(f32x4.mul(v128.load(S + row + s), v128.load(L + row + s)), v128.load(dts + s)));
    const decay = v128.load32_splat(before + (<usize>t << 2));
    const from = C + (<usize>(t * wide) << 2);
    for (let n: usize = 0; n < <usize>wide << 2; n += VEC)
      v128.store(to + (<usize>BLOCK << 2) + n, f32x4.mul(decay, v128.load(from + n)));
  }
}

/** The left factor of the state's share, [BLOCK, wide]: B times dt and the decays after. */
export function stateFactor(length: i32, wide: i32, B: usize, dts: usize, after: usize, to: usize): void {
  for (let s = 0; s < length; s++) {
    const factor = f32x4.splat(load<f32>(dts + (<usize>s << 2)) * load<f32>(after + (<usize>s << 2)));
    const row = <usize>(s * wide) << 2;
    for (let n: usize = 0; n < <usize>wide << 2; n += VEC) v128.store(to + row + n, f32x4.mul(factor, v128.load(B + row + n)));
  }
}

/** `width` columns of a head into rows padded to fours, zero-filled. */
export function takeHead(length: i32, channels: i32, width: i32, from: usize, to: usize): void {
  for (let t = 0; t < length; t++, from += <usize>channels << 2)
    for (let p = 0; p < width; p += 4, to += VEC) v128.store(to, loadPart(from + (<usize>p << 2), width - p));
}
