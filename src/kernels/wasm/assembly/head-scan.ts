// The selective scan with one time step and one decay a head (Mamba-2; Dao and Gu 2024), forward and backward, float32:
//   dt = softplus(delta + bias);  h_t = exp(dt_t A) h_{t-1} + dt_t B_t x_t;  y_t = (C_t . h_t + D x_t) SiLU(z_t)
// x, z, y: [batch, length, channels]; delta: [batch, length, heads]; A, D, bias: [heads]; B, C: [batch, length, states];
// a head's channels lie side by side. Where reset[b, t] is not 0 the state starts anew at t.
//
// One exponential a head and step. Four channels of a head are the four lanes, so that sums over states need no shuffles;
// eight states at a time stay in registers over the whole length. The backward pass recomputes the states of one such
// block, 128 bytes a step, and adds the gradients of B and C up lane by lane until a row of the batch is done.
import { madd, sigmoidx4, sum4, VEC } from './math';
import { BLOCK, gather, inputsOf, padded, paddedSteps, prepare, runForward, runKeeping, scatter, STEP, step, widen } from './head-scan-parts';

export function headScanForward(
  batch: i32, length: i32, channels: i32, heads: i32, states: i32,
  x: usize, delta: usize, A: usize, B: usize, C: usize, D: usize, z: usize, bias: usize, softplus: bool, reset: usize,
  y: usize, scratch: usize,
): void {
  const wide = <usize>padded(states) << 2;
  const column = <usize>length * VEC;
  const headDim = channels / heads;
  const Bp = scratch;
  const Cp = Bp + <usize>length * wide;
  const raw = Cp + <usize>length * wide;
  const dts = raw + paddedSteps(length);
  const decays = dts + paddedSteps(length);
  const xs = decays + paddedSteps(length);
  const us = xs + column;
  const ys = us + column;
  const zs = ys + column;
  for (let b = 0; b < batch; b++) {
    const rows = (<usize>b * <usize>length * <usize>channels) << 2;
    const stateRows = (<usize>b * <usize>length * <usize>states) << 2;
    const headRows = (<usize>b * <usize>length * <usize>heads) << 2;
    const resets = reset ? reset + ((<usize>b * <usize>length) << 2) : 0;
    widen(length, states, B + stateRows, Bp);
    widen(length, states, C + stateRows, Cp);
    for (let g = 0; g < heads; g++) {
      const lane = <usize>g << 2;
      prepare(length, heads, delta + headRows + lane, bias ? load<f32>(bias + lane) : 0, load<f32>(A + lane), softplus, resets, raw, dts, decays);
      const skip = f32x4.splat(D ? load<f32>(D + lane) : 0);
      for (let c = 0; c < headDim; c += 4) {
        const c0 = g * headDim + c;
        const count = min(4, headDim - c);
        gather(length, channels, c0, count, x + rows, xs);
        inputsOf(length, dts, xs, us);
        memory.fill(ys, 0, column);
        for (let n: usize = 0; n < wide; n += BLOCK << 2) runForward(length, wide, Bp + n, Cp + n, us, decays, ys);
        if (z) gather(length, channels, c0, count, z + rows, zs);
        for (let t: usize = 0; t < column; t += VEC) {
          let value = madd(skip, v128.load(xs + t), v128.load(ys + t));
          if (z) {
            const gate = v128.load(zs + t);
            value = f32x4.mul(value, f32x4.mul(gate, sigmoidx4(gate)));
          }
          v128.store(ys + t, value);
        }
        scatter(length, channels, c0, count, ys, y + rows);
      }
    }
  }
}

/**
 * Eight states of four channels, backwards over the whole length. Adds to sumB (gh . B) and sumA (gh a . h before), both
 * [length, 4], and to dBv, dCv [length, states, 4]. hs: a step of zeros, then the states after each step. Written out, so
 * that the gradients of the eight states stay in registers.
 */
