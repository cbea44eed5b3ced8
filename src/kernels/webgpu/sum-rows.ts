/** Sums over the rows of a matrix on the GPU, in a fixed order: gradients of biases, scales and filters. */
import type * as tf from '@tensorflow/tfjs';
import type { Program, WebgpuKernels } from './program.js';

/** Rows that one thread adds up, threads of a column, columns of a workgroup. */
const SLAB = 32;
const SLABS = 32;
const COLUMNS = 8;

/** A workgroup takes SLAB x SLABS rows of some columns: every thread adds its slab, and one of a column the slabs. */
const slabs: Program = {
  name: 'sumRows',
  threads: SLABS * COLUMNS,
  code: () => `
var<workgroup> parts: array<f32, THREADS>;
fn run(group: u32, lane: u32) {
  let blocks = (u.width + ${COLUMNS - 1}) / ${COLUMNS};
  let column = group % blocks * ${COLUMNS} + lane % ${COLUMNS};
  let begin = group / blocks * ${SLAB * SLABS};
  let first = begin + lane / ${COLUMNS} * ${SLAB};
  var sum = 0.0;
  if (column < u.width) {
    for (var row = first; row < min(first + ${SLAB}, u.rows); row++) { sum += x[row * u.width + column]; }
  }
  parts[lane] = sum;
  workgroupBarrier();
  if (lane >= ${COLUMNS} || column >= u.width) { return; }
  var total = 0.0;
  for (var slab = 0u; slab < ${SLABS} && begin + slab * ${SLAB} < u.rows; slab++) {
    total += parts[slab * ${COLUMNS} + lane];
  }
  y[group / blocks * u.width + column] = total;
}`,
};

/** x, of `rows` rows, summed into `y`, which has the size of one. */
export function sumRows(gpu: WebgpuKernels, x: tf.TensorInfo, rows: number, y: tf.TensorInfo): void {
  const width = y.shape.reduce((product, n) => product * n, 1);
  let [from, left] = [x, rows];
  do {
    const next = Math.max(1, Math.ceil(left / (SLAB * SLABS)));
    const to = next === 1 ? y : gpu.scratch([next, width]);
    gpu.run(slabs, {
      read: { x: from },
      write: { y: to },
      uniforms: { rows: left, width },
      groups: next * Math.ceil(width / COLUMNS),
    });
    [from, left] = [to, next];
  } while (left > 1);
}
