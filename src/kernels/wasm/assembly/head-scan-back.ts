// The way back through the scan with one decay a head (head-scan.ts): gradients of every input, block by block from the
// last, by the plan of selective-scan-back.ts.
import { gather, scatter, sumLanes, widen } from './columns';
import { madd, sigmoidx4, sum4, VEC } from './math';
import { headGroups, headSteps, inFours } from './head-scan';
import { BLOCK, blocksOf } from './selective-scan';
import { dropFaded, throughGate } from './selective-scan-back';

/** Bytes of a line: state after the step, gradients of B and C; one for every step of a block and state. */
// @ts-ignore: decorator
@inline const LINE: usize = 48;

/** Bytes of scratch: gradients of the states, B and C of a block, the head's steps, eight columns, a block's lines and one before. */
export function headScanBackwardBytes(channels: i32, heads: i32, states: i32): i32 {
  const wide = inFours(states);
  return 16 * headGroups(channels, heads) * wide + 8 * BLOCK * wide + 12 * BLOCK + 8 * BLOCK * 16 + <i32>LINE * (BLOCK + 1) * wide;
}

/** One state's step again: the new state goes into its line and is returned. */
// @ts-ignore: decorator
@inline function advance(a: v128, u: v128, b: v128, before: usize, line: usize): v128 {
  const next = madd(a, v128.load(before), f32x4.mul(u, b));
  v128.store(line, next);
  return next;
}

/** Four channels over a block: lines, and C . h into ys. The line before the first step holds the states to begin with. */
function recompute(length: i32, wide: i32, dts: usize, decays: usize, xs: usize, B: usize, C: usize, before: usize, ys: usize): void {
  const row = <usize>wide * LINE;
  let line = before + row;
  for (let t = 0; t < length; t++, dts += 4, decays += 4, xs += VEC, ys += VEC) {
    const a = v128.load32_splat(decays);
    const u = f32x4.mul(v128.load32_splat(dts), v128.load(xs));
    let even = f32x4.splat(0);
    let odd = even;
    for (const end = line + row; line < end; before += 2 * LINE, line += 2 * LINE, B += 8, C += 8) {
      even = madd(advance(a, u, v128.load32_splat(B), before, line), v128.load32_splat(C), even);
      odd = madd(advance(a, u, v128.load32_splat(B, 4), before + LINE, line + LINE), v128.load32_splat(C, 4), odd);
    }
    v128.store(ys, f32x4.add(even, odd));
  }
}

/** One state's step back: gradients of B and C into its line, the gradient of the state before into carry; returns its own. */
// @ts-ignore: decorator
@inline function retreatState(a: v128, u: v128, g: v128, c: v128, carry: usize, line: usize): v128 {
  const gh = madd(g, c, v128.load(carry));
  v128.store(line, madd(g, v128.load(line), v128.load(line, 32)), 32);
  v128.store(line, madd(gh, u, v128.load(line, 16)), 16);
  v128.store(carry, f32x4.mul(gh, a));
  return gh;
}

/** Four channels backwards over a block: sums over the states of gh . B and of gh a h_before into sumB and sumA, [length, 4]. */
function retreat(length: i32, wide: i32, carry: usize, dts: usize, decays: usize, xs: usize, gs: usize, B: usize, C: usize, before: usize, sumB: usize, sumA: usize): void {
  const row = <usize>wide * LINE;
  for (let t = length - 1; t >= 0; t--) {
    const at = <usize>t * VEC;
    const a = v128.load32_splat(decays + (<usize>t << 2));
    const u = f32x4.mul(v128.load32_splat(dts + (<usize>t << 2)), v128.load(xs + at));
    const g = v128.load(gs + at);
    let Bt = B + (<usize>(t * wide) << 2);
    let Ct = C + (<usize>(t * wide) << 2);
    let previous = before + <usize>t * row;
    let line = previous + row;
    let gradient = carry;
    let b0 = f32x4.splat(0);
    let b1 = b0;
    let a0 = b0;
    let a1 = b0;
    for (const end = line + row; line < end; line += 2 * LINE, previous += 2 * LINE, gradient += 2 * VEC, Bt += 8, Ct += 8) {
      const even = retreatState(a, u, g, v128.load32_splat(Ct), gradient, line);
      b0 = madd(even, v128.load32_splat(Bt), b0);
      a0 = madd(even, v128.load(previous), a0);
      const odd = retreatState(a, u, g, v128.load32_splat(Ct, 4), gradient + VEC, line + LINE);
      b1 = madd(odd, v128.load32_splat(Bt, 4), b1);
      a1 = madd(odd, v128.load(previous + LINE), a1);
    }
    v128.store(sumB + at, f32x4.add(b0, b1));
    v128.store(sumA + at, f32x4.mul(a, f32x4.add(a0, a1)));
  }
}

/** Adds to one number of a vector. */
// @ts-ignore: decorator
@inline function add(at: usize, value: f32): void {
  store<f32>(at, load<f32>(at) + value);
}

/**
 * Gradients of every input for a given dy (the gradient of y) and what the forward pass kept. Every output is overwritten;
 * dD, dz and dbias may be 0.
 */