function back(
  length: i32, wide: usize, Bn: usize, Cn: usize, us: usize, decays: usize, gs: usize,
  hs: usize, sumB: usize, sumA: usize, dBv: usize, dCv: usize,
): void {
  let c0 = f32x4.splat(0);
  let c1 = c0;
  let c2 = c0;
  let c3 = c0;
  let c4 = c0;
  let c5 = c0;
  let c6 = c0;
  let c7 = c0;
  for (let t = length - 1; t >= 0; t--) {
    const at = <usize>t * VEC;
    const a = v128.load32_splat(decays + (<usize>t << 2));
    const u = v128.load(us + at);
    const g = v128.load(gs + at);
    const Bt = Bn + <usize>t * wide;
    const Ct = Cn + <usize>t * wide;
    const dBt = dBv + (<usize>t * wide << 2);
    const dCt = dCv + (<usize>t * wide << 2);
    const before = hs + <usize>t * STEP;
    let sb = v128.load(sumB + at);
    let sa = v128.load(sumA + at);
    const g0 = madd(g, v128.load32_splat(Ct), c0);
    v128.store(dCt, madd(g, v128.load(before, 128), v128.load(dCt)));
    v128.store(dBt, madd(g0, u, v128.load(dBt)));
    sb = madd(g0, v128.load32_splat(Bt), sb);
    c0 = f32x4.mul(g0, a);
    sa = madd(c0, v128.load(before), sa);
    const g1 = madd(g, v128.load32_splat(Ct, 4), c1);
    v128.store(dCt, madd(g, v128.load(before, 144), v128.load(dCt, 16)), 16);
    v128.store(dBt, madd(g1, u, v128.load(dBt, 16)), 16);
    sb = madd(g1, v128.load32_splat(Bt, 4), sb);
    c1 = f32x4.mul(g1, a);
    sa = madd(c1, v128.load(before, 16), sa);
    const g2 = madd(g, v128.load32_splat(Ct, 8), c2);
    v128.store(dCt, madd(g, v128.load(before, 160), v128.load(dCt, 32)), 32);
    v128.store(dBt, madd(g2, u, v128.load(dBt, 32)), 32);
    sb = madd(g2, v128.load32_splat(Bt, 8), sb);
    c2 = f32x4.mul(g2, a);
    sa = madd(c2, v128.load(before, 32), sa);
    const g3 = madd(g, v128.load32_splat(Ct, 12), c3);
    v128.store(dCt, madd(g, v128.load(before, 176), v128.load(dCt, 48)), 48);
    v128.store(dBt, madd(g3, u, v128.load(dBt, 48)), 48);
    sb = madd(g3, v128.load32_splat(Bt, 12), sb);
    c3 = f32x4.mul(g3, a);
    sa = madd(c3, v128.load(before, 48), sa);
    const g4 = madd(g, v128.load32_splat(Ct, 16), c4);
    v128.store(dCt, madd(g, v128.load(before, 192), v128.load(dCt, 64)), 64);
    v128.store(dBt, madd(g4, u, v128.load(dBt, 64)), 64);
    sb = madd(g4, v128.load32_splat(Bt, 16), sb);
    c4 = f32x4.mul(g4, a);
    sa = madd(c4, v128.load(before, 64), sa);
    const g5 = madd(g, v128.load32_splat(Ct, 20), c5);
    v128.store(dCt, madd(g, v128.load(before, 208), v128.load(dCt, 80)), 80);
    v128.store(dBt, madd(g5, u, v128.load(dBt, 80)), 80);
    sb = madd(g5, v128.load32_splat(Bt, 20), sb);
    c5 = f32x4.mul(g5, a);
    sa = madd(c5, v128.load(before, 80), sa);
    const g6 = madd(g, v128.load32_splat(Ct, 24), c6);
    v128.store(dCt, madd(g, v128.load(before, 224), v128.load(dCt, 96)), 96);
    v128.store(dBt, madd(g6, u, v128.load(dBt, 96)), 96);
    sb = madd(g6, v128.load32_splat(Bt, 24), sb);
    c6 = f32x4.mul(g6, a);
    sa = madd(c6, v128.load(before, 96), sa);
    const g7 = madd(g, v128.load32_splat(Ct, 28), c7);
    v128.store(dCt, madd(g, v128.load(before, 240), v128.load(dCt, 112)), 112);
    v128.store(dBt, madd(g7, u, v128.load(dBt, 112)), 112);
    sb = madd(g7, v128.load32_splat(Bt, 28), sb);
    c7 = f32x4.mul(g7, a);
    sa = madd(c7, v128.load(before, 112), sa);
    v128.store(sumB + at, sb);
    v128.store(sumA + at, sa);
  }
}

/** Sums of the four lanes of [length, wide / 4, 4] into [length, states]. */
function reduceLanes(length: i32, states: i32, wide: usize, from: usize, to: usize): void {
  for (let t = 0; t < length; t++)
    for (let n = 0; n < states; n++)
      store<f32>(to + (<usize>(t * states + n) << 2), sum4(v128.load(from + (<usize>t * wide << 2) + <usize>n * VEC)));
}

/** Adds to one number of a vector. */
// @ts-ignore: decorator
@inline function add(at: usize, value: f32): void {
  store<f32>(at, load<f32>(at) + value);
}

/**
 * Gradients of every input for a given dy (the gradient of y). Every output is overwritten; dD, dz and dbias may be 0.
 * y itself is not needed: the states are recomputed.
 */
