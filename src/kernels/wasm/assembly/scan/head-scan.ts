// The selective scan with one time step and one decay a head (Mamba-2; Dao and Gu 2024), forward, float32:
//   dt = softplus(delta + bias);  h_t = exp(dt_t A) h_{t-1} + dt_t B_t x_t;  y_t = (C_t . h_t + D x_t) SiLU(z_t)
// x, z, y: [batch, length, channels]; delta: [batch, length, heads]; A, D, bias: [heads]; B, C: [batch, length, states];
// a head's channels lie side by side. Where reset[b, t] is not 0 the state starts anew at t.
//
// Eight channels of a head are the lanes of two vectors, and a row is cut into blocks whose first states are kept for the way back, as
// in selective-scan.ts; but there is one exponential a head and step. Forward the recurrence is faster than products of
// matrices over a block (with vectors of 128 bits; at headDim 16 to 64 and 32 to 128 states); backward it is not.
import { columns, EIGHT, LOG2E, putBack, strideOf, target, widen } from './columns';
import { coefficients } from '../coefficients';
import { decayx4, madd, PAIR, silux4, softplusx4, VEC } from '../math';
import { BLOCK, blocksOf } from './selective-scan';

/** States and channels of a head are handled in fours; the last may be nothing but zeros. */
// @ts-ignore: decorator
@inline export function inFours(n: i32): i32 {
  return (n + 3) & ~3;
}

/** Groups of eight channels: the last of a head may be smaller. */
// @ts-ignore: decorator
@inline function headGroups(channels: i32, heads: i32): i32 {
  return heads * ((channels / heads + 7) >> 3);
}

/** Floats of one head's state, [states, headDim], both in fours. */
export function headStateFloats(channels: i32, heads: i32, states: i32): i32 {
  return inFours(states) * inFours(channels / heads);
}

/** Floats that the forward pass keeps for each row of the batch: [blocks, heads, states, headDim]. */
export function headScanKeptFloats(length: i32, channels: i32, heads: i32, states: i32): i32 {
  return blocksOf(length) * heads * headStateFloats(channels, heads, states);
}

/** Bytes of scratch forward: states, B and C of a block, the head's steps, four columns. */
export function headScanForwardBytes(channels: i32, heads: i32, states: i32): i32 {
  const wide = inFours(states);
  return 32 * headGroups(channels, heads) * wide + 8 * BLOCK * wide + 12 * BLOCK + 4 * BLOCK * 32;
}

/** delta + bias, dt and decay of one head, each [BLOCK]. */
export function headSteps(
  length: i32, heads: i32, delta: usize, shift: f32, a: f32, softplus: bool, resets: usize, raw: usize, dts: usize, decays: usize,
): void {
  const k = coefficients();
  const rate = f32x4.splat(a * LOG2E);
  memory.fill(raw, 0, BLOCK << 2);
  for (let t = 0; t < length; t++) store<f32>(raw + (<usize>t << 2), load<f32>(delta + (<usize>(t * heads) << 2)) + shift);
  for (let at: usize = 0; at < <usize>BLOCK << 2; at += VEC) {
    const v = v128.load(raw + at);
    const d = softplus ? softplusx4(coefficients(), v) : v;
    v128.store(dts + at, d);
    v128.store(decays + at, decayx4(k, d, rate, false));
  }
  if (!resets) return;
  for (let at: usize = 0; at < <usize>length << 2; at += 4) if (load<i32>(resets + at)) store<f32>(decays + at, 0);
}

/** Eight channels over a block: C . h into ys. h: [wide, EIGHT]; steps of x lie `stride` bytes apart. */
function run(length: i32, wide: i32, h: usize, dts: usize, decays: usize, x: usize, stride: usize, B: usize, C: usize, ys: usize): void {
  const end = h + <usize>wide * PAIR;
  for (let t = 0; t < length; t++, dts += 4, decays += 4, x += stride, ys += PAIR) {
    const a = v128.load32_splat(decays);
    const dt = v128.load32_splat(dts);
    const u0 = f32x4.mul(dt, v128.load(x));
    const u1 = f32x4.mul(dt, v128.load(x, 16));
    // Two sums, so that neither waits for the other.
    let even0 = f32x4.splat(0);
    let even1 = f32x4.splat(0);
    let odd0 = f32x4.splat(0);
    let odd1 = f32x4.splat(0);
    for (let at = h; at < end; at += 2 * PAIR, B += 8, C += 8) {
      const be = v128.load32_splat(B);
      const ce = v128.load32_splat(C);
      const he0 = madd(a, v128.load(at), f32x4.mul(u0, be));
      const he1 = madd(a, v128.load(at, 16), f32x4.mul(u1, be));
      v128.store(at, he1, 16);
      v128.store(at, he0);
      even0 = madd(he0, ce, even0);
      even1 = madd(he1, ce, even1);
      const bo = v128.load32_splat(B, 4);
      const co = v128.load32_splat(C, 4);
      const ho0 = madd(a, v128.load(at, 32), f32x4.mul(u0, bo));
      const ho1 = madd(a, v128.load(at, 48), f32x4.mul(u1, bo));
      v128.store(at, ho1, 48);
      v128.store(at, ho0, 32);
      odd0 = madd(ho0, co, odd0);
      odd1 = madd(ho1, co, odd1);
    }
    const y0 = f32x4.add(even0, odd0);
    const y1 = f32x4.add(even1, odd1);
    v128.store(ys, y1, 16);
    v128.store(ys, y0);
  }
}

