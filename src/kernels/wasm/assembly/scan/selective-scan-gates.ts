// What lies around the recurrence on the way back through the selective scan (selective-scan-back.ts): the gate before it; D, the
// softplus of the time steps and the gate's own gradient behind it. Columns of eight channels over a block.
import { coefficients } from '../coefficients';
import { madd, PAIR, sigmoidx4 } from '../math';

/**
 * gs = dy SiLU(z), and into zs: dy times the slope of SiLU, s (1 + z (1 - s)) with s = sigmoid(z); both [length, EIGHT]. Without z
 * gs = dy. Steps of dy and z lie `stride` bytes apart.
 */
export function throughGate(length: i32, dy: usize, z: usize, stride: usize, gs: usize, zs: usize): void {
  const k = coefficients();
  const one = k.one;
  for (const end = gs + <usize>length * PAIR; gs < end; gs += PAIR, zs += PAIR, dy += stride) {
    const dy0 = v128.load(dy);
    const dy1 = v128.load(dy, 16);
    if (!z) {
      v128.store(gs, dy1, 16);
      v128.store(gs, dy0);
      continue;
    }
    const gate0 = v128.load(z);
    const gate1 = v128.load(z, 16);
    z += stride;
    const s0 = sigmoidx4(k, gate0);
    const s1 = sigmoidx4(k, gate1);
    const share0 = f32x4.mul(dy0, s0);
    const share1 = f32x4.mul(dy1, s1);
    const g0 = f32x4.mul(share0, gate0);
    const g1 = f32x4.mul(share1, gate1);
    const slope0 = f32x4.mul(share0, madd(gate0, f32x4.sub(one, s0), one));
    const slope1 = f32x4.mul(share1, madd(gate1, f32x4.sub(one, s1), one));
    v128.store(gs, g1, 16);
    v128.store(gs, g0);
    v128.store(zs, slope1, 16);
    v128.store(zs, slope0);
  }
}

/**
 * What is left of a group's gradients: D g on top of dxs, dds through softplus at delta + bias, zs times D x + C . h; and the sums of
 * g x (for D) and of the gradient of delta (for the bias) over the steps. Columns are [length, EIGHT] but for x and delta, and dx,
 * ddelta and dz (0: no gate), which are written; their steps lie `stride` bytes apart. skip, bias: EIGHT; sums: 2 x EIGHT.
 */
export function finish(
  length: i32, skip: usize, bias: usize, softplus: bool, x: usize, delta: usize, stride: usize, gs: usize, ys: usize, zs: usize,
  dxs: usize, dds: usize, dx: usize, ddelta: usize, dz: usize, sums: usize,
): void {
  const k = coefficients();
  const D0 = v128.load(skip);
  const D1 = v128.load(skip, 16);
  const b0 = v128.load(bias);
  const b1 = v128.load(bias, 16);
  let skip0 = f32x4.splat(0);
  let skip1 = f32x4.splat(0);
  let shift0 = f32x4.splat(0);
  let shift1 = f32x4.splat(0);
  for (let t: usize = 0; t < <usize>length * PAIR; t += PAIR, x += stride, delta += stride, dx += stride, ddelta += stride) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const g0 = v128.load(gs + t);
    const g1 = v128.load(gs + t, 16);
    const dx0 = madd(D0, g0, v128.load(dxs + t));
    const dx1 = madd(D1, g1, v128.load(dxs + t, 16));
    skip0 = madd(g0, x0, skip0);
    skip1 = madd(g1, x1, skip1);
    let dd0 = v128.load(dds + t);
    let dd1 = v128.load(dds + t, 16);
    if (softplus) {
      dd0 = f32x4.mul(dd0, sigmoidx4(k, f32x4.add(v128.load(delta), b0)));
      dd1 = f32x4.mul(dd1, sigmoidx4(k, f32x4.add(v128.load(delta, 16), b1)));
    }
    shift0 = f32x4.add(shift0, dd0);
    shift1 = f32x4.add(shift1, dd1);
    if (dz) {
      const z0 = f32x4.mul(v128.load(zs + t), madd(D0, x0, v128.load(ys + t)));
      const z1 = f32x4.mul(v128.load(zs + t, 16), madd(D1, x1, v128.load(ys + t, 16)));
      v128.store(dz, z1, 16);
      v128.store(dz, z0);
      dz += stride;
    }
    v128.store(dx, dx1, 16);
    v128.store(dx, dx0);
    v128.store(ddelta, dd1, 16);
    v128.store(ddelta, dd0);
  }
  v128.store(sums, skip1, 16);
  v128.store(sums, skip0);
  v128.store(sums, shift1, 48);
  v128.store(sums, shift0, 32);
}
