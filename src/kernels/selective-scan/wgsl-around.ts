/**
 * What goes before and after the recurrence of the selective scan backward (wgsl-backward.ts), in programs of their own,
 * because a shader may bind few buffers and the recurrence should do nothing else:
 *
 *   scanPrologue  a vector (dt, x, dL/d(C.h), 1 or 0 after a reset) for every step and channel; dy SiLU'(z) into dz
 *   scanEpilogue  softplus, skip connection, gate
 *
 * and sums over what workgroups wrote in parts.
 */
import type { Program } from '../webgpu/program.js';
import { SILU, SOFTPLUS } from '../webgpu/wgsl.js';

/** Constants: CHANNELS, GROUPS, SOFT. Writes `steps` as vec4f. */
export const scanPrologue: Program = {
  name: 'scanPrologue',
  threads: 128,
  code: (_, has) => `
${SOFTPLUS}
${SILU}
fn run(group: u32, lane: u32) {
  let i = group * THREADS + lane;
  if (i >= u.size) { return; }
  let row = i / CHANNELS;
  let g = i % CHANNELS / (CHANNELS / GROUPS);
  let raw = delta[row * GROUPS + g]${has('deltaBias') ? ' + deltaBias[g]' : ''};
  var inner = dy[i];
  ${has('z') ? 'dz[i] = inner * siluSlope(z[i]); inner *= silu(z[i]);' : ''}
  let kept = ${has('reset') ? 'select(0.0, 1.0, reset[row] == 0)' : '1.0'};
  steps[i] = vec4f(select(raw, softplus(raw), SOFT), x[i], inner, kept);
}`,
};

/** Constant: STATES. Adds the tiles' parts of the gradients of B and C, both [rows, states]. */
export const addTiles: Program = {
  name: 'scanAddTiles',
  threads: 128,
  code: () => `
const WIDTH = (STATES + 3) / 4 * 8;
fn run(group: u32, lane: u32) {
  let i = group * THREADS + lane;
  if (i >= u.rows * STATES) { return; }
  let at = i / STATES * WIDTH + i % STATES;
  var sums = vec2f(0.0);
  for (var tile = 0u; tile < u.tiles; tile++) {
    let i = tile * u.rows * WIDTH + at;
    sums += vec2f(parts[i], parts[i + WIDTH / 2]);
  }
  dB[i] = sums.x;
  dC[i] = sums.y;
}`,
};

/** Rows that one thread of scanEpilogue takes. */
export const EPILOGUE_ROWS = 16;

/**
 * Constants: CHANNELS, GROUPS, SOFT. Uniform: rows. Reads `steps` and `out` as vec4f. Gradients of delta [rows, channels], and
 * of D and the bias [slabs of rows, channels], are still to be added over the channels of a head.
 */
export const scanEpilogue: Program = {
  name: 'scanEpilogue',
  threads: 64,
  code: (_, has) => `
const BLOCKS = (CHANNELS + THREADS - 1) / THREADS;
${SOFTPLUS}
fn run(group: u32, lane: u32) {
  let c = group % BLOCKS * THREADS + lane;
  if (c >= CHANNELS) { return; }
  let slab = group / BLOCKS;
  let skip = ${has('D') ? 'D[c / (CHANNELS / GROUPS)]' : '0.0'};
  var toD = 0.0;
  var toBias = 0.0;
  for (var row = slab * ${EPILOGUE_ROWS}; row < min((slab + 1) * ${EPILOGUE_ROWS}, u.rows); row++) {
    let i = row * CHANNELS + c;
    let s = steps[i];
    let sums = out[i];
    dx[i] = sums.y * s.x + skip * s.z;
    let slope = select(1.0, softplusSlope(s.x), SOFT);
    let toDelta = (sums.x + sums.y * s.y) * slope;
    ddelta[i] = toDelta;
    ${has('dz') ? 'dz[i] *= sums.z + skip * s.y;' : ''}
    toD += s.z * s.y;
    toBias += toDelta;
  }
  ${has('dD') ? 'dD[slab * CHANNELS + c] = toD;' : ''}
  ${has('dBias') ? 'dBias[slab * CHANNELS + c] = toBias;' : ''}
}`,
};

/** y[i] = the sum of the `stride` values of x from i stride on. */
export const fold: Program = {
  name: 'fold',
  threads: 64,
  code: () => `
fn run(group: u32, lane: u32) {
  let i = group * THREADS + lane;
  if (i >= u.size) { return; }
  var sum = 0.0;
  for (var j = 0u; j < u.stride; j++) { sum += x[i * u.stride + j]; }
  y[i] = sum;
}`,
};

/** Constant: STATES. Rows of x, each padded to a multiple of four, without the padding. */
export const unpad: Program = {
  name: 'unpad',
  threads: 64,
  code: () => `
fn run(group: u32, lane: u32) {
  let i = group * THREADS + lane;
  if (i < u.size) { y[i] = x[i / STATES * ((STATES + 3) / 4 * 4) + i % STATES]; }
}`,
};
