// Causal depthwise convolution with bias and optional SiLU: y[t, c] = act(b[c] + sum_j w[c, j] x[t - (k - 1) + j, c]).
// x, y: [batch, length, channels]; w: [channels, width]; reset [batch, length]: no tap reaches back over a reset.
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

// @ts-ignore: decorator
@inline function preactivation(t: i32, first: i32, width: i32, wideBytes: usize, row: usize, x: usize, w: usize, c: usize, left: i32): v128 {
  let sum = v128.load(w + <usize>width * wideBytes + c);
  for (let j = max(0, width - 1 - (t - first)); j < width; j++)
    sum = madd(v128.load(w + <usize>j * wideBytes + c), loadPart(x - <usize>(width - 1 - j) * row + c, left), sum);
  return sum;
}

export function convForward(
  batch: i32, length: i32, channels: i32, width: i32, x: usize, w: usize, bias: usize, silu: bool, reset: usize, y: usize, scratch: usize,
): void {
  const row = <usize>channels << 2;
  const wideBytes = <usize>((channels + 3) & ~3) << 2;
  transposeIn(channels, width, w, bias, scratch);
  for (let b = 0; b < batch; b++) {
    let first = 0;
    for (let t = 0; t < length; t++) {
      const at = <usize>(b * length + t);
      if (reset && load<i32>(reset + (at << 2))) first = t;
      const from = x + at * row;
      const to = y + at * row;
      for (let c = 0; c < channels; c += 4) {
        const offset = <usize>c << 2;
        let v = preactivation(t, first, width, wideBytes, row, from, scratch, offset, channels - c);
        if (silu) v = silux4(v);
        storePart(to + offset, channels - c, v);
      }
    }
  }
}

/** Gradients of x, w and the bias (dbias may be 0); every output is overwritten. */
export function convBackward(
  batch: i32, length: i32, channels: i32, width: i32, x: usize, w: usize, bias: usize, silu: bool, reset: usize,
  dy: usize, dx: usize, dw: usize, dbias: usize, scratch: usize,
): void {
  const row = <usize>channels << 2;
  const wide = (channels + 3) & ~3;
  const wideBytes = <usize>wide << 2;
  const sums = scratch + <usize>(width + 1) * wideBytes;
  transposeIn(channels, width, w, bias, scratch);
  memory.fill(sums, 0, <usize>(width + 1) * wideBytes);
  memory.fill(dx, 0, <usize>(batch * length) * row);
  for (let b = 0; b < batch; b++) {
    let first = 0;
    for (let t = 0; t < length; t++) {
      const at = <usize>(b * length + t);
      if (reset && load<i32>(reset + (at << 2))) first = t;
      const from = x + at * row;
      const to = dx + at * row;
      for (let c = 0; c < channels; c += 4) {
        const offset = <usize>c << 2;
        const left = channels - c;
        let g = loadPart(dy + at * row + offset, left);
        if (silu) {
          const v = preactivation(t, first, width, wideBytes, row, from, scratch, offset, left);
          const s = sigmoidx4(v);
          g = f32x4.mul(g, f32x4.mul(s, madd(v, f32x4.sub(f32x4.splat(1), s), f32x4.splat(1))));
        }
        const sumBias = sums + <usize>width * wideBytes + offset;
        v128.store(sumBias, f32x4.add(v128.load(sumBias), g));
        for (let j = max(0, width - 1 - (t - first)); j < width; j++) {
          const back = <usize>(width - 1 - j) * row;
          const sum = sums + <usize>j * wideBytes + offset;
          v128.store(sum, madd(g, loadPart(from - back + offset, left), v128.load(sum)));
          const target = to - back + offset;
          storePart(target, left, madd(g, v128.load(scratch + <usize>j * wideBytes + offset), loadPart(target, left)));
        }
      }
    }
  }
  for (let c = 0; c < channels; c++) {
    for (let j = 0; j < width; j++)
      store<f32>(dw + (<usize>(c * width + j) << 2), load<f32>(sums + (<usize>(j * wide + c) << 2)));
    if (dbias) store<f32>(dbias + (<usize>c << 2), load<f32>(sums + (<usize>(width * wide + c) << 2)));
  }
}