export function headScanBackward(
  batch: i32, length: i32, channels: i32, heads: i32, states: i32,
  x: usize, delta: usize, A: usize, B: usize, C: usize, D: usize, z: usize, bias: usize, softplus: bool, reset: usize,
  dy: usize, dx: usize, ddelta: usize, dA: usize, dB: usize, dC: usize, dD: usize, dz: usize, dbias: usize,
  kept: usize, scratch: usize,
): void {
  const wide = inFours(states);
  const headDim = channels / heads;
  const all = <usize>(headGroups(channels, heads) * wide) * VEC;
  const column = <usize>BLOCK * VEC;
  const blocks = blocksOf(length);
  const row = <usize>wide * LINE;
  const Bp = scratch + all;
  const Cp = Bp + (<usize>(BLOCK * wide) << 2);
  const raw = Cp + (<usize>(BLOCK * wide) << 2);
  const dts = raw + (BLOCK << 2);
  const decays = dts + (BLOCK << 2);
  // [BLOCK, 4]: x, C . h, z, dy, dy times the gate, the two sums, gradient of dt by lane
  const xs = decays + (BLOCK << 2);
  const ys = xs + column;
  const zs = ys + column;
  const os = zs + column;
  const gs = os + column;
  const sumB = gs + column;
  const sumA = sumB + column;
  const dds = sumA + column;
  const before = dds + column;
  const lines = before + row;

  memory.fill(dA, 0, <usize>heads << 2);
  if (dD) memory.fill(dD, 0, <usize>heads << 2);
  if (dbias) memory.fill(dbias, 0, <usize>heads << 2);
  for (let b = 0; b < batch; b++) {
    memory.fill(scratch, 0, all);
    for (let block = blocks - 1; block >= 0; block--) {
      const from = block * BLOCK;
      const n = min(BLOCK, length - from);
      const first = <usize>(b * length + from);
      const rows = (first * <usize>channels) << 2;
      const headRows = (first * <usize>heads) << 2;
      const stateRows = (first * <usize>states) << 2;
      const resets = reset ? reset + (first << 2) : 0;
      let starts = kept + <usize>(b * blocks + block) * all;
      let carry = scratch;
      widen(n, states, wide, B + stateRows, Bp);
      widen(n, states, wide, C + stateRows, Cp);
      memory.fill(lines, 0, <usize>n * row);
      for (let g = 0; g < heads; g++) {
        const lane = <usize>g << 2;
        const a = load<f32>(A + lane);
        headSteps(n, heads, delta + headRows + lane, bias ? load<f32>(bias + lane) : 0, a, softplus, resets, raw, dts, decays);
        const skip = f32x4.splat(D ? load<f32>(D + lane) : 0);
        let sumSkip = f32x4.splat(0);
        let sumDecay = f32x4.splat(0);
        memory.fill(dds, 0, column);
        for (let c = 0; c < headDim; c += 4, carry += <usize>wide * VEC) {
          const c0 = g * headDim + c;
          const count = min(4, headDim - c);
          gather(n, channels, c0, count, x + rows, xs);
          gather(n, channels, c0, count, dy + rows, os);
          if (z) gather(n, channels, c0, count, z + rows, zs);
          throughGate(n, os, z ? zs : 0, gs);
          for (let i: usize = 0; i < <usize>wide; i++, starts += VEC) v128.store(before + i * LINE, v128.load(starts));
          recompute(n, wide, dts, decays, xs, Bp, Cp, before, ys);
          retreat(n, wide, carry, dts, decays, xs, gs, Bp, Cp, before, sumB, sumA);
          dropFaded(wide, carry, VEC);
          for (let t = 0; t < n; t++) {
            const at = <usize>t * VEC;
            const d = v128.load32_splat(dts + (<usize>t << 2));
            const xt = v128.load(xs + at);
            const gy = v128.load(gs + at);
            const sb = v128.load(sumB + at);
            const sa = v128.load(sumA + at);
            v128.store(dds + at, f32x4.add(v128.load(dds + at), madd(xt, sb, f32x4.mul(f32x4.splat(a), sa))));
            sumDecay = madd(d, sa, sumDecay);
            sumSkip = madd(gy, xt, sumSkip);
            if (z) v128.store(zs + at, f32x4.mul(v128.load(zs + at), madd(skip, xt, v128.load(ys + at))));
            // dx in the place of x, which is no longer needed.
            v128.store(xs + at, madd(d, sb, f32x4.mul(skip, gy)));
          }
          scatter(n, channels, c0, count, xs, dx + rows);
          if (z) scatter(n, channels, c0, count, zs, dz + rows);
        }
        let sumShift: f32 = 0;
        for (let t = 0; t < n; t++) {
          let gd = sum4(v128.load(dds + <usize>t * VEC));
          if (softplus) gd *= f32x4.extract_lane(sigmoidx4(v128.load32_splat(raw + (<usize>t << 2))), 0);
          store<f32>(ddelta + headRows + lane + (<usize>(t * heads) << 2), gd);
          sumShift += gd;
        }
        add(dA + lane, sum4(sumDecay));
        if (dD) add(dD + lane, sum4(sumSkip));
        if (dbias) add(dbias + lane, sumShift);
      }
      for (let t = 0; t < n; t++) {
        const at = stateRows + (<usize>(t * states) << 2);
        sumLanes(states, lines + <usize>t * row + 16, LINE, dB + at);
        sumLanes(states, lines + <usize>t * row + 32, LINE, dC + at);
      }
    }
  }
}
