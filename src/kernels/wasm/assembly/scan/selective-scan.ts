// The selective scan of Mamba (Gu and Dao 2023), forward, float32; selective-scan-back.ts holds the way back:
//   dt = softplus(delta + bias);  h_t = exp(dt_t A) h_{t-1} + dt_t B_t x_t;  y_t = (C_t . h_t + D x_t) SiLU(z_t)
// x, delta, z, y: [batch, length, channels]; A: [channels, states]; B, C: [batch, length, states]; D, bias: [channels].
// Where reset[b, t] is not 0 the state starts anew at t: another sequence begins there.
//
// Eight channels are the lanes of two vectors, so that sums over states need no shuffles, and what is done to both vectors side
// by side becomes one of 256 bits where V8 joins them. A row is cut into blocks of BLOCK steps; in each block every group
// of eight channels takes its turn, so that B and C and what the way back adds up stay in the cache. The
// states at the beginning of every block, one in BLOCK, are kept for the way back, which recomputes the others block by
// block; nothing of size [length, channels, states] is ever written.
import { columns, EIGHT, LOG2E, putBack, strideOf, take, target, widen, zeroPair } from './columns';
import { coefficients, DECAY_RANGE } from '../coefficients';
import { decayBy, madd, PAIR, silux4, softplusx4 } from '../math';

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
  return (channels + 7) >> 3;
}

// @ts-ignore: decorator
@inline export function blocksOf(length: i32): i32 {
  return (length + BLOCK - 1) / BLOCK;
}

/** Floats that the forward pass keeps for each row of the batch: [blocks, groups, states, EIGHT]. */
export function scanKeptFloats(length: i32, channels: i32, states: i32): i32 {
  return blocksOf(length) * groupsOf(channels) * paired(states) * EIGHT;
}

/** Bytes of scratch forward: decays and states by group, B and C of a block, four columns, two lines of vectors by channel. */
export function scanForwardBytes(channels: i32, states: i32): i32 {
  const wide = paired(states);
  return 64 * groupsOf(channels) * wide + 8 * BLOCK * wide + 4 * BLOCK * 32 + 64;
}

/**
 * Rows first..until of A [.., states] in base 2 into records of `stride` bytes a group of channels and state, its lanes first; the
 * rest of the records is zero. `first` is a multiple of EIGHT.
 */
export function placeDecays(first: i32, until: i32, states: i32, a: usize, stride: usize, records: usize): void {
  const wide = paired(states);
  memory.fill(records + <usize>((first >> 3) * wide) * stride, 0, <usize>(groupsOf(until - first) * wide) * stride);
  for (let c = first; c < until; c++)
    for (let n = 0; n < states; n++)
      store<f32>(
        records + <usize>((c >> 3) * wide + n) * stride + (<usize>(c & 7) << 2),
        load<f32>(a + (<usize>(c * states + n) << 2)) * LOG2E,
      );
}

/** dt [length, EIGHT] of delta, whose steps lie `stride` bytes apart; bias: EIGHT. */
export function timeSteps(length: i32, delta: usize, stride: usize, bias: usize, softplus: bool, dt: usize): void {
  const k = coefficients();
  const b0 = v128.load(bias);
  const b1 = v128.load(bias, 16);
  for (const end = dt + <usize>length * PAIR; dt < end; dt += PAIR, delta += stride) {
    const v0 = f32x4.add(v128.load(delta), b0);
    const v1 = f32x4.add(v128.load(delta, 16), b1);
    if (softplus) {
      const d0 = softplusx4(k, v0);
      const d1 = softplusx4(k, v1);
      v128.store(dt, d1, 16);
      v128.store(dt, d0);
    } else {
      v128.store(dt, v1, 16);
      v128.store(dt, v0);
    }
  }
}

/** Whether no decay of these steps and records needs clamping. */
export function isTame(length: i32, dt: usize, wide: i32, records: usize, stride: usize): bool {
  let d0 = f32x4.splat(0);
  let d1 = d0;
  for (const end = dt + <usize>length * PAIR; dt < end; dt += PAIR) {
    d0 = f32x4.pmax(d0, f32x4.abs(v128.load(dt)));
    d1 = f32x4.pmax(d1, f32x4.abs(v128.load(dt, 16)));
  }
  let a0 = f32x4.splat(0);
  let a1 = a0;
  for (const end = records + <usize>wide * stride; records < end; records += stride) {
    a0 = f32x4.pmax(a0, f32x4.abs(v128.load(records)));
    a1 = f32x4.pmax(a1, f32x4.abs(v128.load(records, 16)));
  }
  const most = f32x4.pmax(f32x4.mul(d0, a0), f32x4.mul(d1, a1));
  return v128.any_true(f32x4.gt(most, f32x4.splat(<f32>DECAY_RANGE))) == false;
}

/** Bytes of a record: decay rates, states. */
// @ts-ignore: decorator
@inline const RECORD: usize = 64;

