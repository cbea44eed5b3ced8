// The selective scan of Mamba (Gu and Dao 2023), forward, float32; selective-scan-back.ts holds the way back:
//   dt = softplus(delta + bias);  h_t = exp(dt_t A) h_{t-1} + dt_t B_t x_t;  y_t = (C_t . h_t + D x_t) SiLU(z_t)
// x, delta, z, y: [batch, length, channels]; A: [channels, states]; B, C: [batch, length, states]; D, bias: [channels].
// Where reset[b, t] is not 0 the state starts anew at t: another sequence begins there.
//
// Four channels are the four lanes, so that sums over states need no shuffles. A row is cut into blocks of BLOCK steps; in
// each block every group of four channels takes its turn, so that B and C and what the way back adds up stay in L1. The
// states at the beginning of every block, one in BLOCK, are kept for the way back, which recomputes the others block by
// block; nothing of size [length, channels, states] is ever written.
import { four, gather, LOG2E, scatter, widen } from './columns';
import { Coefficients, coefficients, decayx4, DECAY_RANGE, madd, silux4, softplusx4, VEC } from '../math';

/** Steps a block: 8 and 32 are 5 % and 3 % slower (128 channels, 32 states). */
// @ts-ignore: decorator
@inline export const BLOCK: i32 = 16;

/** States are handled in pairs; one too many decays nothing and receives nothing. */
// @ts-ignore: decorator
@inline export function paired(states: i32): i32 {
  return (states + 1) & ~1;
}

// @ts-ignore: decorator
@inline export function groupsOf(channels: i32): i32 {
  return (channels + 3) >> 2;
}

// @ts-ignore: decorator
@inline export function blocksOf(length: i32): i32 {
  return (length + BLOCK - 1) / BLOCK;
}

/** Floats that the forward pass keeps for each row of the batch: [blocks, groups, states, 4]. */
export function scanKeptFloats(length: i32, channels: i32, states: i32): i32 {
  return blocksOf(length) * groupsOf(channels) * paired(states) * 4;
}

/** Bytes of scratch forward: decays and states by group, B and C of a block, four columns. */
export function scanForwardBytes(channels: i32, states: i32): i32 {
  const wide = paired(states);
  return 32 * groupsOf(channels) * wide + 8 * BLOCK * wide + 4 * BLOCK * 16;
}

/**
 * Rows first..until of A [.., states] in base 2 into records of `stride` bytes a group of channels and state, its four lanes first;
 * the rest of the records is zero. `first` is a multiple of 4.
 */
export function placeDecays(first: i32, until: i32, states: i32, a: usize, stride: usize, records: usize): void {
  const wide = paired(states);
  memory.fill(records + <usize>((first >> 2) * wide) * stride, 0, <usize>(groupsOf(until - first) * wide) * stride);
  for (let c = first; c < until; c++)
    for (let n = 0; n < states; n++)
      store<f32>(
        records + <usize>((c >> 2) * wide + n) * stride + (<usize>(c & 3) << 2),
        load<f32>(a + (<usize>(c * states + n) << 2)) * LOG2E,
      );
}

/** delta -> dt in place, over [length, 4]. */
// @ts-ignore: decorator
@inline export function timeSteps(length: i32, dt: usize, bias: v128, softplus: bool): void {
  for (let t = 0; t < length; t++, dt += VEC) {
    const v = f32x4.add(v128.load(dt), bias);
    v128.store(dt, softplus ? softplusx4(v) : v);
  }
}

/** Whether no decay of these steps and records needs clamping. */
export function isTame(length: i32, dt: usize, wide: i32, records: usize, stride: usize): bool {
  let d = f32x4.splat(0);
  for (let t = 0; t < length; t++) d = f32x4.pmax(d, f32x4.abs(v128.load(dt + <usize>t * VEC)));
  let a = f32x4.splat(0);
  for (let n = 0; n < wide; n++) a = f32x4.pmax(a, f32x4.abs(v128.load(records + <usize>n * stride)));
  return v128.any_true(f32x4.gt(f32x4.mul(d, a), f32x4.splat(<f32>DECAY_RANGE))) == false;
}

/** Bytes of a record: decay rate, state. */
// @ts-ignore: decorator
@inline const RECORD: usize = 32;

