// Layer normalisation over the last axis (Ba et al. 2016): y = (x - mean) / sqrt(var + eps) * gamma + beta, population
// variance. x, y: [rows, width]. The backward pass recomputes mean and deviation: cheaper than keeping them.
import { madd, PAIR, sum4, VEC } from './math';
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

/** Means and inverse deviations of some rows one below the other: what fourMoments leaves. */
let mean0: f32 = 0;
let mean1: f32 = 0;
let mean2: f32 = 0;
let mean3: f32 = 0;
let scale0: f32 = 0;
let scale1: f32 = 0;
let scale2: f32 = 0;
let scale3: f32 = 0;

/** Of four rows at a time: the sums of one alone would wait for each other. Widths that are no multiple of 4 go row by row. */
function fourMoments(width: i32, x0: usize, eps: f32): void {
  const bytes = (<usize>width) << 2;
  const x1 = x0 + bytes;
  const x2 = x1 + bytes;
  const x3 = x2 + bytes;
  if (width & 3) {
    mean0 = mean(width, x0);
    mean1 = mean(width, x1);
    mean2 = mean(width, x2);
    mean3 = mean(width, x3);
    scale0 = inverseDeviation(width, x0, mean0, eps);
    scale1 = inverseDeviation(width, x1, mean1, eps);
    scale2 = inverseDeviation(width, x2, mean2, eps);
    scale3 = inverseDeviation(width, x3, mean3, eps);
    return;
  }
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  for (let at: usize = 0; at < bytes; at += VEC) {
    sum0 = f32x4.add(sum0, v128.load(x0 + at));
    sum1 = f32x4.add(sum1, v128.load(x1 + at));
    sum2 = f32x4.add(sum2, v128.load(x2 + at));
    sum3 = f32x4.add(sum3, v128.load(x3 + at));
  }
  mean0 = sum4(sum0) / <f32>width;
  mean1 = sum4(sum1) / <f32>width;
  mean2 = sum4(sum2) / <f32>width;
  mean3 = sum4(sum3) / <f32>width;
  const centre0 = f32x4.splat(mean0);
  const centre1 = f32x4.splat(mean1);
  const centre2 = f32x4.splat(mean2);
  const centre3 = f32x4.splat(mean3);
  sum0 = f32x4.splat(0);
  sum1 = sum0;
  sum2 = sum0;
  sum3 = sum0;
  for (let at: usize = 0; at < bytes; at += VEC) {
    const v0 = f32x4.sub(v128.load(x0 + at), centre0);
    const v1 = f32x4.sub(v128.load(x1 + at), centre1);
    const v2 = f32x4.sub(v128.load(x2 + at), centre2);
    const v3 = f32x4.sub(v128.load(x3 + at), centre3);
    sum0 = madd(v0, v0, sum0);
    sum1 = madd(v1, v1, sum1);
    sum2 = madd(v2, v2, sum2);
    sum3 = madd(v3, v3, sum3);
  }
  scale0 = inverseRoot(sum4(sum0) / <f32>width + eps);
  scale1 = inverseRoot(sum4(sum1) / <f32>width + eps);
  scale2 = inverseRoot(sum4(sum2) / <f32>width + eps);
  scale3 = inverseRoot(sum4(sum3) / <f32>width + eps);
}

