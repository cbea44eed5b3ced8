// The selective scan of Mamba (Gu and Dao 2023), forward and backward, float32:
//   dt = softplus(delta + bias);  h_t = exp(dt_t A) h_{t-1} + dt_t B_t x_t;  y_t = (C_t . h_t + D x_t) SiLU(z_t)
// x, delta, z, y: [batch, length, channels]; A: [channels, states]; B, C: [batch, length, states]; D, bias: [channels].
// Where reset[b, t] is not 0 the state starts anew at t: another sequence begins there.
//
// Four channels are gathered at a time (they lie side by side in memory); then one channel runs alone, four states a
// vector, so that B, C and the running state stay in L1. The backward pass recomputes the states of one channel into
// scratch, a block of steps at a time, and never writes anything of size [length, channels, states].
import { exp2x4, madd, sigmoidx4, softplusx4, sum4, VEC } from './math';
import { BLOCK, copyNarrow, copyPadded, four, gather, padded, scaledA, scatter } from './scan-columns';

/** Adds four per-channel sums to a vector. */
function addFour(vector: usize, c0: i32, channels: i32, value: v128): void {
  const at = vector + (<usize>c0 << 2);
  if (c0 < channels) store<f32>(at, load<f32>(at) + f32x4.extract_lane(value, 0));
  if (c0 + 1 < channels) store<f32>(at, load<f32>(at, 4) + f32x4.extract_lane(value, 1), 4);
  if (c0 + 2 < channels) store<f32>(at, load<f32>(at, 8) + f32x4.extract_lane(value, 2), 8);
  if (c0 + 3 < channels) store<f32>(at, load<f32>(at, 12) + f32x4.extract_lane(value, 3), 12);
}

/** delta -> dt in place, over [length, 4]. */
function steps(length: i32, dt: usize, bias: v128, softplus: bool): void {
  for (let t = 0; t < length; t++, dt += VEC) {
    const v = f32x4.add(v128.load(dt), bias);
    v128.store(dt, softplus ? softplusx4(v) : v);
  }
}

export function scanForward(
  batch: i32, length: i32, channels: i32, states: i32,
  x: usize, delta: usize, A: usize, B: usize, C: usize, D: usize, z: usize, bias: usize, softplus: bool, reset: usize,
  y: usize, scratch: usize,
): void {
  const wide = <usize>padded(states) << 2;
  const column = <usize>length * VEC;
  const Bp = scratch;
  const Cp = Bp + <usize>length * wide;
  const xs = Cp + <usize>length * wide;
  const ds = xs + column;
  const ys = ds + column;
  const zs = ys + column;
  const a2 = zs + column;
  const h = a2 + wide;
  for (let b = 0; b < batch; b++) {
    const rows = (<usize>b * <usize>length * <usize>channels) << 2;
    const stateRows = (<usize>b * <usize>length * <usize>states) << 2;
    const resets = reset ? reset + ((<usize>b * <usize>length) << 2) : 0;
    copyPadded(length, states, B + stateRows, Bp);
    copyPadded(length, states, C + stateRows, Cp);
    for (let c0 = 0; c0 < channels; c0 += 4) {
      gather(length, channels, c0, x + rows, xs);
      gather(length, channels, c0, delta + rows, ds);
      steps(length, ds, four(bias, c0, channels), softplus);
      for (let c = 0; c < 4 && c0 + c < channels; c++) {
        const lane = <usize>c << 2;
        scaledA(states, A + ((<usize>(c0 + c) * <usize>states) << 2), a2);
        memory.fill(h, 0, wide);
        for (let t = 0; t < length; t++) {
          const at = <usize>t * VEC + lane;
          const d = load<f32>(ds + at);
          const step = f32x4.splat(d);
          const input = f32x4.splat(d * load<f32>(xs + at));
          const Bt = Bp + <usize>t * wide;
          const Ct = Cp + <usize>t * wide;
          let sum = f32x4.splat(0);
          if (resets && load<i32>(resets + (<usize>t << 2))) memory.fill(h, 0, wide);
          for (let n: usize = 0; n < wide; n += VEC) {
            const decay = exp2x4(f32x4.mul(step, v128.load(a2 + n)));
            const next = madd(decay, v128.load(h + n), f32x4.mul(input, v128.load(Bt + n)));
            v128.store(h + n, next);
            sum = madd(next, v128.load(Ct + n), sum);
          }
          store<f32>(ys + at, sum4(sum));
        }
      }
      const skip = four(D, c0, channels);
      if (z) gather(length, channels, c0, z + rows, zs);
      for (let t: usize = 0; t < column; t += VEC) {
        let value = madd(skip, v128.load(xs + t), v128.load(ys + t));
        if (z) {
          const gate = v128.load(zs + t);
          value = f32x4.mul(value, f32x4.mul(gate, sigmoidx4(gate)));
        }
        v128.store(ys + t, value);
      }
      scatter(length, channels, c0, ys, y + rows);
    }
  }
}

