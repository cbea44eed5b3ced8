// The way back through the scan with one decay a head (head-scan.ts), block by block from the last, as matrix products.
// With M, L, H and the decays of head-scan-factors.ts, G the gradient of Y and dH' that of the state behind the block:
//   dX = M^T G + (dt a_after B) dH'        dM = G X^T             dH = (all a) dH' + (a_before C)^T G
//   dC = a_before G H^T + dS B             dB = dt a_after X dH'^T + dS^T C,  dS = dM o L o dt_s, summed over the heads
// A decay a_r stands in every L[t, s] with s < r <= t, in a_before of t >= r and in a_after of s < r: the gradient of its
// logarithm is a sum over each of these, and comes from running sums over r.
import { widen } from './columns';
import { gemmPacked, gemmScratchBytes, packB, packedBytes } from '../gemm';
import { headStateFloats, headSteps, inFours } from './head-scan';
import { decayProducts, leftFactor, stateFactor, takeHead } from './head-scan-factors';
import { coefficients } from '../coefficients';
import { loadPart, madd, PAIR, sigmoidx4, storePart, sum4, VEC } from '../math';
import { BLOCK, blocksOf } from './selective-scan';
import { dropFaded } from './selective-scan-back';

/** Bytes of [gradient of y through the gate; gradient of the state] of every head, which all parts of a pass share. */
export function headScanBackwardKeptBytes(channels: i32, heads: i32, states: i32): i32 {
  return 4 * heads * (BLOCK + inFours(states)) * inFours(channels / heads);
}

/** Bytes of what one range of heads hands on to the next after a block: the gradients of B and C, and dS, so far. */
export function headScanCarryBytes(channels: i32, heads: i32, states: i32): i32 {
  return 4 * (2 * BLOCK * inFours(states) + BLOCK * BLOCK);
}

/** Bytes of scratch; see the layout in headScanBackward. */
export function headScanBackwardBytes(channels: i32, heads: i32, states: i32): i32 {
  const wide = inFours(states);
  const deep = BLOCK + wide;
  const width = inFours(channels / heads);
  const floats = deep * width + 6 * BLOCK * wide + 3 * BLOCK * BLOCK + 2 * BLOCK * deep + 10 * BLOCK + 2 * BLOCK * width;
  return 4 * floats + packedBytes(deep, width) + packedBytes(width, deep) + packedBytes(deep, deep) + gemmScratchBytes();
}

/** Adds to one number of a vector. */
// @ts-ignore: decorator
@inline function add(at: usize, value: f32): void {
  store<f32>(at, load<f32>(at) + value);
}

/** Sum of the products of two arrays. */
function inner(bytes: usize, a: usize, b: usize): f32 {
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += VEC) sum = madd(v128.load(a + i), v128.load(b + i), sum);
  return sum4(sum);
}

/**
 * G = dy SiLU(z) into gs, [BLOCK, width]; D G into dx; dz, whose factor C . h + D x needs ys. @returns sum of G o x, for D.
 */
function throughGate(
  length: i32, channels: i32, headDim: i32, dy: usize, z: usize, skip: f32, xs: usize, ys: usize, gs: usize, dx: usize, dz: usize,
): f32 {
  const k = coefficients();
  const one = k.one;
  const D = f32x4.splat(skip);
  let sum = f32x4.splat(0);
  for (let t = 0; t < length; t++) {
    let at = <usize>(t * channels) << 2;
    let p = 0;
    for (; p + 8 <= headDim; p += 8, at += PAIR, xs += PAIR, ys += PAIR, gs += PAIR) {
      const x0 = v128.load(xs);
      const x1 = v128.load(xs, 16);
      let g0 = v128.load(dy + at);
      let g1 = v128.load(dy + at, 16);
      if (z) {
        const gate0 = v128.load(z + at);
        const gate1 = v128.load(z + at, 16);
        const s0 = sigmoidx4(k, gate0);
        const s1 = sigmoidx4(k, gate1);
        const slope0 = f32x4.mul(g0, f32x4.mul(s0, madd(gate0, f32x4.sub(one, s0), one)));
        const slope1 = f32x4.mul(g1, f32x4.mul(s1, madd(gate1, f32x4.sub(one, s1), one)));
        const z0 = f32x4.mul(slope0, madd(D, x0, v128.load(ys)));
        const z1 = f32x4.mul(slope1, madd(D, x1, v128.load(ys, 16)));
        v128.store(dz + at, z1, 16);
        v128.store(dz + at, z0);
        g0 = f32x4.mul(g0, f32x4.mul(s0, gate0));
        g1 = f32x4.mul(g1, f32x4.mul(s1, gate1));
      }
      const dx0 = f32x4.mul(D, g0);
      const dx1 = f32x4.mul(D, g1);
      v128.store(gs, g1, 16);
      v128.store(gs, g0);
      v128.store(dx + at, dx1, 16);
      v128.store(dx + at, dx0);
      sum = madd(g1, x1, madd(g0, x0, sum));
    }
    for (; p < headDim; p += 4, at += VEC, xs += VEC, ys += VEC, gs += VEC) {
      const left = headDim - p;
      const xt = v128.load(xs);
      let g = loadPart(dy + at, left);
      if (z) {
        const gate = loadPart(z + at, left);
        const s = sigmoidx4(k, gate);
        const slope = f32x4.mul(g, f32x4.mul(s, madd(gate, f32x4.sub(one, s), one)));
        storePart(dz + at, left, f32x4.mul(slope, madd(D, xt, v128.load(ys))));
        g = f32x4.mul(g, f32x4.mul(s, gate));
      }
      v128.store(gs, g);
      storePart(dx + at, left, f32x4.mul(D, g));
      sum = madd(g, xt, sum);
    }
  }
  return sum4(sum);
}