/** One state's step: the new state goes into the record and is returned. */
// @ts-ignore: decorator
@inline function advance(k: Coefficients, d: v128, u: v128, b: v128, record: usize, tame: bool): v128 {
  const decay = decayx4(k, d, v128.load(record), tame);
  const next = madd(decay, v128.load(record, 16), f32x4.mul(u, b));
  v128.store(record, next, 16);
  return next;
}

/** Four channels over a block: C . h into ys. */
// @ts-ignore: decorator
@inline function run(length: i32, wide: i32, records: usize, ds: usize, xs: usize, B: usize, C: usize, resets: usize, ys: usize, tame: bool): void {
  const k = coefficients();
  const end = records + <usize>wide * RECORD;
  for (let t = 0; t < length; t++, ds += VEC, xs += VEC, ys += VEC) {
    const d = v128.load(ds);
    const u = f32x4.mul(d, v128.load(xs));
    let sum = f32x4.splat(0);
    if (resets && load<i32>(resets + (<usize>t << 2)))
      for (let record = records; record < end; record += RECORD) v128.store(record, f32x4.splat(0), 16);
    for (let record = records; record < end; record += 2 * RECORD, B += 8, C += 8) {
      const even = advance(k, d, u, v128.load32_splat(B), record, tame);
      const odd = advance(k, d, u, v128.load32_splat(B, 4), record + RECORD, tame);
      sum = madd(odd, v128.load32_splat(C, 4), madd(even, v128.load32_splat(C), sum));
    }
    v128.store(ys, sum);
  }
}

function runTame(length: i32, wide: i32, records: usize, ds: usize, xs: usize, B: usize, C: usize, resets: usize, ys: usize): void {
  run(length, wide, records, ds, xs, B, C, resets, ys, true);
}

function runClamped(length: i32, wide: i32, records: usize, ds: usize, xs: usize, B: usize, C: usize, resets: usize, ys: usize): void {
  run(length, wide, records, ds, xs, B, C, resets, ys, false);
}

/** kept: [batch, scanKeptFloats], or 0 where there is no way back. */
export function scanForward(
  batch: i32, length: i32, channels: i32, states: i32,
  x: usize, delta: usize, A: usize, B: usize, C: usize, D: usize, z: usize, bias: usize, softplus: bool, reset: usize,
  y: usize, kept: usize, scratch: usize,
): void {
  const wide = paired(states);
  const column = <usize>BLOCK * VEC;
  const all = <usize>(groupsOf(channels) * wide);
  const Bp = scratch + all * RECORD;
  const Cp = Bp + (<usize>(BLOCK * wide) << 2);
  const xs = Cp + (<usize>(BLOCK * wide) << 2);
  const ds = xs + column;
  const ys = ds + column;
  const zs = ys + column;
  placeDecays(0, channels, states, A, RECORD, scratch);
  for (let b = 0; b < batch; b++) {
    for (let i: usize = 0; i < all; i++) v128.store(scratch + i * RECORD, f32x4.splat(0), 16);
    for (let from = 0; from < length; from += BLOCK) {
      const n = min(BLOCK, length - from);
      const first = <usize>(b * length + from);
      const rows = (first * <usize>channels) << 2;
      const resets = reset ? reset + (first << 2) : 0;
      widen(n, states, wide, B + ((first * <usize>states) << 2), Bp);
      widen(n, states, wide, C + ((first * <usize>states) << 2), Cp);
      if (kept)
        for (let i: usize = 0; i < all; i++, kept += VEC) v128.store(kept, v128.load(scratch + i * RECORD, 16));
      for (let c0 = 0; c0 < channels; c0 += 4) {
        const count = min(4, channels - c0);
        const records = scratch + <usize>((c0 >> 2) * wide) * RECORD;
        gather(n, channels, c0, count, x + rows, xs);
        gather(n, channels, c0, count, delta + rows, ds);
        timeSteps(n, ds, four(bias, c0, count), softplus);
        if (isTame(n, ds, wide, records, RECORD)) runTame(n, wide, records, ds, xs, Bp, Cp, resets, ys);
        else runClamped(n, wide, records, ds, xs, Bp, Cp, resets, ys);
        const skip = four(D, c0, count);
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
