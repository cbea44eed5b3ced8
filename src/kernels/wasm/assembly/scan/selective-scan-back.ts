// The way back through the selective scan (selective-scan.ts): gradients of every input, block by block from the last. In
// a block the states and decays of four channels are recomputed from those kept at its beginning; then the gradient of the
// state runs backwards through them. The gradients of B and C are added up lane by lane over all channels of a block.
import { addFour, four, gather, LN2, scatter, sumLanes, widen } from './columns';
import { Coefficients, coefficients, decayx4, madd, sigmoidx4, VEC } from '../math';
import { BLOCK, blocksOf, groupsOf, isTame, paired, placeDecays, timeSteps } from './selective-scan';

/** Bytes of a record: decay rate, gradient of the state, gradient of the rate; one for every group of channels and state. */
// @ts-ignore: decorator
@inline const RECORD: usize = 48;
/**
 * Bytes of a line: decay, state after the step, gradients of B and C; one for every step of a block and state. Side by side
 * because arrays of their own lay 4 KB multiples apart, where a load waits for an older store to the other array.
 */
// @ts-ignore: decorator
@inline const LINE: usize = 64;

/** Bytes of the records of all channels, which all parts of a pass share. */
export function scanBackwardKeptBytes(channels: i32, states: i32): i32 {
  return <i32>RECORD * groupsOf(channels) * paired(states);
}

/** Bytes of what one range of channels hands on to the next after a block: the gradients of B and C so far, lane by lane. */
export function scanCarryBytes(channels: i32, states: i32): i32 {
  return 32 * BLOCK * paired(states);
}

/** Bytes of scratch: B and C of a block, eight columns, the lines of a block and one before it. */
export function scanBackwardBytes(channels: i32, states: i32): i32 {
  const wide = paired(states);
  return 8 * BLOCK * wide + 8 * BLOCK * 16 + <i32>LINE * (BLOCK + 1) * wide;
}

/** One state's step again: decay and new state into its line; the new state is returned. */
// @ts-ignore: decorator
@inline function advance(k: Coefficients, d: v128, u: v128, b: v128, record: usize, before: usize, line: usize, tame: bool): v128 {
  const decay = decayx4(k, d, v128.load(record), tame);
  const next = madd(decay, v128.load(before, 16), f32x4.mul(u, b));
  v128.store(line, decay);
  v128.store(line, next, 16);
  return next;
}

/** Four channels over a block: lines, and C . h into ys. The line before the first step holds the states to begin with. */
// @ts-ignore: decorator
@inline function recompute(length: i32, wide: i32, records: usize, ds: usize, xs: usize, B: usize, C: usize, resets: usize, before: usize, ys: usize, tame: bool): void {
  const k = coefficients();
  const row = <usize>wide * LINE;
  let line = before + row;
  for (let t = 0; t < length; t++, ds += VEC, xs += VEC, ys += VEC) {
    const d = v128.load(ds);
    const u = f32x4.mul(d, v128.load(xs));
    const end = line + row;
    let sum = f32x4.splat(0);
    if (resets && load<i32>(resets + (<usize>t << 2))) {
      for (; line < end; line += LINE, B += 4, C += 4) {
        const next = f32x4.mul(u, v128.load32_splat(B));
        v128.store(line, f32x4.splat(0));
        v128.store(line, next, 16);
        sum = madd(next, v128.load32_splat(C), sum);
      }
      before += row;
    } else {
      for (let record = records; line < end; record += 2 * RECORD, before += 2 * LINE, line += 2 * LINE, B += 8, C += 8) {
        const even = advance(k, d, u, v128.load32_splat(B), record, before, line, tame);
        const odd = advance(k, d, u, v128.load32_splat(B, 4), record + RECORD, before + LINE, line + LINE, tame);
        sum = madd(odd, v128.load32_splat(C, 4), madd(even, v128.load32_splat(C), sum));
      }
    }
    v128.store(ys, sum);
  }
}

function recomputeTame(length: i32, wide: i32, records: usize, ds: usize, xs: usize, B: usize, C: usize, resets: usize, before: usize, ys: usize): void {
  recompute(length, wide, records, ds, xs, B, C, resets, before, ys, true);
}

function recomputeClamped(length: i32, wide: i32, records: usize, ds: usize, xs: usize, B: usize, C: usize, resets: usize, before: usize, ys: usize): void {
  recompute(length, wide, records, ds, xs, B, C, resets, before, ys, false);
}