/**
 * From dM, rows of `stride` floats: adds to dS; gradient of the dt in M into ddt; sums of dM o M without its diagonal over
 * rows and columns. All of BLOCK entries are written.
 */
function throughMask(
  length: i32, dM: usize, stride: i32, S: usize, L: usize, dts: usize, dS: usize, ddt: usize, rows: usize, columns: usize,
): void {
  memory.fill(ddt, 0, BLOCK << 2);
  memory.fill(columns, 0, BLOCK << 2);
  for (let t = 0; t < length; t++, dM += <usize>stride << 2) {
    const row = <usize>(t * BLOCK) << 2;
    const here = i32x4.splat(t);
    let index = i32x4(0, 1, 2, 3);
    let sum = f32x4.splat(0);
    for (let s: usize = 0; s <= <usize>t << 2; s += VEC) {
      // L is zero above the diagonal, but dM is not defined behind the last step.
      const masked = v128.and(f32x4.mul(v128.load(dM + s), v128.load(L + row + s)), i32x4.le_s(index, here));
      const dt = v128.load(dts + s);
      v128.store(dS + row + s, madd(masked, dt, v128.load(dS + row + s)));
      const byStep = f32x4.mul(masked, v128.load(S + row + s));
      v128.store(ddt + s, f32x4.add(v128.load(ddt + s), byStep));
      const share = v128.and(f32x4.mul(byStep, dt), i32x4.lt_s(index, here));
      v128.store(columns + s, f32x4.add(v128.load(columns + s), share));
      sum = f32x4.add(sum, share);
      index = i32x4.add(index, i32x4.splat(4));
    }
    store<f32>(rows + (<usize>t << 2), sum4(sum));
  }
}

/** Row by row into = into + factor from, and the sum of from o other; `stride` floats from one row of `from` to the next. */
// @ts-ignore: decorator
@inline function addRow(wide: i32, factor: f32, from: usize, into: usize, other: usize): f32 {
  const factor4 = f32x4.splat(factor);
  let sum = f32x4.splat(0);
  for (let n: usize = 0; n < <usize>wide << 2; n += VEC) {
    const v = v128.load(from + n);
    v128.store(into + n, madd(factor4, v, v128.load(into + n)));
    sum = madd(v, v128.load(other + n), sum);
  }
  return sum4(sum);
}

/**
 * What the heads from..until of one block of row b bring to the gradients of every input for a given dy (the gradient of y) and what
 * the forward pass kept: in the order of calls, and with `taken` and `left`, of scanBackward. Every output is overwritten; dD, dz and
 * dbias may be 0. shared: headScanBackwardKeptBytes(), of all ranges and calls.
 */