export function headScanBackward(
  batch: i32, length: i32, channels: i32, heads: i32, states: i32,
  x: usize, delta: usize, A: usize, B: usize, C: usize, D: usize, z: usize, bias: usize, softplus: bool, reset: usize,
  dy: usize, dx: usize, ddelta: usize, dA: usize, dB: usize, dC: usize, dD: usize, dz: usize, dbias: usize, scratch: usize,
): void {
  const wide = <usize>padded(states) << 2;
  const column = <usize>length * VEC;
  const headDim = channels / heads;
  const Bp = scratch;
  const Cp = Bp + <usize>length * wide;
  const raw = Cp + <usize>length * wide;
  const dts = raw + paddedSteps(length);
  const decays = dts + paddedSteps(length);
  // [length, 4]: x, dt x, C . h, z, dy, dy times the gate, the two sums, dx, gradient of dt by lane
  const xs = decays + paddedSteps(length);
  const us = xs + column;
  const ys = us + column;
  const zs = ys + column;
  const os = zs + column;
  const gs = os + column;
  const sumB = gs + column;
  const sumA = sumB + column;
  const dxs = sumA + column;
  const dds = dxs + column;
  const hs = dds + column;
  const dBv = hs + <usize>(length + 1) * STEP;
  const dCv = dBv + (<usize>length * wide << 2);

  memory.fill(dA, 0, <usize>heads << 2);
  if (dD) memory.fill(dD, 0, <usize>heads << 2);
  if (dbias) memory.fill(dbias, 0, <usize>heads << 2);
  for (let b = 0; b < batch; b++) {
    const rows = (<usize>b * <usize>length * <usize>channels) << 2;
    const stateRows = (<usize>b * <usize>length * <usize>states) << 2;
    const headRows = (<usize>b * <usize>length * <usize>heads) << 2;
    const resets = reset ? reset + ((<usize>b * <usize>length) << 2) : 0;
    widen(length, states, B + stateRows, Bp);
    widen(length, states, C + stateRows, Cp);
    memory.fill(dBv, 0, <usize>length * wide << 3);
    memory.fill(hs, 0, STEP);
    for (let g = 0; g < heads; g++) {
      const lane = <usize>g << 2;
      const a = load<f32>(A + lane);
      prepare(length, heads, delta + headRows + lane, bias ? load<f32>(bias + lane) : 0, a, softplus, resets, raw, dts, decays);
      const skip = f32x4.splat(D ? load<f32>(D + lane) : 0);
      let sumSkip = f32x4.splat(0);
      let sumDecay = f32x4.splat(0);
      memory.fill(dds, 0, column);
      for (let c = 0; c < headDim; c += 4) {
        const c0 = g * headDim + c;
        const count = min(4, headDim - c);
        gather(length, channels, c0, count, x + rows, xs);
        gather(length, channels, c0, count, dy + rows, os);
        if (z) gather(length, channels, c0, count, z + rows, zs);
        inputsOf(length, dts, xs, us);
        for (let t: usize = 0; t < column; t += VEC) {
          let value = v128.load(os + t);
          if (z) {
            const gate = v128.load(zs + t);
            value = f32x4.mul(value, f32x4.mul(gate, sigmoidx4(gate)));
          }
          v128.store(gs + t, value);
        }
        memory.fill(ys, 0, column);
        memory.fill(sumB, 0, 2 * column); // and sumA, beside it
        for (let n: usize = 0; n < wide; n += BLOCK << 2) {
          runKeeping(length, wide, Bp + n, Cp + n, us, decays, ys, hs + STEP);
          back(length, wide, Bp + n, Cp + n, us, decays, gs, hs, sumB, sumA, dBv + (n << 2), dCv + (n << 2));
        }
        for (let t = 0; t < length; t++) {
          const at = <usize>t * VEC;
          const d = v128.load32_splat(dts + (<usize>t << 2));
          const xt = v128.load(xs + at);
          const gy = v128.load(gs + at);
          const sb = v128.load(sumB + at);
          const sa = v128.load(sumA + at);
          v128.store(dxs + at, madd(d, sb, f32x4.mul(skip, gy)));
          v128.store(dds + at, f32x4.add(v128.load(dds + at), madd(xt, sb, f32x4.mul(f32x4.splat(a), sa))));
          sumDecay = madd(d, sa, sumDecay);
          sumSkip = madd(gy, xt, sumSkip);
          if (z) {
            const gate = v128.load(zs + at);
            const s = sigmoidx4(gate);
            // d SiLU(z) / dz = s (1 + z (1 - s))
            const slope = f32x4.mul(s, madd(gate, f32x4.sub(f32x4.splat(1), s), f32x4.splat(1)));
            v128.store(zs + at, f32x4.mul(f32x4.mul(v128.load(os + at), slope), madd(skip, xt, v128.load(ys + at))));
          }
        }
        scatter(length, channels, c0, count, dxs, dx + rows);
        if (z) scatter(length, channels, c0, count, zs, dz + rows);
      }
      let sumShift: f32 = 0;
      for (let t = 0; t < length; t++) {
        let gd = sum4(v128.load(dds + <usize>t * VEC));
        if (softplus) gd *= f32x4.extract_lane(sigmoidx4(v128.load32_splat(raw + (<usize>t << 2))), 0);
        store<f32>(ddelta + headRows + lane + <usize>t * (<usize>heads << 2), gd);
        sumShift += gd;
      }
      add(dA + lane, sum4(sumDecay));
      if (dD) add(dD + lane, sum4(sumSkip));
      if (dbias) add(dbias + lane, sumShift);
    }
    reduceLanes(length, states, wide, dBv, dB + stateRows);
    reduceLanes(length, states, wide, dCv, dC + stateRows);
  }
}
