// The way back through the selective scan (selective-scan.ts): gradients of every input, block by block from the last. In
// a block the states and decays of eight channels are recomputed from those kept at its beginning; then the gradient of the
// state runs backwards through them. The gradients of B and C are added up over all channels of a block, in four lanes: of a
// group the first four channels, then the others.
import { addSums, columns, EIGHT, LN2, putBack, strideOf, sumLanes, take, target, widen, zeroPair } from './columns';
import { coefficients } from '../coefficients';
import { decayBy, madd, PAIR, VEC } from '../math';
import { BLOCK, blocksOf, groupsOf, isTame, paired, placeDecays, timeSteps } from './selective-scan';
import { finish, throughGate } from './selective-scan-gates';

/** Bytes of a record: decay rates, gradients of the states, gradients of the rates; one for every group of channels and state. */
// @ts-ignore: decorator
@inline const RECORD: usize = 96;
/** Bytes of a line: decays and states after the step; one for every step of a block and state. */
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

/** Bytes of scratch; see the layout in scanBackward. */
export function scanBackwardBytes(channels: i32, states: i32): i32 {
  const wide = paired(states);
  return (8 + 32) * BLOCK * wide + 10 * BLOCK * 32 + <i32>LINE * (BLOCK + 1) * wide + 4 * 32;
}

/** Eight channels over a block: lines, and C . h into ys. The line before the first step holds the states to begin with. */
// @ts-ignore: decorator
@inline function recompute(length: i32, wide: i32, records: usize, ds: usize, x: usize, stride: usize, B: usize, C: usize, resets: usize, before: usize, ys: usize, tame: bool): void {
  const k = coefficients();
  const round = k.round;
  const one = k.one;
  const e1 = k.exp1;
  const e2 = k.exp2;
  const e3 = k.exp3;
  const e4 = k.exp4;
  const e5 = k.exp5;
  const row = <usize>wide * LINE;
  let line = before + row;
  for (let t = 0; t < length; t++, ds += PAIR, x += stride, ys += PAIR) {
    const d0 = v128.load(ds);
    const d1 = v128.load(ds, 16);
    const u0 = f32x4.mul(d0, v128.load(x));
    const u1 = f32x4.mul(d1, v128.load(x, 16));
    const end = line + row;
    let sum0 = f32x4.splat(0);
    let sum1 = f32x4.splat(0);
    if (resets && load<i32>(resets + (<usize>t << 2))) {
      for (; line < end; line += LINE, B += 4, C += 4) {
        const b = v128.load32_splat(B);
        const c = v128.load32_splat(C);
        const h0 = f32x4.mul(u0, b);
        const h1 = f32x4.mul(u1, b);
        zeroPair(line);
        v128.store(line, h1, 48);
        v128.store(line, h0, 32);
        sum0 = madd(h0, c, sum0);
        sum1 = madd(h1, c, sum1);
      }
      before += row;
    } else {
      for (let record = records; line < end; record += RECORD, before += LINE, line += LINE, B += 4, C += 4) {
        const b = v128.load32_splat(B);
        const c = v128.load32_splat(C);
        const decay0 = decayBy(k, round, one, e1, e2, e3, e4, e5, d0, v128.load(record), tame);
        const decay1 = decayBy(k, round, one, e1, e2, e3, e4, e5, d1, v128.load(record, 16), tame);
        const h0 = madd(decay0, v128.load(before, 32), f32x4.mul(u0, b));
        const h1 = madd(decay1, v128.load(before, 48), f32x4.mul(u1, b));
        v128.store(line, decay1, 16);
        v128.store(line, decay0);
        v128.store(line, h1, 48);
        v128.store(line, h0, 32);
        sum0 = madd(h0, c, sum0);
        sum1 = madd(h1, c, sum1);
      }
    }
    v128.store(ys, sum1, 16);
    v128.store(ys, sum0);
  }
}

function recomputeTame(length: i32, wide: i32, records: usize, ds: usize, x: usize, stride: usize, B: usize, C: usize, resets: usize, before: usize, ys: usize): void {
  recompute(length, wide, records, ds, x, stride, B, C, resets, before, ys, true);
}

function recomputeClamped(length: i32, wide: i32, records: usize, ds: usize, x: usize, stride: usize, B: usize, C: usize, resets: usize, before: usize, ys: usize): void {
  recompute(length, wide, records, ds, x, stride, B, C, resets, before, ys, false);
}

