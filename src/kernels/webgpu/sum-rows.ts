/** Sums over the rows of a matrix on the GPU, in a fixed order: gradients of biases, scales and filters. */
import type * as tf from '@tensorflow/tfjs';
import type { Program, WebgpuKernels } from './program.js';

/** Rows that one thread adds up. */
const SLAB = 32;

const slabs: Program = {
  name: 'sumRows',
  threads: 64,
  code: () => `
fn run(group: u32, lane: u32) {
  let blocks = (u.width + THREADS - 1) / THREADS;
  let column = group % blocks * THREADS + lane;
  if (column >= u.width) { return; }
  let first = group / blocks * ${SLAB};
  var sum = 0.0;
  for (var row = first; row < min(first + ${SLAB}, u.rows); row++) { sum += x[row * u.width + column]; }
  y[group / blocks * u.width + column] = sum;
}`,
};

/** x, of `rows` rows, summed into `y`, which has the size of one. */
export function sumRows(gpu: WebgpuKernels, x: tf.TensorInfo, rows: number, y: tf.TensorInfo): void {
  const width = y.shape.reduce((product, n) => product * n, 1);
  let [from, left] = [x, rows];
  do {
    const next = Math.max(1, Math.ceil(left / SLAB));
    const to = next === 1 ? y : gpu.scratch([next, width]);
    gpu.run(slabs, {
      read: { x: from },
      write: { y: to },
      uniforms: { rows: left, width },
      groups: next * Math.ceil(width / 64),
    });
    [from, left] = [to, next];
  } while (left > 1);
}