/** Four channels backwards over a block. gs: dy times the gate; writes the gradients of x (without D x) and of dt. */
function retreat(length: i32, wide: i32, records: usize, ds: usize, xs: usize, gs: usize, B: usize, C: usize, before: usize, dxs: usize, dds: usize): void {
  const row = <usize>wide * LINE;
  for (let t = length - 1; t >= 0; t--) {
    const at = <usize>t * VEC;
    const d = v128.load(ds + at);
    const xt = v128.load(xs + at);
    const u = f32x4.mul(d, xt);
    const g = v128.load(gs + at);
    let Bt = B + (<usize>(t * wide) << 2);
    let Ct = C + (<usize>(t * wide) << 2);
    let previous = before + <usize>t * row;
    let line = previous + row;
    let record = records;
    let sumInput = f32x4.splat(0);
    let sumDecay = f32x4.splat(0);
    for (const end = line + row; line < end; line += LINE, previous += LINE, record += RECORD, Bt += 4, Ct += 4) {
      const gh = madd(g, v128.load32_splat(Ct), v128.load(record, 16));
      v128.store(line, madd(g, v128.load(line, 16), v128.load(line, 48)), 48);
      v128.store(line, madd(gh, u, v128.load(line, 32)), 32);
      sumInput = madd(gh, v128.load32_splat(Bt), sumInput);
      const back = f32x4.mul(gh, v128.load(line));
      v128.store(record, back, 16);
      // h_{t-1} a_t, the decay's share of the state, times its gradient.
      const share = f32x4.mul(back, v128.load(previous, 16));
      sumDecay = madd(share, v128.load(record), sumDecay);
      v128.store(record, madd(share, d, v128.load(record, 32)), 32);
    }
    v128.store(dxs + at, f32x4.mul(d, sumInput));
    v128.store(dds + at, madd(xt, sumInput, f32x4.mul(sumDecay, f32x4.splat(LN2))));
  }
}

/** gs = dy SiLU(z), and in place of z: dy times the slope of SiLU, s (1 + z (1 - s)) with s = sigmoid(z). */
function throughGate(length: i32, dy: usize, z: usize, gs: usize): void {
  const one = coefficients().one;
  for (let t: usize = 0; t < <usize>length * VEC; t += VEC) {
    const g = v128.load(dy + t);
    if (!z) {
      v128.store(gs + t, g);
      continue;
    }
    const gate = v128.load(z + t);
    const s = sigmoidx4(gate);
    const gs4 = f32x4.mul(g, s);
    v128.store(gs + t, f32x4.mul(gs4, gate));
    v128.store(z + t, f32x4.mul(gs4, madd(gate, f32x4.sub(one, s), one)));
  }
}

/**
 * Sets the lanes of `count` vectors that have faded below 2^-80 to zero. Far behind the only position with a loss gradients
 * would fade into subnormal numbers, on which the processor takes a hundred times as long. NaN stays NaN.
 */
export function dropFaded(count: i32, at: usize, stride: usize): void {
  const least = f32x4.splat(8.271806e-25);
  for (let i = 0; i < count; i++, at += stride) {
    const v = v128.load(at);
    v128.store(at, v128.andnot(v, f32x4.lt(f32x4.abs(v), least)));
  }
}

/** The gradients of B and C so far out of their lines, and into them. */
function carryOut(count: i32, line: usize, to: usize): void {
  for (let i = 0; i < count; i++, line += LINE, to += 32) {
    v128.store(to, v128.load(line, 32));
    v128.store(to, v128.load(line, 48), 16);
  }
}
function carryIn(count: i32, from: usize, line: usize): void {
  for (let i = 0; i < count; i++, line += LINE, from += 32) {
    v128.store(line, v128.load(from), 32);
    v128.store(line, v128.load(from, 16), 48);
  }
}

/**
 * What the channels first..until (multiples of 4, or the last) of one block of row b bring to the gradients of every input for a given
 * dy (the gradient of y) and what the forward pass kept. To be called for every row and in it for every block, from the last; and
 * in every block for all ranges of channels, one after another: each begins with what the one before has left in `taken` (0: it is
 * the first) and leaves it in `left` (0: it is the last). Ranges may run on threads of their own. Every output is overwritten;
 * dD, dz and dbias may be 0. records: scanBackwardKeptBytes(), of all ranges and calls.
 */
