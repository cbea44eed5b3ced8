/**
 * The causal convolution in WGSL. Forward a thread an element; backward a thread a channel and slab of rows, which adds up
 * what they give to filter and bias; the slabs are added afterwards, in a fixed order.
 */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { type Program, type WebgpuKernels, webgpuKernel } from '../webgpu/program.js';
import { sumRows } from '../webgpu/sum-rows.js';
import { HARDSWISH, SILU } from '../webgpu/wgsl.js';

/** `fn convolved(row, t, c) -> f32`, before the activation. */
const convolved = (has: (tensor: string) => boolean) => `
fn convolved(row: u32, t: u32, c: u32) -> f32 {
  var sum = ${has('bias') ? 'bias[c]' : '0.0'};
  for (var back = 0u; back < min(WIDTH, t + 1); back++) {
    sum += weight[c * WIDTH + WIDTH - 1 - back] * x[(row - back) * CHANNELS + c];
    ${has('reset') ? 'if (reset[row - back] != 0) { break; }' : ''}
  }
  return sum;
}`;

/** `fn activated(v) -> f32` and its slope, of the activation that the constant ACTIVATION names by its place in the list. */
const ACTIVATED = `${SILU}${HARDSWISH}
fn activated(v: f32) -> f32 {
  if (ACTIVATION == 1) { return silu(v); }
  if (ACTIVATION == 2) { return hardswish(v); }
  return v;
}
fn slope(v: f32) -> f32 { if (ACTIVATION == 1) { return siluSlope(v); } return hardswishSlope(v); }`;

/** Constants: CHANNELS, WIDTH, ACTIVATION. Uniforms: size, length. */
const forward: Program = {
  name: 'conv',
  threads: 128,
  code: (_, has) => `${ACTIVATED}${convolved(has)}
fn run(group: u32, lane: u32) {
  let i = group * THREADS + lane;
  if (i >= u.size) { return; }
  let row = i / CHANNELS;
  y[i] = activated(convolved(row, row % u.length, i % CHANNELS));
}`,
};

/** dL/d(sum before the activation). */
const inner: Program = {
  name: 'convInner',
  threads: 128,
  code: (_, has) => `${ACTIVATED}${convolved(has)}
fn run(group: u32, lane: u32) {
  let i = group * THREADS + lane;
  if (i >= u.size) { return; }
  let row = i / CHANNELS;
  dsum[i] = dy[i] * slope(convolved(row, row % u.length, i % CHANNELS));
}`,
};

/** Rows of a thread on the way back. */
const SLAB = 16;

const backward: Program = {
  name: 'convGrad',
  threads: 64,
  code: (_, has) => `
const BLOCKS = (CHANNELS + THREADS - 1) / THREADS;
fn run(group: u32, lane: u32) {
  let c = group % BLOCKS * THREADS + lane;
  if (c >= CHANNELS) { return; }
  let slab = group / BLOCKS;
  var toWeight: array<f32, WIDTH>;
  var toBias = 0.0;
  for (var row = slab * ${SLAB}; row < min((slab + 1) * ${SLAB}, u.rows); row++) {
    let t = row % u.length;
    let value = x[row * CHANNELS + c];
    var sum = 0.0;
    // This step's value goes into this step and the next ones, until a sequence begins.
    for (var on = 0u; on < min(WIDTH, u.length - t); on++) {
      ${has('reset') ? 'if (on > 0 && reset[row + on] != 0) { break; }' : ''}
      let g = dsum[(row + on) * CHANNELS + c];
      sum += weight[c * WIDTH + WIDTH - 1 - on] * g;
      toWeight[WIDTH - 1 - on] += value * g;
      if (on == 0) { toBias += g; }
    }
    dx[row * CHANNELS + c] = sum;
  }
  for (var j = 0u; j < WIDTH; j++) { dweight[(slab * CHANNELS + c) * WIDTH + j] = toWeight[j]; }
  ${has('dbias') ? 'dbias[slab * CHANNELS + c] = toBias;' : ''}
}`,
};

function sizesOf({ x, weight }: tf.NamedTensorInfoMap) {
  const [batch, length, channels] = x!.shape as [number, number, number];
  return {
    rows: batch * length,
    length,
    size: sizeOf(x!),
    channels,
    constants: { CHANNELS: channels, WIDTH: weight!.shape[1]! },
  };
}

function total(gpu: WebgpuKernels, parts: tf.TensorInfo, slabs: number, like: tf.TensorInfo): tf.TensorInfo {
  const sum = gpu.output(like.shape);
  sumRows(gpu, parts, slabs, sum);
  return sum;
}

export const kernels: tf.KernelConfig[] = [
  webgpuKernel('CausalConv', (gpu, inputs, attrs) => {
    const { x, weight, bias, reset } = inputs;
    const { size, length, constants } = sizesOf(inputs);
    const y = gpu.output(x!.shape);
    gpu.run(forward, {
      read: { x, weight, bias, reset },
      write: { y },
      constants: { ...constants, ACTIVATION: attrs['activation'] as number },
      uniforms: { size, length },
      groups: Math.ceil(size / 128),
    });
    return y;
  }),
  webgpuKernel('CausalConvGrad', (gpu, inputs, attrs) => {
    const { x, weight, bias, reset, dy } = inputs;
    const { rows, length, size, channels, constants } = sizesOf(inputs);
    let dsum = dy!;
    if (attrs['activation']) {
      dsum = gpu.scratch(x!.shape);
      gpu.run(inner, {
        read: { x, weight, bias, reset, dy },
        write: { dsum },
        constants: { ...constants, ACTIVATION: attrs['activation'] as number },
        uniforms: { size, length },
        groups: Math.ceil(size / 128),
      });
    }
    const slabs = Math.ceil(rows / SLAB);
    const dx = gpu.output(x!.shape);
    const dweight = gpu.scratch([slabs, ...weight!.shape]);
    const dbias = bias && gpu.scratch([slabs, channels]);
    gpu.run(backward, {
      read: { x, weight, reset, dsum },
      write: { dx, dweight, dbias },
      constants,
      uniforms: { rows, length },
      groups: slabs * Math.ceil(channels / 64),
    });
    return [dx, total(gpu, dweight, slabs, weight!), ...(dbias ? [total(gpu, dbias, slabs, bias)] : [])];
  }),
];
