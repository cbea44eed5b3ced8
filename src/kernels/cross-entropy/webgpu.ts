/**
 * Softmax cross-entropy over all items on webgpu, fused with the output projection, with both gradients.
 *
 * A chunk of rows at a time: scores L = H W^T, then in place P = (softmax(L) - onehot) / count, dH = P W, dW += P^T H.
 * Where even a few rows' scores are too many, a chunk of items at a time: a first pass keeps every row's running maximum and
 * sum of exponentials (Milakov and Gimelshein 2018, arXiv 1805.02867), a second computes the scores again. Every sum is
 * added in a fixed order.
 */
import type * as tf from '@tensorflow/tfjs';
import { meanOf, room, spreadRows } from '../webgpu/counted-rows.js';
import { multiply } from '../webgpu/gemm.js';
import { type Program, type WebgpuKernels, webgpuKernel } from '../webgpu/program.js';
import { maxOver, powerOfTwo, sumOver } from '../webgpu/wgsl.js';
import { cutScores } from './plan.js';

/** Scores held at a time: 128 MiB, the binding that every adapter grants. */
const CHUNK_FLOATS = 1 << 25;

/**
 * A workgroup a row of the chunk. REDUCE: maximum and sum of exponentials of the row's scores, going on from those in
 * `state` unless FIRST. WRITE: the scores become the gradient and the row's loss is written. Otherwise the state is.
 * state: [rows, 3], maximum, sum, the target's score.
 */
const softmax: Program = {
  name: 'softmaxRows',
  threads: ({ LANES }) => LANES as number,
  code: ({ LANES, REDUCE, FIRST, WRITE }) => `${sumOver('f32', LANES as number)}${maxOver(LANES as number)}
fn run(row: u32, lane: u32) {
  let answer = targets[positions[u.firstRow + row]] - i32(u.firstItem);
  let begin = row * u.stride;
  var largest = ${FIRST ? '-3.0e38' : 'state[row * 3]'};
  var total = ${FIRST ? '0.0' : 'state[row * 3 + 1]'};
  var own = ${FIRST ? '0.0' : 'state[row * 3 + 2]'};
  ${
    REDUCE
      ? `if (answer >= 0 && answer < i32(u.items)) { own = scores[begin + u32(answer)]; }
  var most = largest;
  for (var j = lane; j < u.items; j += THREADS) { most = max(most, scores[begin + j]); }
  most = maxOver(lane, most);
  var sum = 0.0;
  for (var j = lane; j < u.items; j += THREADS) { sum += exp(scores[begin + j] - most); }
  total = total * exp(largest - most) + sumOver(lane, sum);
  largest = most;`
      : ''
  }
  ${
    WRITE
      ? `let factor = u.scale / total;
  for (var j = lane; j < u.stride; j += THREADS) {
    let p = exp(scores[begin + j] - largest) * factor - select(0.0, u.scale, i32(j) == answer);
    scores[begin + j] = select(0.0, p, j < u.items);
  }
  if (lane == 0 && u.firstItem == 0) { losses[u.firstRow + row] = log(total) + (largest - own); }`
      : 'if (lane == 0) { state[row * 3] = largest; state[row * 3 + 1] = total; state[row * 3 + 2] = own; }'
  }
}`,
};

interface Batch {
  hidden: tf.TensorInfo;
  items: tf.TensorInfo;
  targets: tf.TensorInfo;
  positions: tf.TensorInfo;
}

function crossEntropy(gpu: WebgpuKernels, batch: Batch, floats: number): tf.TensorInfo[] {
  const { hidden, items, targets, positions } = batch;
  const [rows, width] = hidden.shape as [number, number];
  const numItems = items.shape[0]!;
  const count = positions.shape[0]!;
  const [loss, dHidden, dItems] = [gpu.output([]), gpu.output([rows, width]), gpu.output([numItems, width])];
  const chunks = cutScores(count, numItems, floats);
  const stride = chunks.items;
  const scores = room(gpu, chunks.rows * stride);
  const losses = room(gpu, count);
  const gathered = count < rows ? room(gpu, count * width) : dHidden;
  const state = stride < numItems ? room(gpu, chunks.rows * 3) : undefined;
  for (let firstRow = 0; firstRow < count; firstRow += chunks.rows) {
    const m = Math.min(chunks.rows, count - firstRow);
    const listed = { tensor: hidden, list: { tensor: positions, start: firstRow } };
    const score = (firstItem: number, n: number) =>
      multiply(gpu, {
        m,
        n,
        k: width,
        a: listed,
        b: { tensor: items, row: firstItem },
        c: { tensor: scores, stride },
        transposeB: true,
      });
    const reduce = (firstItem: number, n: number, constants: Record<'REDUCE' | 'FIRST' | 'WRITE', boolean>) =>
      gpu.run(softmax, {
        read: { targets, positions },
        write: { scores, state, losses: constants.WRITE ? losses : undefined },
        constants: { ...constants, LANES: powerOfTwo(stride, 32, 256) },
        uniforms: { firstRow, firstItem, items: n, stride },
        floats: { scale: 1 / count },
        groups: m,
      });
    const differentiate = (firstItem: number, n: number) => {
      multiply(gpu, {
        m,
        n: width,
        k: n,
        a: { tensor: scores, stride },
        b: { tensor: items, row: firstItem },
        c: { tensor: gathered, row: firstRow },
        accumulate: firstItem > 0,
      });
      multiply(gpu, {
        m: n,
        n: width,
        k: m,
        a: { tensor: scores, stride },
        b: listed,
        c: { tensor: dItems, row: firstItem },
        transposeA: true,
        accumulate: firstRow > 0,
      });
    };
    if (!state) {
      score(0, numItems);
      reduce(0, numItems, { REDUCE: true, FIRST: true, WRITE: true });
      differentiate(0, numItems);
      continue;
    }
    for (let item = 0; item < numItems; item += stride) {
      const n = Math.min(stride, numItems - item);
      score(item, n);
      reduce(item, n, { REDUCE: true, FIRST: item === 0, WRITE: false });
    }
    for (let item = 0; item < numItems; item += stride) {
      const n = Math.min(stride, numItems - item);
      score(item, n);
      reduce(item, n, { REDUCE: false, FIRST: false, WRITE: true });
      differentiate(item, n);
    }
  }
  if (gathered !== dHidden) spreadRows(gpu, gathered, positions, targets, dHidden);
  meanOf(gpu, losses, count, loss);
  return [loss, dHidden, dItems];
}

export const kernels: tf.KernelConfig[] = [
  webgpuKernel('LinearCrossEntropy', (gpu, inputs, attrs) => {
    const limit = gpu.device.limits.maxStorageBufferBindingSize / 4;
    const floats = Math.min((attrs['chunkFloats'] as number | undefined) ?? CHUNK_FLOATS, limit);
    return crossEntropy(gpu, inputs as unknown as Batch, floats);
  }),
];
