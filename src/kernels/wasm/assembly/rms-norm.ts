// Root-mean-square normalisation over the last axis (Zhang and Sennrich 2019): y = x / sqrt(mean x^2 + eps) * gamma.
// x, y: [rows, width]. The backward pass recomputes the scale: cheaper than keeping it.
import { madd, PAIR, sum4, VEC } from './math';
import { inverseRoot } from './rows';

function scaleOf(width: i32, x: usize, eps: f32): f32 {
  let sum = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= width; j += 4) {
    const v = v128.load(x + (<usize>j << 2));
    sum = madd(v, v, sum);
  }
  let total = sum4(sum);
  for (; j < width; j++) {
    const v = load<f32>(x + (<usize>j << 2));
    total += v * v;
  }
  return inverseRoot(total / <f32>width + eps);
}

export function rmsNormForward(rows: i32, width: i32, x: usize, gamma: usize, eps: f32, y: usize): void {
  const bytes = <usize>width << 2;
  for (let r = 0; r < rows; r++, x += bytes, y += bytes) {
    const scale = scaleOf(width, x, eps);
    let j = 0;
    for (; j + 4 <= width; j += 4) {
      const at = <usize>j << 2;
      v128.store(y + at, f32x4.mul(f32x4.mul(v128.load(x + at), f32x4.splat(scale)), v128.load(gamma + at)));
    }
    for (; j < width; j++) {
      const at = <usize>j << 2;
      store<f32>(y + at, load<f32>(x + at) * scale * load<f32>(gamma + at));
    }
  }
}

/** dx = s (g - v mean(g v)) with g = dy gamma, v = s x; and s of every row into scales [rows], for rmsNormColumns. */
export function rmsNormBackward(
  rows: i32, width: i32, x: usize, gamma: usize, eps: f32, dy: usize, dx: usize, scales: usize,
): void {
  const bytes = <usize>width << 2;
  for (let r = 0; r < rows; r++, x += bytes, dy += bytes, dx += bytes, scales += 4) {
    const scale = scaleOf(width, x, eps);
    store<f32>(scales, scale);
    const factor = f32x4.splat(scale);
    let sum = f32x4.splat(0);
    let j = 0;
    for (; j + 4 <= width; j += 4) {
      const at = <usize>j << 2;
      const dv = f32x4.mul(v128.load(dy + at), f32x4.mul(v128.load(x + at), factor));
      sum = madd(dv, v128.load(gamma + at), sum);
    }
    let total = sum4(sum);
    for (; j < width; j++) {
      const at = <usize>j << 2;
      total += load<f32>(dy + at) * load<f32>(x + at) * scale * load<f32>(gamma + at);
    }
    const pull = (scale * total) / <f32>width;
    for (j = 0; j + 4 <= width; j += 4) {
      const at = <usize>j << 2;
      const g = f32x4.mul(v128.load(dy + at), v128.load(gamma + at));
      v128.store(dx + at, f32x4.mul(factor, f32x4.sub(g, f32x4.mul(v128.load(x + at), f32x4.splat(pull)))));
    }
    for (; j < width; j++) {
      const at = <usize>j << 2;
      store<f32>(dx + at, scale * (load<f32>(dy + at) * load<f32>(gamma + at) - load<f32>(x + at) * pull));
    }
  }
}

/**
 * The gradient of `count` columns of gamma, where rows of x and dy are `width` floats apart: each the sum over the rows, in order, so
 * that threads may share the columns in fours.
 */
export function rmsNormColumns(
  rows: i32, count: i32, width: i32, x: usize, dy: usize, scales: usize, dgamma: usize,
): void {
  const bytes = <usize>width << 2;
  let j = 0;
  for (; j + 8 <= count; j += 8, x += PAIR, dy += PAIR, dgamma += PAIR) {
    let sum0 = f32x4.splat(0);
    let sum1 = f32x4.splat(0);
    let at: usize = 0;
    for (let scale = scales, end = scales + (<usize>rows << 2); scale < end; scale += 4, at += bytes) {
      const factor = v128.load32_splat(scale);
      sum0 = f32x4.add(sum0, f32x4.mul(v128.load(dy + at), f32x4.mul(v128.load(x + at), factor)));
      sum1 = f32x4.add(sum1, f32x4.mul(v128.load(dy + at, 16), f32x4.mul(v128.load(x + at, 16), factor)));
    }
    v128.store(dgamma, sum1, 16);
    v128.store(dgamma, sum0);
  }
  for (; j + 4 <= count; j += 4, x += VEC, dy += VEC, dgamma += VEC) {
    let sum = f32x4.splat(0);
    for (let r: usize = 0; r < <usize>rows; r++) {
      const v = f32x4.mul(v128.load(x + r * bytes), v128.load32_splat(scales + (r << 2)));
      sum = f32x4.add(sum, f32x4.mul(v128.load(dy + r * bytes), v));
    }
    v128.store(dgamma, sum);
  }
  for (; j < count; j++, x += 4, dy += 4, dgamma += 4) {
    let sum: f32 = 0;
    for (let r: usize = 0; r < <usize>rows; r++)
      sum += load<f32>(dy + r * bytes) * load<f32>(x + r * bytes) * load<f32>(scales + (r << 2));
    store<f32>(dgamma, sum);
  }
}