export function scanBackward(
  b: i32, block: i32, first: i32, until: i32, taken: usize, left: usize, records: usize, scratch: usize,
  batch: i32, length: i32, channels: i32, states: i32,
  x: usize, delta: usize, A: usize, B: usize, C: usize, D: usize, z: usize, bias: usize, softplus: bool, reset: usize,
  dy: usize, dx: usize, ddelta: usize, dA: usize, dB: usize, dC: usize, dD: usize, dz: usize, dbias: usize,
  kept: usize,
): void {
  const wide = paired(states);
  const groups = groupsOf(channels);
  const column = <usize>BLOCK * VEC;
  const blocks = blocksOf(length);
  const row = <usize>wide * LINE;
  const Bp = scratch;
  const Cp = Bp + (<usize>(BLOCK * wide) << 2);
  // [BLOCK, 4]: inputs, dt, C . h, dy times the gate, gate, dy, gradients of x and dt
  const xs = Cp + (<usize>(BLOCK * wide) << 2);
  const ds = xs + column;
  const ys = ds + column;
  const gs = ys + column;
  const zs = gs + column;
  const os = zs + column;
  const dxs = os + column;
  const dds = dxs + column;
  const before = dds + column;
  const lines = before + row;

  if (block == blocks - 1) {
    if (b == 0) {
      placeDecays(first, until, states, A, RECORD, records);
      if (dD) memory.fill(dD + (<usize>first << 2), 0, <usize>(until - first) << 2);
      if (dbias) memory.fill(dbias + (<usize>first << 2), 0, <usize>(until - first) << 2);
    }
    const end = <usize>(groupsOf(until) * wide);
    for (let i = <usize>((first >> 2) * wide); i < end; i++) v128.store(records + i * RECORD, f32x4.splat(0), 16);
  }
  const from = block * BLOCK;
  const n = min(BLOCK, length - from);
  const at = <usize>(b * length + from);
  const rows = (at * <usize>channels) << 2;
  const stateRows = (at * <usize>states) << 2;
  const resets = reset ? reset + (at << 2) : 0;
  widen(n, states, wide, B + stateRows, Bp);
  widen(n, states, wide, C + stateRows, Cp);
  if (taken) carryIn(n * wide, taken, lines);
  else memory.fill(lines, 0, <usize>n * row);
  for (let c0 = first; c0 < until; c0 += 4) {
    const count = min(4, channels - c0);
    const group = (c0 >> 2) * wide;
    const own = records + <usize>group * RECORD;
    const starts = kept + <usize>((b * blocks + block) * groups * wide + group) * VEC;
    const shift = four(bias, c0, count);
    const skip = four(D, c0, count);
    gather(n, channels, c0, count, x + rows, xs);
    gather(n, channels, c0, count, delta + rows, ds);
    timeSteps(n, ds, shift, softplus);
    gather(n, channels, c0, count, dy + rows, os);
    if (z) gather(n, channels, c0, count, z + rows, zs);
    throughGate(n, os, z ? zs : 0, gs);
    for (let i: usize = 0; i < <usize>wide; i++) v128.store(before + i * LINE, v128.load(starts + i * VEC), 16);
    if (isTame(n, ds, wide, own, RECORD)) recomputeTame(n, wide, own, ds, xs, Bp, Cp, resets, before, ys);
    else recomputeClamped(n, wide, own, ds, xs, Bp, Cp, resets, before, ys);
    retreat(n, wide, own, ds, xs, gs, Bp, Cp, before, dxs, dds);
    dropFaded(wide, own + 16, RECORD);
    let sumSkip = f32x4.splat(0);
    let sumShift = f32x4.splat(0);
    if (softplus) gather(n, channels, c0, count, delta + rows, ds);
    for (let t: usize = 0; t < <usize>n * VEC; t += VEC) {
      const xt = v128.load(xs + t);
      const g = v128.load(gs + t);
      v128.store(dxs + t, madd(skip, g, v128.load(dxs + t)));
      sumSkip = madd(g, xt, sumSkip);
      let gd = v128.load(dds + t);
      if (softplus) gd = f32x4.mul(gd, sigmoidx4(f32x4.add(v128.load(ds + t), shift)));
      v128.store(dds + t, gd);
      sumShift = f32x4.add(sumShift, gd);
      if (z) v128.store(zs + t, f32x4.mul(v128.load(zs + t), madd(skip, xt, v128.load(ys + t))));
    }
    scatter(n, channels, c0, count, dxs, dx + rows);
    scatter(n, channels, c0, count, dds, ddelta + rows);
    if (z) scatter(n, channels, c0, count, zs, dz + rows);
    if (dD) addFour(dD, c0, count, sumSkip);
    if (dbias) addFour(dbias, c0, count, sumShift);
  }
  if (left) carryOut(n * wide, lines, left);
  else
    for (let t = 0; t < n; t++) {
      const to = stateRows + (<usize>(t * states) << 2);
      sumLanes(states, lines + <usize>t * row + 32, LINE, dB + to);
      sumLanes(states, lines + <usize>t * row + 48, LINE, dC + to);
    }
  if (b < batch - 1 || block > 0) return;
  for (let c = first; c < until; c++)
    for (let n = 0; n < states; n++)
      store<f32>(
        dA + (<usize>(c * states + n) << 2),
        load<f32>(records + <usize>((c >> 2) * wide + n) * RECORD + (<usize>(c & 3) << 2), 32),
      );
}
