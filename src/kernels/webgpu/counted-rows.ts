/** What both losses need on the GPU: rows that count, one behind the other, and back to where they belong. */
import type * as tf from '@tensorflow/tfjs';
import type { Program, WebgpuKernels } from './program.js';
import { powerOfTwo, sumOver } from './wgsl.js';

/** A scratch tensor of at least so many numbers: one of few sizes, so that batches of many sizes share the memory. */
export function room(gpu: WebgpuKernels, size: number, dtype?: 'int32'): tf.TensorInfo {
  return gpu.scratch([2 ** Math.max(2, Math.ceil(Math.log2(size)))], dtype);
}

const spread: Program = {
  name: 'spreadRows',
  threads: ({ LANES }) => LANES as number,
  code: () => `
fn run(row: u32, lane: u32) {
  // The positions ascend: the row's place among them by halving.
  var low = 0u;
  var high = u.count;
  while (low < high) {
    let middle = (low + high) / 2;
    if (u32(positions[middle]) < row) { low = middle + 1; } else { high = middle; }
  }
  let counts = targets[row] >= 0;
  for (var j = lane; j < u.width; j += THREADS) {
    y[row * u.width + j] = select(0.0, x[low * u.width + j], counts);
  }
}`,
};

/**
 * Rows of x to the rows of y [rows, width] that `positions` (ascending) lists; zero in all others.
 * @param targets [rows]: negative in the rows that are not listed.
 */
export function spreadRows(
  gpu: WebgpuKernels,
  x: tf.TensorInfo,
  positions: tf.TensorInfo,
  targets: tf.TensorInfo,
  y: tf.TensorInfo,
): void {
  const [rows, width] = y.shape as [number, number];
  gpu.run(spread, {
    read: { x, targets, positions },
    write: { y },
    constants: { LANES: powerOfTwo(width, 32, 256) },
    uniforms: { count: positions.shape[0]!, width },
    groups: rows,
  });
}

const mean: Program = {
  name: 'mean',
  threads: 256,
  code: () => `${sumOver('f32', 256)}
fn run(group: u32, lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < u.count; i += THREADS) { sum += x[i]; }
  let total = sumOver(lane, sum);
  if (lane == 0) { y[0] = total / f32(u.count); }
}`,
};

/** Mean of the first `count` floats of x, into the scalar y. */
export function meanOf(gpu: WebgpuKernels, x: tf.TensorInfo, count: number, y: tf.TensorInfo): void {
  gpu.run(mean, { read: { x }, write: { y }, uniforms: { count }, groups: 1 });
}