/** Runs one channel over steps [from, to): states and decays into hs, as; y sums into ys where given. */
function recompute(
  from: i32, to: i32, wide: usize, a2: usize, ds: usize, xs: usize, lane: usize, Bp: usize, Cp: usize, resets: usize,
  hs: usize, as: usize, ys: usize,
): void {
  for (let t = from; t < to; t++) {
    const at = <usize>t * VEC + lane;
    const d = load<f32>(ds + at);
    const step = f32x4.splat(d);
    const input = f32x4.splat(d * load<f32>(xs + at));
    const Bt = Bp + <usize>t * wide;
    const Ct = Cp + <usize>t * wide;
    const before = hs + <usize>(t - from) * wide;
    const after = before + wide;
    const decays = as + <usize>(t - from) * wide;
    const anew = resets != 0 && load<i32>(resets + (<usize>t << 2)) != 0;
    let sum = f32x4.splat(0);
    for (let n: usize = 0; n < wide; n += VEC) {
      let decay = exp2x4(f32x4.mul(step, v128.load(a2 + n)));
      if (anew) decay = f32x4.splat(0);
      v128.store(decays + n, decay);
      const next = madd(decay, v128.load(before + n), f32x4.mul(input, v128.load(Bt + n)));
      v128.store(after + n, next);
      sum = madd(next, v128.load(Ct + n), sum);
    }
    if (ys) store<f32>(ys + at, sum4(sum));
  }
}

/**
 * Gradients of every input for a given dy (the gradient of y). Every output is overwritten; dD, dz and dbias may be 0.
 * y itself is not needed: the states are recomputed.
 */
