// Parts of the head scan that both directions use: layout of scratch, gathering, the recurrence over one channel.
import { exp2x4, madd, softplusx4, VEC } from './math';


/** States a block. */
// @ts-ignore: decorator
@inline export const BLOCK: i32 = 8;
/** Bytes of a block's states of four channels. */
// @ts-ignore: decorator
@inline export const STEP: usize = 128;
// @ts-ignore: decorator
@inline export const LOG2E: f32 = 1.44269504;

// @ts-ignore: decorator
@inline export function padded(states: i32): i32 {
  return (states + BLOCK - 1) & ~(BLOCK - 1);
}

// @ts-ignore: decorator
@inline export function paddedSteps(length: i32): usize {
  return <usize>((length + 3) & ~3) << 2;
}

/** Bytes of scratch for both directions. */
export function headScanScratchBytes(length: i32, states: i32): i32 {
  const wide = padded(states) * 4;
  // B, C; raw, dt, decay; ten columns of [length, 4]; states of a block; gradients of B and C by lane
  return 2 * length * wide + 3 * <i32>paddedSteps(length) + 10 * length * 16 + (length + 1) * BLOCK * 16 + 2 * length * wide * 4;
}

/** Rows of `states` floats into rows of `wide` bytes, zero-filled. */
export function widen(rows: i32, states: i32, from: usize, to: usize): void {
  const wide = <usize>padded(states) << 2;
  const narrow = <usize>states << 2;
  memory.fill(to, 0, <usize>rows * wide);
  for (let r = 0; r < rows; r++) memory.copy(to + <usize>r * wide, from + <usize>r * narrow, narrow);
}

/** `count` (at most four) columns from column c0 of [length, channels] into [length, 4]; missing ones are zero. */
export function gather(length: i32, channels: i32, c0: i32, count: i32, from: usize, to: usize): void {
  const row = <usize>channels << 2;
  from += <usize>c0 << 2;
  if (count == 4) {
    for (let t = 0; t < length; t++, from += row, to += VEC) v128.store(to, v128.load(from));
    return;
  }
  for (let t = 0; t < length; t++, from += row, to += VEC)
    for (let c = 0; c < 4; c++) store<f32>(to + (<usize>c << 2), c < count ? load<f32>(from + (<usize>c << 2)) : 0);
}

/** The inverse of gather. */
export function scatter(length: i32, channels: i32, c0: i32, count: i32, from: usize, to: usize): void {
  const row = <usize>channels << 2;
  to += <usize>c0 << 2;
  if (count == 4) {
    for (let t = 0; t < length; t++, to += row, from += VEC) v128.store(to, v128.load(from));
    return;
  }
  for (let t = 0; t < length; t++, to += row, from += VEC)
    for (let c = 0; c < count; c++) store<f32>(to + (<usize>c << 2), load<f32>(from + (<usize>c << 2)));
}

/** delta + bias, dt and decay of one head, each [length]. */
export function prepare(
  length: i32, heads: i32, delta: usize, shift: f32, a: f32, softplus: bool, resets: usize, raw: usize, dts: usize, decays: usize,
): void {
  const row = <usize>heads << 2;
  const bytes = paddedSteps(length);
  v128.store(raw + bytes - VEC, f32x4.splat(0));
  for (let t = 0; t < length; t++) store<f32>(raw + (<usize>t << 2), load<f32>(delta + <usize>t * row) + shift);
  for (let at: usize = 0; at < bytes; at += VEC) {
    const v = v128.load(raw + at);
    const d = softplus ? softplusx4(v) : v;
    v128.store(dts + at, d);
    v128.store(decays + at, exp2x4(f32x4.mul(d, f32x4.splat(a * LOG2E))));
  }
  if (!resets) return;
  for (let t = 0; t < length; t++) {
    const at = <usize>t << 2;
    if (load<i32>(resets + at)) store<f32>(decays + at, 0);
  }
}

/** dt x, [length, 4]. */
export function inputsOf(length: i32, dts: usize, xs: usize, us: usize): void {
  for (let t = 0; t < length; t++) {
    const at = <usize>t * VEC;
    v128.store(us + at, f32x4.mul(v128.load32_splat(dts + (<usize>t << 2)), v128.load(xs + at)));
  }
}

/** One state's step: a h + u B. */
// @ts-ignore: decorator
@inline export function step(h: v128, a: v128, u: v128, b: usize): v128 {
  return madd(a, h, f32x4.mul(u, v128.load32_splat(b)));
}

/**
 * Eight states of four channels over the whole length; adds C . h to ys. Where hs is given, the states after each step go
 * to hs [length, 8, 4].
 */
// @ts-ignore: decorator
@inline export function run(length: i32, wide: usize, Bn: usize, Cn: usize, us: usize, decays: usize, ys: usize, hs: usize, keep: bool): void {
  let h0 = f32x4.splat(0);
  let h1 = h0;
  let h2 = h0;
  let h3 = h0;
  let h4 = h0;
  let h5 = h0;
  let h6 = h0;
  let h7 = h0;
  for (let t = 0; t < length; t++, Bn += wide, Cn += wide, us += VEC, ys += VEC, decays += 4) {
    const a = v128.load32_splat(decays);
    const u = v128.load(us);
    h0 = step(h0, a, u, Bn);
    h1 = step(h1, a, u, Bn + 4);
    h2 = step(h2, a, u, Bn + 8);
    h3 = step(h3, a, u, Bn + 12);
    h4 = step(h4, a, u, Bn + 16);
    h5 = step(h5, a, u, Bn + 20);
    h6 = step(h6, a, u, Bn + 24);
    h7 = step(h7, a, u, Bn + 28);
    // Two chains, so that neither waits for the other.
    let y = madd(h0, v128.load32_splat(Cn), v128.load(ys));
    let o = f32x4.mul(h1, v128.load32_splat(Cn, 4));
    y = madd(h2, v128.load32_splat(Cn, 8), y);
    o = madd(h3, v128.load32_splat(Cn, 12), o);
    y = madd(h4, v128.load32_splat(Cn, 16), y);
    o = madd(h5, v128.load32_splat(Cn, 20), o);
    y = madd(h6, v128.load32_splat(Cn, 24), y);
    o = madd(h7, v128.load32_splat(Cn, 28), o);
    v128.store(ys, f32x4.add(y, o));
    if (keep) {
      v128.store(hs, h0);
      v128.store(hs, h1, 16);
      v128.store(hs, h2, 32);
      v128.store(hs, h3, 48);
      v128.store(hs, h4, 64);
      v128.store(hs, h5, 80);
      v128.store(hs, h6, 96);
      v128.store(hs, h7, 112);
      hs += STEP;
    }
  }
}

export function runForward(length: i32, wide: usize, Bn: usize, Cn: usize, us: usize, decays: usize, ys: usize): void {
  run(length, wide, Bn, Cn, us, decays, ys, 0, false);
}

export function runKeeping(length: i32, wide: usize, Bn: usize, Cn: usize, us: usize, decays: usize, ys: usize, hs: usize): void {
  run(length, wide, Bn, Cn, us, decays, ys, hs, true);
}
