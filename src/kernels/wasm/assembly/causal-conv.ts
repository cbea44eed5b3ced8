// Causal depthwise convolution with bias and activation: y[t, c] = act(b[c] + sum_j w[c, j] x[t - (k - 1) + j, c]).
// x, y: [batch, length, channels]; w: [channels, width]; reset [batch, length]: no tap reaches back over a reset.
// activation: 0 none, 1 SiLU, 2 Hardswish.
import { hardShare, hardSlope } from './elementwise';
import { Coefficients, coefficients } from './coefficients';
import { loadPart, madd, sigmoidx4, silux4, storePart } from './math';

/** Bytes of scratch for both directions: weights and their gradients, transposed to [width, padded channels], and sums. */
export function convScratchBytes(channels: i32, width: i32): i32 {
  return 2 * (width + 1) * ((channels + 3) & ~3) * 4;
}

function transposeIn(channels: i32, width: i32, w: usize, bias: usize, to: usize): void {
  const wide = (channels + 3) & ~3;
  memory.fill(to, 0, (<usize>(width + 1) * <usize>wide) << 2);
  for (let c = 0; c < channels; c++) {
    for (let j = 0; j < width; j++)
      store<f32>(to + (<usize>(j * wide + c) << 2), load<f32>(w + (<usize>(c * width + j) << 2)));
    if (bias) store<f32>(to + (<usize>(width * wide + c) << 2), load<f32>(bias + (<usize>c << 2)));
  }
}

/** The sum before the activation; w and x point at four channels, `delays` taps besides the present one exist. */
// @ts-ignore: decorator
@inline function convolved(delays: i32, width: i32, wide: usize, row: usize, x: usize, w: usize, left: i32): v128 {
  let tap = w + <usize>width * wide;
  let sum = v128.load(tap);
  for (let d = 0; d <= delays; d++, x -= row) {
    tap -= wide;
    sum = madd(v128.load(tap), loadPart(x, left), sum);
  }
  return sum;
}

/** The same for the usual four taps, all of which exist. */
// @ts-ignore: decorator
@inline function convolvedFour(wide: usize, row: usize, x: usize, w: usize): v128 {
  let sum = madd(v128.load(w + 3 * wide), v128.load(x), v128.load(w + 4 * wide));
  sum = madd(v128.load(w + 2 * wide), v128.load(x - row), sum);
  sum = madd(v128.load(w + wide), v128.load(x - 2 * row), sum);
  return madd(v128.load(w), v128.load(x - 3 * row), sum);
}

/** And of the four channels after those: addresses differ in what an instruction adds itself, so that V8 joins the two. */
// @ts-ignore: decorator
@inline function convolvedNext(wide: usize, row: usize, x: usize, w: usize): v128 {
  let sum = madd(v128.load(w + 3 * wide, 16), v128.load(x, 16), v128.load(w + 4 * wide, 16));
  sum = madd(v128.load(w + 2 * wide, 16), v128.load(x - row, 16), sum);
  sum = madd(v128.load(w + wide, 16), v128.load(x - 2 * row, 16), sum);
  return madd(v128.load(w, 16), v128.load(x - 3 * row, 16), sum);
}

// @ts-ignore: decorator
@inline function activated(k: Coefficients, v: v128, activation: i32): v128 {
  if (activation == 1) return silux4(k, v);
  return activation == 2 ? f32x4.mul(v, hardShare(v)) : v;
}

/** The activation's slope at v. */
// @ts-ignore: decorator
@inline function slope(k: Coefficients, v: v128, activation: i32): v128 {
  const one = k.one;
  if (activation == 2) return hardSlope(v);
  if (activation == 0) return one;
  const s = sigmoidx4(k, v);
  return f32x4.mul(s, madd(v, f32x4.sub(one, s), one));
}

/** What one tap of eight channels adds to the gradients of its weight and of what it saw. */
// @ts-ignore: decorator
@inline function throughTap(g0: v128, g1: v128, tap: usize, sum: usize, x: usize, dx: usize): void {
  const sum0 = madd(g0, v128.load(x), v128.load(sum));
  const sum1 = madd(g1, v128.load(x, 16), v128.load(sum, 16));
  v128.store(sum, sum1, 16);
  v128.store(sum, sum0);
  const dx0 = madd(g0, v128.load(tap), v128.load(dx));
  const dx1 = madd(g1, v128.load(tap, 16), v128.load(dx, 16));
  v128.store(dx, dx1, 16);
  v128.store(dx, dx0);
}