export function scanBackward(
  batch: i32, length: i32, channels: i32, states: i32,
  x: usize, delta: usize, A: usize, B: usize, C: usize, D: usize, z: usize, bias: usize, softplus: bool, reset: usize,
  dy: usize, dx: usize, ddelta: usize, dA: usize, dB: usize, dC: usize, dD: usize, dz: usize, dbias: usize, scratch: usize,
): void {
  const wide = <usize>padded(states) << 2;
  const column = <usize>length * VEC;
  const blocks = (length + BLOCK - 1) / BLOCK;
  // [length, states]
  const Bp = scratch;
  const Cp = Bp + <usize>length * wide;
  const dBp = Cp + <usize>length * wide;
  const dCp = dBp + <usize>length * wide;
  // [length, 4]: inputs, dt, C . h, dy times the gate, gate, dy, gradients of x and dt
  const xs = dCp + <usize>length * wide;
  const ds = xs + column;
  const ys = ds + column;
  const gs = ys + column;
  const zs = gs + column;
  const us = zs + column;
  const dxs = us + column;
  const dds = dxs + column;
  // [states]
  const a2 = dds + column;
  const a1 = a2 + wide;
  const dAs = a1 + wide;
  const carry = dAs + wide;
  // [blocks, states], [block + 1, states], [block, states]
  const starts = carry + wide;
  const hs = starts + <usize>(blocks + 1) * wide;
  const as = hs + <usize>(min(length, BLOCK) + 1) * wide;

  memory.fill(dA, 0, (<usize>channels * <usize>states) << 2);
  if (dD) memory.fill(dD, 0, <usize>channels << 2);
  if (dbias) memory.fill(dbias, 0, <usize>channels << 2);
  for (let b = 0; b < batch; b++) {
    const rows = (<usize>b * <usize>length * <usize>channels) << 2;
    const stateRows = (<usize>b * <usize>length * <usize>states) << 2;
    const resets = reset ? reset + ((<usize>b * <usize>length) << 2) : 0;
    copyPadded(length, states, B + stateRows, Bp);
    copyPadded(length, states, C + stateRows, Cp);
    memory.fill(dBp, 0, 2 * <usize>length * wide);
    for (let c0 = 0; c0 < channels; c0 += 4) {
      const shift = four(bias, c0, channels);
      const skip = four(D, c0, channels);
      gather(length, channels, c0, x + rows, xs);
      gather(length, channels, c0, delta + rows, ds);
      steps(length, ds, shift, softplus);
      gather(length, channels, c0, dy + rows, us);
      if (z) gather(length, channels, c0, z + rows, zs);
      for (let t: usize = 0; t < column; t += VEC) {
        let g = v128.load(us + t);
        if (z) {
          const gate = v128.load(zs + t);
          g = f32x4.mul(g, f32x4.mul(gate, sigmoidx4(gate)));
        }
        v128.store(gs + t, g);
      }
      for (let c = 0; c < 4 && c0 + c < channels; c++) {
        const lane = <usize>c << 2;
        const rowA = (<usize>(c0 + c) * <usize>states) << 2;
        scaledA(states, A + rowA, a2);
        copyPadded(1, states, A + rowA, a1);
        memory.fill(dAs, 0, 2 * wide); // and carry, beside it
        memory.fill(starts, 0, wide);
        // States at the start of every block but the first, where the history is longer than one block.
        for (let k = 0; k + 1 < blocks; k++) {
          memory.copy(hs, starts + <usize>k * wide, wide);
          recompute(k * BLOCK, (k + 1) * BLOCK, wide, a2, ds, xs, lane, Bp, Cp, resets, hs, as, 0);
          memory.copy(starts + <usize>(k + 1) * wide, hs + <usize>BLOCK * wide, wide);
        }
        for (let k = blocks - 1; k >= 0; k--) {
          const from = k * BLOCK;
          const to = min(length, from + BLOCK);
          memory.copy(hs, starts + <usize>k * wide, wide);
          recompute(from, to, wide, a2, ds, xs, lane, Bp, Cp, resets, hs, as, ys);
          for (let t = to - 1; t >= from; t--) {
            const at = <usize>t * VEC + lane;
            const d = load<f32>(ds + at);
            const xt = load<f32>(xs + at);
            const g = f32x4.splat(load<f32>(gs + at));
            const step = f32x4.splat(d);
            const input = f32x4.splat(d * xt);
            const row = <usize>t * wide;
            const before = hs + <usize>(t - from) * wide;
            const decays = as + <usize>(t - from) * wide;
            let sumInput = f32x4.splat(0);
            let sumDecay = f32x4.splat(0);
            for (let n: usize = 0; n < wide; n += VEC) {
              const gh = madd(g, v128.load(Cp + row + n), v128.load(carry + n));
              v128.store(dCp + row + n, madd(g, v128.load(before + wide + n), v128.load(dCp + row + n)));
              v128.store(dBp + row + n, madd(gh, input, v128.load(dBp + row + n)));
              sumInput = madd(gh, v128.load(Bp + row + n), sumInput);
              const back = f32x4.mul(gh, v128.load(decays + n));
              v128.store(carry + n, back);
              const gdecay = f32x4.mul(back, v128.load(before + n));
              sumDecay = madd(gdecay, v128.load(a1 + n), sumDecay);
              v128.store(dAs + n, madd(gdecay, step, v128.load(dAs + n)));
            }
            const gInput = sum4(sumInput);
            store<f32>(dxs + at, d * gInput);
            store<f32>(dds + at, sum4(sumDecay) + xt * gInput);
          }
        }
        for (let n = 0; n < states; n++) {
          const at = dA + rowA + (<usize>n << 2);
          store<f32>(at, load<f32>(at) + load<f32>(dAs + (<usize>n << 2)));
        }
      }
      let sumSkip = f32x4.splat(0);
      let sumShift = f32x4.splat(0);
      if (softplus) gather(length, channels, c0, delta + rows, ds);
      for (let t: usize = 0; t < column; t += VEC) {
        const xt = v128.load(xs + t);
        const g = v128.load(gs + t);
        v128.store(dxs + t, madd(skip, g, v128.load(dxs + t)));
        sumSkip = madd(g, xt, sumSkip);
        let gd = v128.load(dds + t);
        if (softplus) gd = f32x4.mul(gd, sigmoidx4(f32x4.add(v128.load(ds + t), shift)));
        v128.store(dds + t, gd);
        sumShift = f32x4.add(sumShift, gd);
        if (z) {
          const gate = v128.load(zs + t);
          const s = sigmoidx4(gate);
          // d SiLU(z) / dz = s (1 + z (1 - s))
          const slope = f32x4.mul(s, madd(gate, f32x4.sub(f32x4.splat(1), s), f32x4.splat(1)));
          v128.store(zs + t, f32x4.mul(f32x4.mul(v128.load(us + t), slope), madd(skip, xt, v128.load(ys + t))));
        }
      }
      scatter(length, channels, c0, dxs, dx + rows);
      scatter(length, channels, c0, dds, ddelta + rows);
      if (z) scatter(length, channels, c0, zs, dz + rows);
      if (dD) addFour(dD, c0, channels, sumSkip);
      if (dbias) addFour(dbias, c0, channels, sumShift);
    }
    copyNarrow(length, states, dBp, dB + stateRows);
    copyNarrow(length, states, dCp, dC + stateRows);
  }
}