/**
 * Eight channels backwards over a block. gs: dy times the gate; writes the gradients of x (without D x) and of dt, and adds to
 * `shared`: the gradients of B and C, [BLOCK, wide, 2, 4].
 */
function retreat(length: i32, wide: i32, records: usize, ds: usize, x: usize, stride: usize, gs: usize, B: usize, C: usize, before: usize, shared: usize, dxs: usize, dds: usize): void {
  const row = <usize>wide * LINE;
  const ln2 = f32x4.splat(LN2);
  for (let t = length - 1; t >= 0; t--) {
    const at = <usize>t * PAIR;
    const d0 = v128.load(ds + at);
    const d1 = v128.load(ds + at, 16);
    const x0 = v128.load(x + <usize>t * stride);
    const x1 = v128.load(x + <usize>t * stride, 16);
    const u0 = f32x4.mul(d0, x0);
    const u1 = f32x4.mul(d1, x1);
    const g0 = v128.load(gs + at);
    const g1 = v128.load(gs + at, 16);
    let Bt = B + (<usize>(t * wide) << 2);
    let Ct = C + (<usize>(t * wide) << 2);
    let previous = before + <usize>t * row;
    let line = previous + row;
    let record = records;
    let sums = shared + <usize>(t * wide) * PAIR;
    let input0 = f32x4.splat(0);
    let input1 = f32x4.splat(0);
    let decay0 = f32x4.splat(0);
    let decay1 = f32x4.splat(0);
    for (const end = line + row; line < end; line += LINE, previous += LINE, record += RECORD, sums += PAIR, Bt += 4, Ct += 4) {
      const b = v128.load32_splat(Bt);
      const c = v128.load32_splat(Ct);
      const gh0 = madd(g0, c, v128.load(record, 32));
      const gh1 = madd(g1, c, v128.load(record, 48));
      input0 = madd(gh0, b, input0);
      input1 = madd(gh1, b, input1);
      const back0 = f32x4.mul(gh0, v128.load(line));
      const back1 = f32x4.mul(gh1, v128.load(line, 16));
      // h_{t-1} a_t, the decay's share of the state, times its gradient.
      const share0 = f32x4.mul(back0, v128.load(previous, 32));
      const share1 = f32x4.mul(back1, v128.load(previous, 48));
      decay0 = madd(share0, v128.load(record), decay0);
      decay1 = madd(share1, v128.load(record, 16), decay1);
      const rate0 = madd(share0, d0, v128.load(record, 64));
      const rate1 = madd(share1, d1, v128.load(record, 80));
      v128.store(record, back1, 48);
      v128.store(record, back0, 32);
      v128.store(record, rate1, 80);
      v128.store(record, rate0, 64);
      const dB = madd(gh1, u1, madd(gh0, u0, v128.load(sums)));
      const dC = madd(g1, v128.load(line, 48), madd(g0, v128.load(line, 32), v128.load(sums, 16)));
      v128.store(sums, dC, 16);
      v128.store(sums, dB);
    }
    const dx0 = f32x4.mul(d0, input0);
    const dx1 = f32x4.mul(d1, input1);
    v128.store(dxs + at, dx1, 16);
    v128.store(dxs + at, dx0);
    const dd0 = madd(x0, input0, f32x4.mul(decay0, ln2));
    const dd1 = madd(x1, input1, f32x4.mul(decay1, ln2));
    v128.store(dds + at, dd1, 16);
    v128.store(dds + at, dd0);
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

/**
 * What the channels first..until (multiples of EIGHT, or the last) of one block of row b bring to the gradients of every input for a given
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
  const column = <usize>BLOCK * PAIR;
  const blocks = blocksOf(length);
  const row = <usize>wide * LINE;
  const Bp = scratch;
  const Cp = Bp + (<usize>(BLOCK * wide) << 2);
  // [BLOCK, EIGHT]: x, dt, C . h, dy times the gate, its slope, dy, gradients of x and dt, delta, gate
  const xs = Cp + (<usize>(BLOCK * wide) << 2);
  const ds = xs + column;
  const ys = ds + column;
  const gs = ys + column;
  const zs = gs + column;
  const os = zs + column;
  const dxs = os + column;
  const dds = dxs + column;
  const deltas = dds + column;
  const gates = deltas + column;
  // [EIGHT]: bias, D, sums for D and for the bias
  const shift = gates + column;
  const skip = shift + PAIR;
  const sums = skip + PAIR;
  const shared = sums + 2 * PAIR;
  const before = shared + <usize>(BLOCK * wide) * PAIR;
  const sharedBytes = <usize>wide * PAIR;

  if (block == blocks - 1) {
    if (b == 0) {
      placeDecays(first, until, states, A, RECORD, records);
      if (dD) memory.fill(dD + (<usize>first << 2), 0, <usize>(until - first) << 2);
      if (dbias) memory.fill(dbias + (<usize>first << 2), 0, <usize>(until - first) << 2);
    }
    const end = <usize>(groupsOf(until) * wide);
    for (let i = <usize>((first >> 3) * wide); i < end; i++) zeroPair(records + i * RECORD + 32);
  }
  const from = block * BLOCK;
  const n = min(BLOCK, length - from);
  const at = <usize>(b * length + from);
  const rows = (at * <usize>channels) << 2;
  const stateRows = (at * <usize>states) << 2;
  const resets = reset ? reset + (at << 2) : 0;
  widen(n, states, wide, B + stateRows, Bp);
  widen(n, states, wide, C + stateRows, Cp);
  if (taken) memory.copy(shared, taken, <usize>n * sharedBytes);
  else memory.fill(shared, 0, <usize>n * sharedBytes);
  for (let c0 = first; c0 < until; c0 += EIGHT) {
    const count = min(EIGHT, channels - c0);
    const group = (c0 >> 3) * wide;
    const own = records + <usize>group * RECORD;
    const starts = kept + <usize>((b * blocks + block) * groups * wide + group) * PAIR;
    take(bias, c0, count, shift);
    take(D, c0, count, skip);
    const stride = strideOf(channels, count);
    const xAt = columns(n, channels, c0, count, x + rows, xs);
    const deltaAt = columns(n, channels, c0, count, delta + rows, deltas);
    const dyAt = columns(n, channels, c0, count, dy + rows, os);
    const zAt = z ? columns(n, channels, c0, count, z + rows, gates) : 0;
    timeSteps(n, deltaAt, stride, shift, softplus, ds);
    throughGate(n, dyAt, zAt, stride, gs, zs);
    for (let i: usize = 0; i < <usize>wide; i++) {
      const low = v128.load(starts + i * PAIR);
      const high = v128.load(starts + i * PAIR, 16);
      v128.store(before + i * LINE, high, 48);
      v128.store(before + i * LINE, low, 32);
    }
    if (isTame(n, ds, wide, own, RECORD)) recomputeTame(n, wide, own, ds, xAt, stride, Bp, Cp, resets, before, ys);
    else recomputeClamped(n, wide, own, ds, xAt, stride, Bp, Cp, resets, before, ys);
    retreat(n, wide, own, ds, xAt, stride, gs, Bp, Cp, before, shared, dxs, dds);
    dropFaded(wide, own + 32, RECORD);
    dropFaded(wide, own + 48, RECORD);
    // Copies of x and delta may be written over, each step behind what was read of it.
    const dxAt = target(c0, count, dx + rows, xs);
    const ddeltaAt = target(c0, count, ddelta + rows, deltas);
    const dzAt = z ? target(c0, count, dz + rows, gates) : 0;
    finish(n, skip, shift, softplus, xAt, deltaAt, stride, gs, ys, zs, dxs, dds, dxAt, ddeltaAt, dzAt, sums);
    putBack(n, channels, c0, count, dxAt, dx + rows);
    putBack(n, channels, c0, count, ddeltaAt, ddelta + rows);
    if (z) putBack(n, channels, c0, count, dzAt, dz + rows);
    if (dD) addSums(dD, c0, count, sums);
    if (dbias) addSums(dbias, c0, count, sums + PAIR);
  }
  if (left) memory.copy(left, shared, <usize>n * sharedBytes);
  else
    for (let t = 0; t < n; t++) {
      const to = stateRows + (<usize>(t * states) << 2);
      const line = shared + <usize>t * sharedBytes;
      sumLanes(states, line, PAIR, dB + to);
      sumLanes(states, line + VEC, PAIR, dC + to);
    }
  if (b < batch - 1 || block > 0) return;
  for (let c = first; c < until; c++)
    for (let n = 0; n < states; n++)
      store<f32>(
        dA + (<usize>(c * states + n) << 2),
        load<f32>(records + <usize>((c >> 3) * wide + n) * RECORD + (<usize>(c & 7) << 2), 64),
      );
}
