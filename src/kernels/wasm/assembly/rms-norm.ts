// Root-mean-square normalisation over the last axis (Zhang and Sennrich 2019): y = x / sqrt(mean x^2 + eps) * gamma.
// x, y: [rows, width]. The backward pass recomputes the scale: cheaper than keeping it.
import { madd, sum4 } from './math';
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

/** dx = s (g - v mean(g v)) with g = dy gamma, v = s x; every output is overwritten. */
export function rmsNormBackward(
  rows: i32, width: i32, x: usize, gamma: usize, eps: f32, dy: usize, dx: usize, dgamma: usize,
): void {
  const bytes = <usize>width << 2;
  memory.fill(dgamma, 0, bytes);
  for (let r = 0; r < rows; r++, x += bytes, dy += bytes, dx += bytes) {
    const scale = scaleOf(width, x, eps);
    const factor = f32x4.splat(scale);
    let sum = f32x4.splat(0);
    let j = 0;
    for (; j + 4 <= width; j += 4) {
      const at = <usize>j << 2;
      const v = f32x4.mul(v128.load(x + at), factor);
      const dv = f32x4.mul(v128.load(dy + at), v);
      sum = madd(dv, v128.load(gamma + at), sum);
      v128.store(dgamma + at, f32x4.add(v128.load(dgamma + at), dv));
    }
    let total = sum4(sum);
    for (; j < width; j++) {
      const at = <usize>j << 2;
      const dv = load<f32>(dy + at) * load<f32>(x + at) * scale;
      total += dv * load<f32>(gamma + at);
      store<f32>(dgamma + at, load<f32>(dgamma + at) + dv);
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