export function convForward(
  batch: i32, length: i32, channels: i32, width: i32, x: usize, w: usize, bias: usize, activation: i32, reset: usize, y: usize, scratch: usize,
): void {
  const row = <usize>channels << 2;
  const wide = <usize>((channels + 3) & ~3) << 2;
  const k = coefficients();
  transposeIn(channels, width, w, bias, scratch);
  for (let b = 0; b < batch; b++) {
    let first = 0;
    for (let t = 0; t < length; t++, x += row, y += row) {
      if (reset && load<i32>(reset + (<usize>(b * length + t) << 2))) first = t;
      const delays = min(width - 1, t - first);
      let c = 0;
      if (width == 4 && delays == 3)
        for (; c + 8 <= channels; c += 8) {
          const at = <usize>c << 2;
          let y0 = convolvedFour(wide, row, x + at, scratch + at);
          let y1 = convolvedNext(wide, row, x + at, scratch + at);
          if (activation == 1) {
            y0 = silux4(k, y0);
            y1 = silux4(k, y1);
          } else if (activation == 2) {
            y0 = f32x4.mul(y0, hardShare(y0));
            y1 = f32x4.mul(y1, hardShare(y1));
          }
          v128.store(y + at, y1, 16);
          v128.store(y + at, y0);
        }
      for (; c < channels; c += 4) {
        const at = <usize>c << 2;
        const v = convolved(delays, width, wide, row, x + at, scratch + at, channels - c);
        storePart(y + at, channels - c, activated(k, v, activation));
      }
    }
  }
}

/**
 * Gradients of x, w and the bias (dbias may be 0); every output is overwritten. Of so many channels out of rows of `stride`
 * floats: each channel is on its own, so that threads may share them in fours.
 */
export function convBackward(
  batch: i32, length: i32, channels: i32, stride: i32, width: i32, x: usize, w: usize, bias: usize, activation: i32, reset: usize,
  dy: usize, dx: usize, dw: usize, dbias: usize, scratch: usize,
): void {
  const row = <usize>stride << 2;
  const padded = (channels + 3) & ~3;
  const wide = <usize>padded << 2;
  const sums = scratch + <usize>(width + 1) * wide;
  const k = coefficients();
  const one = k.one;
  transposeIn(channels, width, w, bias, scratch);
  memory.fill(sums, 0, <usize>(width + 1) * wide);
  const own = <usize>channels << 2;
  for (let r: usize = 0; r < <usize>(batch * length); r++) memory.fill(dx + r * row, 0, own);
  for (let b = 0; b < batch; b++) {
    let first = 0;
    for (let t = 0; t < length; t++, x += row, dy += row, dx += row) {
      if (reset && load<i32>(reset + (<usize>(b * length + t) << 2))) first = t;
      const delays = min(width - 1, t - first);
      let c = 0;
      if (width == 4 && delays == 3)
        for (; c + 8 <= channels; c += 8) {
          const at = <usize>c << 2;
          const taps = scratch + at;
          const sum = sums + at + 4 * wide;
          let g0 = v128.load(dy + at);
          let g1 = v128.load(dy + at, 16);
          if (activation) {
            const v0 = convolvedFour(wide, row, x + at, taps);
            const v1 = convolvedNext(wide, row, x + at, taps);
            if (activation == 1) {
              const s0 = sigmoidx4(k, v0);
              const s1 = sigmoidx4(k, v1);
              g0 = f32x4.mul(g0, f32x4.mul(s0, madd(v0, f32x4.sub(one, s0), one)));
              g1 = f32x4.mul(g1, f32x4.mul(s1, madd(v1, f32x4.sub(one, s1), one)));
            } else {
              g0 = f32x4.mul(g0, hardSlope(v0));
              g1 = f32x4.mul(g1, hardSlope(v1));
            }
          }
          const sum0 = f32x4.add(v128.load(sum), g0);
          const sum1 = f32x4.add(v128.load(sum, 16), g1);
          v128.store(sum, sum1, 16);
          v128.store(sum, sum0);
          throughTap(g0, g1, taps, sums + at, x + at - 3 * row, dx + at - 3 * row);
          throughTap(g0, g1, taps + wide, sums + at + wide, x + at - 2 * row, dx + at - 2 * row);
          throughTap(g0, g1, taps + 2 * wide, sums + at + 2 * wide, x + at - row, dx + at - row);
          throughTap(g0, g1, taps + 3 * wide, sums + at + 3 * wide, x + at, dx + at);
        }
      for (; c < channels; c += 4) {
        const at = <usize>c << 2;
        const left = channels - c;
        const taps = scratch + at;
        const sum = sums + at;
        const g = f32x4.mul(loadPart(dy + at, left), slope(k, convolved(delays, width, wide, row, x + at, taps, left), activation));
        v128.store(sum + <usize>width * wide, f32x4.add(v128.load(sum + <usize>width * wide), g));
        for (let d = 0; d <= delays; d++) {
          const j = <usize>(width - 1 - d);
          const back = at - <usize>d * row;
          v128.store(sum + j * wide, madd(g, loadPart(x + back, left), v128.load(sum + j * wide)));
          storePart(dx + back, left, madd(g, v128.load(taps + j * wide), loadPart(dx + back, left)));
        }
      }
    }
  }
  for (let c = 0; c < channels; c++) {
    for (let j = 0; j < width; j++)
      store<f32>(dw + (<usize>(c * width + j) << 2), load<f32>(sums + (<usize>(j * padded + c) << 2)));
    if (dbias) store<f32>(dbias + (<usize>c << 2), load<f32>(sums + (<usize>(width * padded + c) << 2)));
  }
}