export function headScanBackward(
  b: i32, block: i32, from: i32, until: i32, taken: usize, left: usize, shared: usize, scratch: usize,
  batch: i32, length: i32, channels: i32, heads: i32, states: i32,
  x: usize, delta: usize, A: usize, B: usize, C: usize, D: usize, z: usize, bias: usize, softplus: bool, reset: usize,
  dy: usize, dx: usize, ddelta: usize, dA: usize, dB: usize, dC: usize, dD: usize, dz: usize, dbias: usize,
  kept: usize,
): void {
  const wide = inFours(states);
  const deep = BLOCK + wide;
  const headDim = channels / heads;
  const width = inFours(headDim);
  const blocks = blocksOf(length);
  const xBytes = <usize>(BLOCK * width) << 2;
  const stateBytes = <usize>headStateFloats(channels, heads, states) << 2;
  const headBytes = xBytes + stateBytes;
  const own = <usize>(BLOCK * wide) << 2;
  const line = <usize>BLOCK << 2;
  // [G; gradient of the state] of every head, [x; state] of one
  const xs = scratch;
  const state = xs + xBytes;
  // [BLOCK, wide]: B, C, their gradients, B times dt and the decays after, X dH'^T
  const Bp = xs + headBytes;
  const Cp = Bp + own;
  const dBp = Cp + own;
  const dCp = dBp + own;
  const shares = dCp + own;
  const fromState = shares + own;
  // [BLOCK, BLOCK] and [BLOCK, deep]
  const S = fromState + own;
  const L = S + <usize>BLOCK * line;
  const dS = L + <usize>BLOCK * line;
  const factor = dS + <usize>BLOCK * line;
  const both = factor + (<usize>(BLOCK * deep) << 2); // [dM, G H^T]
  // [BLOCK]
  const raw = both + (<usize>(BLOCK * deep) << 2);
  const dts = raw + line;
  const decays = dts + line;
  const before = decays + line;
  const after = before + line;
  const ddt = after + line;
  const rowSums = ddt + line;
  const columnSums = rowSums + line;
  const late = columnSums + line; // what the decays before and at a step owe to its output
  const early = late + line; // what the decays after a step owe to its share of the state
  // [BLOCK, width]
  const ys = early + line;
  const dxs = ys + xBytes;
  const packed = dxs + xBytes;
  const turned = packed + <usize>packedBytes(deep, width);
  const packedS = turned + <usize>packedBytes(width, deep);
  const room = packedS + <usize>packedBytes(deep, deep);

  if (block == blocks - 1) {
    if (b == 0) {
      memory.fill(dA + (<usize>from << 2), 0, <usize>(until - from) << 2);
      if (dD) memory.fill(dD + (<usize>from << 2), 0, <usize>(until - from) << 2);
      if (dbias) memory.fill(dbias + (<usize>from << 2), 0, <usize>(until - from) << 2);
    }
    memory.fill(shared + <usize>from * headBytes, 0, <usize>(until - from) * headBytes);
  }
  const begin = block * BLOCK;
  const n = min(BLOCK, length - begin);
  const first = <usize>(b * length + begin);
  const headRows = (first * <usize>heads) << 2;
  const stateRows = (first * <usize>states) << 2;
  const resets = reset ? reset + (first << 2) : 0;
  widen(n, states, wide, B + stateRows, Bp);
  widen(n, states, wide, C + stateRows, Cp);
  // dCp lies beside dBp.
  if (taken) {
    memory.copy(dBp, taken, 2 * own);
    memory.copy(dS, taken + 2 * own, <usize>BLOCK * line);
  } else {
    memory.fill(dBp, 0, 2 * own);
    memory.fill(dS, 0, <usize>BLOCK * line);
  }
  // Behind the last step of a row S counts nothing, but must be a number.
  if (n < BLOCK) memory.fill(S, 0, <usize>BLOCK * line);
  packB(wide, n, Bp, wide, true, packedS);
  gemmPacked(n, n, wide, Cp, wide, false, packedS, S, BLOCK, false, room);
  for (let g = from; g < until; g++) {
    const lane = <usize>g << 2;
    const a = load<f32>(A + lane);
    const gs = shared + <usize>g * headBytes;
    const dstate = gs + xBytes;
    const rows = (first * <usize>channels + <usize>(g * headDim)) << 2;
    headSteps(n, heads, delta + headRows + lane, bias ? load<f32>(bias + lane) : 0, a, softplus, resets, raw, dts, decays);
    const decay = decayProducts(n, decays, L, before, after);
    leftFactor(n, wide, S, L, dts, Cp, before, factor);
    stateFactor(n, wide, Bp, dts, after, shares);
    // C . h once more, for the gate.
    takeHead(n, channels, headDim, x + rows, xs);
    memory.fill(xs + (<usize>(n * width) << 2), 0, <usize>((BLOCK - n) * width) << 2);
    memory.copy(state, kept + <usize>((b * blocks + block) * heads + g) * stateBytes, stateBytes);
    if (z) {
      packB(deep, width, xs, width, false, packed);
      gemmPacked(n, width, deep, factor, deep, false, packed, ys, width, false, room);
    }
    const skip = D ? load<f32>(D + lane) : <f32>0;
    const sumSkip = throughGate(n, channels, headDim, dy + rows, z ? z + rows : 0, skip, xs, ys, gs, dx + rows, dz + rows);
    memory.fill(gs + (<usize>(n * width) << 2), 0, <usize>((BLOCK - n) * width) << 2);
    // dX: M stands in the first columns of `factor`.
    packB(n, width, gs, width, false, packed);
    gemmPacked(n, width, n, factor, deep, true, packed, dxs, width, false, room);
    packB(wide, width, dstate, width, false, turned);
    gemmPacked(n, width, wide, shares, wide, false, turned, dxs, width, true, room);
    // [dM, G H^T] and X dH'^T
    packB(width, deep, xs, width, true, turned);
    gemmPacked(n, deep, width, gs, width, false, turned, both, deep, false, room);
    packB(width, wide, dstate, width, true, turned);
    gemmPacked(n, wide, width, xs, width, false, turned, fromState, wide, false, room);
    const whole = decay * inner(stateBytes, dstate, state);
    const decay4 = f32x4.splat(decay);
    for (let i: usize = 0; i < stateBytes; i += VEC) v128.store(dstate + i, f32x4.mul(decay4, v128.load(dstate + i)));
    gemmPacked(wide, width, n, factor + line, deep, true, packed, dstate, width, true, room);
    dropFaded(<i32>(stateBytes >> 4), dstate, VEC);
    throughMask(n, both, deep, S, L, dts, dS, ddt, rowSums, columnSums);
    let ahead: f64 = 0;
    for (let t = 0; t < n; t++) {
      const at = <usize>t << 2;
      const row = <usize>(t * wide) << 2;
      const reach = load<f32>(before + at);
      const rest = load<f32>(after + at);
      const dt = load<f32>(dts + at);
      store<f32>(late + at, reach * addRow(wide, reach, both + (<usize>(t * deep + BLOCK) << 2), dCp + row, Cp + row));
      const share = rest * addRow(wide, rest * dt, fromState + row, dBp + row, Bp + row);
      add(ddt + at, share);
      store<f32>(early + at, share * dt);
      ahead += <f64>(share * dt);
    }
    let behind: f64 = 0;
    let sumDecay: f64 = 0;
    let sumShift: f32 = 0;
    for (let r = n - 1; r >= 0; r--) {
      const at = <usize>r << 2;
      behind += <f64>load<f32>(rowSums + at) - <f64>load<f32>(columnSums + at) + <f64>load<f32>(late + at);
      ahead -= <f64>load<f32>(early + at);
      const logDecay = resets && load<i32>(resets + at) ? 0 : behind + ahead + <f64>whole;
      sumDecay += logDecay * <f64>load<f32>(dts + at);
      let gd = load<f32>(ddt + at) + <f32>logDecay * a;
      if (softplus) gd *= f32x4.extract_lane(sigmoidx4(coefficients(), v128.load32_splat(raw + at)), 0);
      store<f32>(ddelta + headRows + lane + (<usize>(r * heads) << 2), gd);
      sumShift += gd;
    }
    for (let t = 0; t < n; t++)
      for (let p = 0; p < headDim; p += 4) {
        const at = dx + rows + (<usize>(t * channels + p) << 2);
        storePart(at, headDim - p, f32x4.add(loadPart(at, headDim - p), v128.load(dxs + (<usize>(t * width + p) << 2))));
      }
    add(dA + lane, <f32>sumDecay);
    if (dD) add(dD + lane, sumSkip);
    if (dbias) add(dbias + lane, sumShift);
  }
  if (left) {
    memory.copy(left, dBp, 2 * own);
    memory.copy(left + 2 * own, dS, <usize>BLOCK * line);
    return;
  }
  packB(n, wide, Bp, wide, false, packedS);
  gemmPacked(n, wide, n, dS, BLOCK, false, packedS, dCp, wide, true, room);
  packB(n, wide, Cp, wide, false, packedS);
  gemmPacked(n, wide, n, dS, BLOCK, true, packedS, dBp, wide, true, room);
  for (let t = 0; t < n; t++) {
    const at = stateRows + (<usize>(t * states) << 2);
    memory.copy(dB + at, dBp + (<usize>(t * wide) << 2), <usize>states << 2);
    memory.copy(dC + at, dCp + (<usize>(t * wide) << 2), <usize>states << 2);
  }
}
