/**
 * The embedding's kernels in WGSL. The gradient adds up the rows of dy that belong to one row of the table, in the order in
 * which they stand: indices are sorted by blocks, every index finds its place among the other blocks by bisection, and a
 * workgroup a table row adds up its range. No atomics, so the same bits every time.
 */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { type Program, type WebgpuKernels, webgpuKernel } from '../webgpu/program.js';
import { powerOfTwo } from '../webgpu/wgsl.js';

const gather: Program = {
  name: 'gatherRows',
  threads: 128,
  code: () => `
fn run(group: u32, lane: u32) {
  let i = group * THREADS + lane;
  if (i < u.size) { y[i] = table[u32(indices[i / WIDTH]) * WIDTH + i % WIDTH]; }
}`,
};

/** Indices that one workgroup sorts. */
const BLOCK = 256;

/** keys, places: a block's indices in ascending order and where they stood; equal ones in the order in which they stood. */
const sortBlocks: Program = {
  name: 'sortIndexBlocks',
  threads: BLOCK,
  code: () => `
var<workgroup> block: array<i32, THREADS>;
fn run(group: u32, lane: u32) {
  let i = group * THREADS + lane;
  let own = indices[min(i, u.count - 1)];
  block[lane] = own;
  workgroupBarrier();
  if (i >= u.count) { return; }
  var before = 0u;
  for (var j = 0u; j < min(THREADS, u.count - group * THREADS); j++) {
    if (block[j] < own || (block[j] == own && j < lane)) { before++; }
  }
  keys[group * THREADS + before] = own;
  places[group * THREADS + before] = i32(i);
}`,
};

/** The same for all indices together. */
const mergeBlocks: Program = {
  name: 'mergeIndexBlocks',
  threads: BLOCK,
  code: () => `
fn run(group: u32, lane: u32) {
  let i = group * THREADS + lane;
  if (i >= u.count) { return; }
  let own = keys[i];
  var before = lane;
  for (var start = 0u; start < u.count; start += THREADS) {
    if (start == group * THREADS) { continue; }
    // Of an earlier block those that are not larger come first, of a later one only the smaller ones.
    let limit = select(own, own + 1, start < i);
    var low = 0u;
    var high = min(THREADS, u.count - start);
    while (low < high) {
      let middle = (low + high) / 2;
      if (keys[start + middle] < limit) { low = middle + 1; } else { high = middle; }
    }
    before += low;
  }
  sorted[before] = own;
  order[before] = places[i];
}`,
};

/** A workgroup a row of the table. */
const addRows: Program = {
  name: 'addRowsByIndex',
  threads: ({ WIDTH }) => powerOfTwo(WIDTH as number, 32, 256),
  code: () => `
fn firstNotBelow(key: i32) -> u32 {
  var low = 0u;
  var high = u.count;
  while (low < high) {
    let middle = (low + high) / 2;
    if (sorted[middle] < key) { low = middle + 1; } else { high = middle; }
  }
  return low;
}
fn run(row: u32, lane: u32) {
  let begin = firstNotBelow(i32(row));
  let end = firstNotBelow(i32(row) + 1);
  for (var j = lane; j < WIDTH; j += THREADS) {
    var sum = 0.0;
    for (var k = begin; k < end; k++) { sum += dy[u32(order[k]) * WIDTH + j]; }
    dtable[row * WIDTH + j] = sum;
  }
}`,
};

/** The rows of `table` that `indices` names, into y. */
export function gatherRows(
  gpu: WebgpuKernels,
  table: tf.TensorInfo,
  indices: tf.TensorInfo,
  y: tf.TensorInfo,
): void {
  const width = table.shape[1]!;
  const size = sizeOf(indices) * width;
  gpu.run(gather, {
    read: { table, indices },
    write: { y },
    constants: { WIDTH: width },
    uniforms: { size },
    groups: Math.ceil(size / 128),
  });
}

/** Row i of dtable: the sum of those of the first `count` rows of dy whose index is i. */
export function addRowsByIndex(
  gpu: WebgpuKernels,
  indices: tf.TensorInfo,
  dy: tf.TensorInfo,
  dtable: tf.TensorInfo,
  count = sizeOf(indices),
): void {
  const list = () => gpu.scratch([sizeOf(indices)], 'int32');
  const [keys, places, sorted, order] = [list(), list(), list(), list()];
  const shared = { uniforms: { count }, groups: Math.ceil(count / BLOCK) };
  gpu.run(sortBlocks, { read: { indices }, write: { keys, places }, ...shared });
  gpu.run(mergeBlocks, { read: { keys, places }, write: { sorted, order }, ...shared });
  gpu.run(addRows, {
    read: { sorted, order, dy },
    write: { dtable },
    constants: { WIDTH: dtable.shape[1]! },
    uniforms: { count },
    groups: dtable.shape[0]!,
  });
}

export const kernels: tf.KernelConfig[] = [
  webgpuKernel('EmbeddingLookup', (gpu, { table, indices }) => {
    const y = gpu.output([sizeOf(indices!), table!.shape[1]!]);
    gatherRows(gpu, table!, indices!, y);
    return y;
  }),
  webgpuKernel('EmbeddingLookupGrad', (gpu, { table, indices, dy }) => {
    const dtable = gpu.output(table!.shape);
    addRowsByIndex(gpu, indices!, dy!, dtable);
    return dtable;
  }),
];