/** y = (ys + D x) SiLU(z); ys: [length, EIGHT], the others' steps lie `stride` bytes apart. */
function finish(length: i32, skip: f32, x: usize, z: usize, stride: usize, ys: usize, y: usize): void {
  const k = coefficients();
  const D = f32x4.splat(skip);
  for (const end = ys + <usize>length * PAIR; ys < end; ys += PAIR, x += stride, y += stride) {
    const y0 = madd(D, v128.load(x), v128.load(ys));
    const y1 = madd(D, v128.load(x, 16), v128.load(ys, 16));
    if (z) {
      const gated0 = f32x4.mul(y0, silux4(k, v128.load(z)));
      const gated1 = f32x4.mul(y1, silux4(k, v128.load(z, 16)));
      v128.store(y, gated1, 16);
      v128.store(y, gated0);
      z += stride;
    } else {
      v128.store(y, y1, 16);
      v128.store(y, y0);
    }
  }
}

/** States of a head, [groups, wide, EIGHT], into [wide, width], where width is headDim in fours. */
function keep(headDim: i32, wide: i32, from: usize, to: usize): void {
  const row = <usize>inFours(headDim) << 2;
  for (let c = 0; c < headDim; c += EIGHT, to += PAIR) {
    const whole = headDim - c > 4;
    for (let n: usize = 0; n < <usize>wide; n++, from += PAIR) {
      v128.store(to + n * row, v128.load(from));
      if (whole) v128.store(to + n * row, v128.load(from, 16), 16);
    }
  }
}

/** kept: [batch, headScanKeptFloats], or 0 where there is no way back. */
export function headScanForward(
  batch: i32, length: i32, channels: i32, heads: i32, states: i32,
  x: usize, delta: usize, A: usize, B: usize, C: usize, D: usize, z: usize, bias: usize, softplus: bool, reset: usize,
  y: usize, kept: usize, scratch: usize,
): void {
  const wide = inFours(states);
  const headDim = channels / heads;
  const ownBytes = <usize>(headGroups(channels, heads) / heads * wide) * PAIR;
  const all = <usize>heads * ownBytes;
  const column = <usize>BLOCK * PAIR;
  const Bp = scratch + all;
  const Cp = Bp + (<usize>(BLOCK * wide) << 2);
  const raw = Cp + (<usize>(BLOCK * wide) << 2);
  const dts = raw + (BLOCK << 2);
  const decays = dts + (BLOCK << 2);
  const xs = decays + (BLOCK << 2);
  const ys = xs + column;
  const zs = ys + column;
  for (let b = 0; b < batch; b++) {
    memory.fill(scratch, 0, all);
    for (let from = 0; from < length; from += BLOCK) {
      const n = min(BLOCK, length - from);
      const first = <usize>(b * length + from);
      const rows = (first * <usize>channels) << 2;
      const resets = reset ? reset + (first << 2) : 0;
      widen(n, states, wide, B + ((first * <usize>states) << 2), Bp);
      widen(n, states, wide, C + ((first * <usize>states) << 2), Cp);
      let h = scratch;
      for (let g = 0; g < heads; g++) {
        const lane = <usize>g << 2;
        if (kept) {
          keep(headDim, wide, h, kept);
          kept += <usize>(wide * inFours(headDim)) << 2;
        }
        const deltas = delta + ((first * <usize>heads) << 2) + lane;
        headSteps(n, heads, deltas, bias ? load<f32>(bias + lane) : 0, load<f32>(A + lane), softplus, resets, raw, dts, decays);
        const skip = D ? load<f32>(D + lane) : <f32>0;
        for (let c = 0; c < headDim; c += EIGHT, h += <usize>wide * PAIR) {
          const c0 = g * headDim + c;
          const count = min(EIGHT, headDim - c);
          const stride = strideOf(channels, count);
          const xAt = columns(n, channels, c0, count, x + rows, xs);
          const zAt = z ? columns(n, channels, c0, count, z + rows, zs) : 0;
          const yAt = target(c0, count, y + rows, ys);
          run(n, wide, h, dts, decays, xAt, stride, Bp, Cp, ys);
          finish(n, skip, xAt, zAt, stride, ys, yAt);
          putBack(n, channels, c0, count, yAt, y + rows);
        }
      }
    }
  }
}