/** Eight channels over a block: C . h into ys. */
// @ts-ignore: decorator
@inline function run(length: i32, wide: i32, records: usize, ds: usize, x: usize, stride: usize, B: usize, C: usize, resets: usize, ys: usize, tame: bool): void {
  const k = coefficients();
  const round = k.round;
  const one = k.one;
  const e1 = k.exp1;
  const e2 = k.exp2;
  const e3 = k.exp3;
  const e4 = k.exp4;
  const e5 = k.exp5;
  const end = records + <usize>wide * RECORD;
  for (let t = 0; t < length; t++, ds += PAIR, x += stride, ys += PAIR) {
    if (resets && load<i32>(resets + (<usize>t << 2)))
      for (let record = records; record < end; record += RECORD) zeroPair(record + 32);
    const d0 = v128.load(ds);
    const d1 = v128.load(ds, 16);
    const u0 = f32x4.mul(d0, v128.load(x));
    const u1 = f32x4.mul(d1, v128.load(x, 16));
    let sum0 = f32x4.splat(0);
    let sum1 = f32x4.splat(0);
    for (let record = records; record < end; record += 2 * RECORD, B += 8, C += 8) {
      const be = v128.load32_splat(B);
      const ce = v128.load32_splat(C);
      const he0 = madd(decayBy(k, round, one, e1, e2, e3, e4, e5, d0, v128.load(record), tame), v128.load(record, 32), f32x4.mul(u0, be));
      const he1 = madd(decayBy(k, round, one, e1, e2, e3, e4, e5, d1, v128.load(record, 16), tame), v128.load(record, 48), f32x4.mul(u1, be));
      v128.store(record, he1, 48);
      v128.store(record, he0, 32);
      sum0 = madd(he0, ce, sum0);
      sum1 = madd(he1, ce, sum1);
      const bo = v128.load32_splat(B, 4);
      const co = v128.load32_splat(C, 4);
      const ho0 = madd(decayBy(k, round, one, e1, e2, e3, e4, e5, d0, v128.load(record, 64), tame), v128.load(record, 96), f32x4.mul(u0, bo));
      const ho1 = madd(decayBy(k, round, one, e1, e2, e3, e4, e5, d1, v128.load(record, 80), tame), v128.load(record, 112), f32x4.mul(u1, bo));
      v128.store(record, ho1, 112);
      v128.store(record, ho0, 96);
      sum0 = madd(ho0, co, sum0);
      sum1 = madd(ho1, co, sum1);
    }
    v128.store(ys, sum1, 16);
    v128.store(ys, sum0);
  }
}

function runTame(length: i32, wide: i32, records: usize, ds: usize, x: usize, stride: usize, B: usize, C: usize, resets: usize, ys: usize): void {
  run(length, wide, records, ds, x, stride, B, C, resets, ys, true);
}

function runClamped(length: i32, wide: i32, records: usize, ds: usize, x: usize, stride: usize, B: usize, C: usize, resets: usize, ys: usize): void {
  run(length, wide, records, ds, x, stride, B, C, resets, ys, false);
}

/** y = (ys + D x) SiLU(z); ys: [length, EIGHT], the others' steps lie `stride` bytes apart; D: EIGHT. */
function finish(length: i32, skip: usize, x: usize, z: usize, stride: usize, ys: usize, y: usize): void {
  const k = coefficients();
  const D0 = v128.load(skip);
  const D1 = v128.load(skip, 16);
  for (const end = ys + <usize>length * PAIR; ys < end; ys += PAIR, x += stride, y += stride) {
    const y0 = madd(D0, v128.load(x), v128.load(ys));
    const y1 = madd(D1, v128.load(x, 16), v128.load(ys, 16));
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

/** kept: [batch, scanKeptFloats], or 0 where there is no way back. */
export function scanForward(
  batch: i32, length: i32, channels: i32, states: i32,
  x: usize, delta: usize, A: usize, B: usize, C: usize, D: usize, z: usize, bias: usize, softplus: bool, reset: usize,
  y: usize, kept: usize, scratch: usize,
): void {
  const wide = paired(states);
  const column = <usize>BLOCK * PAIR;
  const all = <usize>(groupsOf(channels) * wide);
  const Bp = scratch + all * RECORD;
  const Cp = Bp + (<usize>(BLOCK * wide) << 2);
  const xs = Cp + (<usize>(BLOCK * wide) << 2);
  const ds = xs + column;
  const ys = ds + column;
  const zs = ys + column;
  const shift = zs + column;
  const skip = shift + PAIR;
  placeDecays(0, channels, states, A, RECORD, scratch);
  for (let b = 0; b < batch; b++) {
    for (let i: usize = 0; i < all; i++) zeroPair(scratch + i * RECORD + 32);
    for (let from = 0; from < length; from += BLOCK) {
      const n = min(BLOCK, length - from);
      const first = <usize>(b * length + from);
      const rows = (first * <usize>channels) << 2;
      const resets = reset ? reset + (first << 2) : 0;
      widen(n, states, wide, B + ((first * <usize>states) << 2), Bp);
      widen(n, states, wide, C + ((first * <usize>states) << 2), Cp);
      if (kept)
        for (let i: usize = 0; i < all; i++, kept += PAIR) {
          const low = v128.load(scratch + i * RECORD, 32);
          const high = v128.load(scratch + i * RECORD, 48);
          v128.store(kept, high, 16);
          v128.store(kept, low);
        }
      for (let c0 = 0; c0 < channels; c0 += EIGHT) {
        const count = min(EIGHT, channels - c0);
        const records = scratch + <usize>((c0 >> 3) * wide) * RECORD;
        const stride = strideOf(channels, count);
        const xAt = columns(n, channels, c0, count, x + rows, xs);
        const zAt = z ? columns(n, channels, c0, count, z + rows, zs) : 0;
        const yAt = target(c0, count, y + rows, ys);
        take(bias, c0, count, shift);
        timeSteps(n, columns(n, channels, c0, count, delta + rows, ds), stride, shift, softplus, ds);
        if (isTame(n, ds, wide, records, RECORD)) runTame(n, wide, records, ds, xAt, stride, Bp, Cp, resets, ys);
        else runClamped(n, wide, records, ds, xAt, stride, Bp, Cp, resets, ys);
        take(D, c0, count, skip);
        finish(n, skip, xAt, zAt, stride, ys, yAt);
        putBack(n, channels, c0, count, yAt, y + rows);
      }
    }
  }
}
