// The selective scan with one time step and one decay a head (Mamba-2; Dao and Gu 2024), forward, float32:
//   dt = softplus(delta + bias);  h_t = exp(dt_t A) h_{t-1} + dt_t B_t x_t;  y_t = (C_t . h_t + D x_t) SiLU(z_t)
// x, z, y: [batch, length, channels]; delta: [batch, length, heads]; A, D, bias: [heads]; B, C: [batch, length, states];
// a head's channels lie side by side. Where reset[b, t] is not 0 the state starts anew at t.
//
// Four channels of a head are the four lanes, and a row is cut into blocks whose first states are kept for the way back, as
// in selective-scan.ts; but there is one exponential a head and step. Forward the recurrence is faster than products of
// matrices over a block (with vectors of 128 bits; at headDim 16 to 64 and 32 to 128 states); backward it is not.
import { gather, LOG2E, scatter, widen } from './columns';
import { coefficients, decayx4, madd, silux4, softplusx4, VEC } from '../math';
import { BLOCK, blocksOf } from './selective-scan';

/** States and channels of a head are handled in fours; the last may be nothing but zeros. */
// @ts-ignore: decorator
@inline export function inFours(n: i32): i32 {
  return (n + 3) & ~3;
}

/** Groups of four channels: the last of a head may be smaller. */
// @ts-ignore: decorator
@inline function headGroups(channels: i32, heads: i32): i32 {
  return heads * ((channels / heads + 3) >> 2);
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
  return 16 * headGroups(channels, heads) * wide + 8 * BLOCK * wide + 12 * BLOCK + 4 * BLOCK * 16;
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
    const d = softplus ? softplusx4(v) : v;
    v128.store(dts + at, d);
    v128.store(decays + at, decayx4(k, d, rate, false));
  }
  if (!resets) return;
  for (let at: usize = 0; at < <usize>length << 2; at += 4) if (load<i32>(resets + at)) store<f32>(decays + at, 0);
}

/** One state's step. */
// @ts-ignore: decorator
@inline function advance(a: v128, u: v128, b: v128, h: usize): v128 {
  const next = madd(a, v128.load(h), f32x4.mul(u, b));
  v128.store(h, next);
  return next;
}

/** Four channels over a block: C . h into ys. h: [wide, 4]. */
function run(length: i32, wide: i32, h: usize, dts: usize, decays: usize, xs: usize, B: usize, C: usize, ys: usize): void {
  const end = h + <usize>wide * VEC;
  for (let t = 0; t < length; t++, dts += 4, decays += 4, xs += VEC, ys += VEC) {
    const a = v128.load32_splat(decays);
    const u = f32x4.mul(v128.load32_splat(dts), v128.load(xs));
    // Two sums, so that neither waits for the other.
    let even = f32x4.splat(0);
    let odd = even;
    for (let at = h; at < end; at += 4 * VEC, B += 16, C += 16) {
      even = madd(advance(a, u, v128.load32_splat(B), at), v128.load32_splat(C), even);
      odd = madd(advance(a, u, v128.load32_splat(B, 4), at + 16), v128.load32_splat(C, 4), odd);
      even = madd(advance(a, u, v128.load32_splat(B, 8), at + 32), v128.load32_splat(C, 8), even);
      odd = madd(advance(a, u, v128.load32_splat(B, 12), at + 48), v128.load32_splat(C, 12), odd);
    }
    v128.store(ys, f32x4.add(even, odd));
  }
}

/** States [heads, groups, wide, 4] into [heads, wide, groups, 4]. */
function keep(heads: i32, groups: i32, wide: i32, from: usize, to: usize): void {
  const row = <usize>groups * VEC;
  for (let g = 0; g < heads; g++, to += <usize>wide * row)
    for (let c = 0; c < groups; c++)
      for (let n: usize = 0; n < <usize>wide; n++, from += VEC) v128.store(to + n * row + <usize>c * VEC, v128.load(from));
}

/** kept: [batch, headScanKeptFloats], or 0 where there is no way back. */
export function headScanForward(
  batch: i32, length: i32, channels: i32, heads: i32, states: i32,
  x: usize, delta: usize, A: usize, B: usize, C: usize, D: usize, z: usize, bias: usize, softplus: bool, reset: usize,
  y: usize, kept: usize, scratch: usize,
): void {
  const wide = inFours(states);
  const headDim = channels / heads;
  const all = <usize>(headGroups(channels, heads) * wide) * VEC;
  const column = <usize>BLOCK * VEC;
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
      if (kept) {
        keep(heads, inFours(headDim) >> 2, wide, scratch, kept);
        kept += all;
      }
      let h = scratch;
      for (let g = 0; g < heads; g++) {
        const lane = <usize>g << 2;
        const deltas = delta + ((first * <usize>heads) << 2) + lane;
        headSteps(n, heads, deltas, bias ? load<f32>(bias + lane) : 0, load<f32>(A + lane), softplus, resets, raw, dts, decays);
        const skip = f32x4.splat(D ? load<f32>(D + lane) : 0);
        for (let c = 0; c < headDim; c += 4, h += <usize>wide * VEC) {
          const c0 = g * headDim + c;
          const count = min(4, headDim - c);
          gather(n, channels, c0, count, x + rows, xs);
          run(n, wide, h, dts, decays, xs, Bp, Cp, ys);
          if (z) gather(n, channels, c0, count, z + rows, zs);
          for (let t: usize = 0; t < <usize>n * VEC; t += VEC) {
            const value = madd(skip, v128.load(xs + t), v128.load(ys + t));
            v128.store(ys + t, z ? f32x4.mul(value, silux4(v128.load(zs + t))) : value);
          }
          scatter(n, channels, c0, count, ys, y + rows);
        }
      }
    }
  }
}
