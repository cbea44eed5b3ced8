// Layer normalisation over the last axis (Ba et al. 2016): y = (x - mean) / sqrt(var + eps) * gamma + beta, population
// variance. x, y: [rows, width]. The backward pass recomputes mean and deviation: cheaper than keeping them.
import { madd, sum4 } from './math';
import { inverseRoot } from './rows';

/** Sum of four-lane partial sums and of the tail is exact enough in f32 for widths of thousands. */
function mean(width: i32, x: usize): f32 {
  let sum = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= width; j += 4) sum = f32x4.add(sum, v128.load(x + ((<usize>j) << 2)));
  let total = sum4(sum);
  for (; j < width; j++) total += load<f32>(x + ((<usize>j) << 2));
  return total / <f32>width;
}

function inverseDeviation(width: i32, x: usize, mu: f32, eps: f32): f32 {
  const centre = f32x4.splat(mu);
  let sum = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= width; j += 4) {
    const v = f32x4.sub(v128.load(x + ((<usize>j) << 2)), centre);
    sum = madd(v, v, sum);
  }
  let total = sum4(sum);
  for (; j < width; j++) {
    const v = load<f32>(x + ((<usize>j) << 2)) - mu;
    total += v * v;
  }
  return inverseRoot(total / <f32>width + eps);
}

export function layerNormForward(rows: i32, width: i32, x: usize, gamma: usize, beta: usize, eps: f32, y: usize): void {
  const bytes = (<usize>width) << 2;
  for (let r = 0; r < rows; r++, x += bytes, y += bytes) {
    const mu = mean(width, x);
    const scale = inverseDeviation(width, x, mu, eps);
    const centre = f32x4.splat(mu);
    const factor = f32x4.splat(scale);
    let j = 0;
    for (; j + 4 <= width; j += 4) {
      const at = (<usize>j) << 2;
      const v = f32x4.mul(f32x4.sub(v128.load(x + at), centre), factor);
      v128.store(y + at, madd(v, v128.load(gamma + at), v128.load(beta + at)));
    }
    for (; j < width; j++) {
      const at = (<usize>j) << 2;
      store<f32>(y + at, (load<f32>(x + at) - mu) * scale * load<f32>(gamma + at) + load<f32>(beta + at));
    }
  }
}

/** Every output is overwritten. */
export function layerNormBackward(
  rows: i32,
  width: i32,
  x: usize,
  gamma: usize,
  eps: f32,
  dy: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
): void {
  const bytes = (<usize>width) << 2;
  memory.fill(dgamma, 0, bytes);
  memory.fill(dbeta, 0, bytes);
  for (let r = 0; r < rows; r++, x += bytes, dy += bytes, dx += bytes) {
    const mu = mean(width, x);
    const scale = inverseDeviation(width, x, mu, eps);
    const centre = f32x4.splat(mu);
    const factor = f32x4.splat(scale);
    let sumG4 = f32x4.splat(0);
    let sumGV4 = f32x4.splat(0);
    let j = 0;
    for (; j + 4 <= width; j += 4) {
      const at = (<usize>j) << 2;
      const v = f32x4.mul(f32x4.sub(v128.load(x + at), centre), factor);
      const d = v128.load(dy + at);
      const g = f32x4.mul(d, v128.load(gamma + at));
      sumG4 = f32x4.add(sumG4, g);
      sumGV4 = madd(g, v, sumGV4);
      v128.store(dgamma + at, madd(d, v, v128.load(dgamma + at)));
      v128.store(dbeta + at, f32x4.add(d, v128.load(dbeta + at)));
    }
    let sumG = sum4(sumG4);
    let sumGV = sum4(sumGV4);
    for (; j < width; j++) {
      const at = (<usize>j) << 2;
      const v = (load<f32>(x + at) - mu) * scale;
      const d = load<f32>(dy + at);
      const g = d * load<f32>(gamma + at);
      sumG += g;
      sumGV += g * v;
      store<f32>(dgamma + at, load<f32>(dgamma + at) + d * v);
      store<f32>(dbeta + at, load<f32>(dbeta + at) + d);
    }
    const meanG = sumG / <f32>width;
    const meanGV = sumGV / <f32>width;
    j = 0;
    for (; j + 4 <= width; j += 4) {
      const at = (<usize>j) << 2;
      const v = f32x4.mul(f32x4.sub(v128.load(x + at), centre), factor);
      const g = f32x4.sub(f32x4.mul(v128.load(dy + at), v128.load(gamma + at)), f32x4.splat(meanG));
      v128.store(dx + at, f32x4.mul(factor, f32x4.sub(g, f32x4.mul(v, f32x4.splat(meanGV)))));
    }
    for (; j < width; j++) {
      const at = (<usize>j) << 2;
      const v = (load<f32>(x + at) - mu) * scale;
      store<f32>(dx + at, scale * (load<f32>(dy + at) * load<f32>(gamma + at) - meanG - v * meanGV));
    }
  }
}