function normalise(width: i32, x: usize, mu: f32, scale: f32, gamma: usize, beta: usize, y: usize): void {
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

export function layerNormForward(rows: i32, width: i32, x: usize, gamma: usize, beta: usize, eps: f32, y: usize): void {
  const bytes = (<usize>width) << 2;
  let r = 0;
  for (; r + 4 <= rows; r += 4, x += 4 * bytes, y += 4 * bytes) {
    fourMoments(width, x, eps);
    normalise(width, x, mean0, scale0, gamma, beta, y);
    normalise(width, x + bytes, mean1, scale1, gamma, beta, y + bytes);
    normalise(width, x + 2 * bytes, mean2, scale2, gamma, beta, y + 2 * bytes);
    normalise(width, x + 3 * bytes, mean3, scale3, gamma, beta, y + 3 * bytes);
  }
  for (; r < rows; r++, x += bytes, y += bytes) {
    const mu = mean(width, x);
    normalise(width, x, mu, inverseDeviation(width, x, mu, eps), gamma, beta, y);
  }
}

/** dx of one row, whose mean and inverse deviation go to `moment`. */
function rowBackward(width: i32, x: usize, mu: f32, scale: f32, gamma: usize, dy: usize, dx: usize, moment: usize): void {
  store<f32>(moment, mu);
  store<f32>(moment, scale, 4);
  const centre = f32x4.splat(mu);
  const factor = f32x4.splat(scale);
  let sumG4 = f32x4.splat(0);
  let sumGV4 = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= width; j += 4) {
    const at = (<usize>j) << 2;
    const v = f32x4.mul(f32x4.sub(v128.load(x + at), centre), factor);
    const g = f32x4.mul(v128.load(dy + at), v128.load(gamma + at));
    sumG4 = f32x4.add(sumG4, g);
    sumGV4 = madd(g, v, sumGV4);
  }
  let sumG = sum4(sumG4);
  let sumGV = sum4(sumGV4);
  for (; j < width; j++) {
    const at = (<usize>j) << 2;
    const v = (load<f32>(x + at) - mu) * scale;
    const g = load<f32>(dy + at) * load<f32>(gamma + at);
    sumG += g;
    sumGV += g * v;
  }
  const meanG = sumG / <f32>width;
  const meanGV = sumGV / <f32>width;
  for (j = 0; j + 4 <= width; j += 4) {
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

/** dx, and of every row what layerNormColumns needs: moments [rows, 2], mean and inverse deviation. */
export function layerNormBackward(
  rows: i32, width: i32, x: usize, gamma: usize, eps: f32, dy: usize, dx: usize, moments: usize,
): void {
  const bytes = (<usize>width) << 2;
  let r = 0;
  for (; r + 4 <= rows; r += 4, x += 4 * bytes, dy += 4 * bytes, dx += 4 * bytes, moments += 32) {
    fourMoments(width, x, eps);
    rowBackward(width, x, mean0, scale0, gamma, dy, dx, moments);
    rowBackward(width, x + bytes, mean1, scale1, gamma, dy + bytes, dx + bytes, moments + 8);
    rowBackward(width, x + 2 * bytes, mean2, scale2, gamma, dy + 2 * bytes, dx + 2 * bytes, moments + 16);
    rowBackward(width, x + 3 * bytes, mean3, scale3, gamma, dy + 3 * bytes, dx + 3 * bytes, moments + 24);
  }
  for (; r < rows; r++, x += bytes, dy += bytes, dx += bytes, moments += 8) {
    const mu = mean(width, x);
    rowBackward(width, x, mu, inverseDeviation(width, x, mu, eps), gamma, dy, dx, moments);
  }
}

/**
 * Gradients of `count` columns of gamma and beta, where rows of x and dy are `width` floats apart: each the sum over the rows, in
 * order, so that threads may share the columns in fours.
 */
export function layerNormColumns(
  rows: i32, count: i32, width: i32, x: usize, dy: usize, moments: usize, dgamma: usize, dbeta: usize,
): void {
  const bytes = (<usize>width) << 2;
  let j = 0;
  for (; j + 8 <= count; j += 8, x += PAIR, dy += PAIR, dgamma += PAIR, dbeta += PAIR) {
    let gamma0 = f32x4.splat(0);
    let gamma1 = f32x4.splat(0);
    let beta0 = f32x4.splat(0);
    let beta1 = f32x4.splat(0);
    let at: usize = 0;
    for (let moment = moments, end = moments + ((<usize>rows) << 3); moment < end; moment += 8, at += bytes) {
      const centre = v128.load32_splat(moment);
      const factor = v128.load32_splat(moment, 4);
      const d0 = v128.load(dy + at);
      const d1 = v128.load(dy + at, 16);
      gamma0 = madd(d0, f32x4.mul(f32x4.sub(v128.load(x + at), centre), factor), gamma0);
      gamma1 = madd(d1, f32x4.mul(f32x4.sub(v128.load(x + at, 16), centre), factor), gamma1);
      beta0 = f32x4.add(d0, beta0);
      beta1 = f32x4.add(d1, beta1);
    }
    v128.store(dgamma, gamma1, 16);
    v128.store(dgamma, gamma0);
    v128.store(dbeta, beta1, 16);
    v128.store(dbeta, beta0);
  }
  for (; j + 4 <= count; j += 4, x += VEC, dy += VEC, dgamma += VEC, dbeta += VEC) {
    let gamma4 = f32x4.splat(0);
    let beta4 = f32x4.splat(0);
    for (let r: usize = 0; r < <usize>rows; r++) {
      const moment = moments + (r << 3);
      const d4 = v128.load(dy + r * bytes);
      const centred = f32x4.sub(v128.load(x + r * bytes), v128.load32_splat(moment));
      gamma4 = madd(d4, f32x4.mul(centred, v128.load32_splat(moment, 4)), gamma4);
      beta4 = f32x4.add(d4, beta4);
    }
    v128.store(dgamma, gamma4);
    v128.store(dbeta, beta4);
  }
  for (; j < count; j++, x += 4, dy += 4, dgamma += 4, dbeta += 4) {
    let gamma1: f32 = 0;
    let beta1: f32 = 0;
    for (let r: usize = 0; r < <usize>rows; r++) {
      const moment = moments + (r << 3);
      const d1 = load<f32>(dy + r * bytes);
      gamma1 += d1 * ((load<f32>(x + r * bytes) - load<f32>(moment)) * load<f32>(moment, 4));
      beta1 += d1;
    }
    store<f32>(dgamma, gamma1);
    store<f32>(dbeta, beta1);
  }
}
