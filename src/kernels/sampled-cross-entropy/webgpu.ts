/**
 * Sampled softmax cross-entropy on webgpu with both gradients, in chunks of rows as in cross-entropy/webgpu.ts. The rows of
 * the item table that take part (the sample's, then each row's target) get their gradients one behind the other, and these
 * are added up by item at the end, in a fixed order.
 */
import type * as tf from '@tensorflow/tfjs';
import { addRowsByIndex, gatherRows } from '../embedding/webgpu.js';
import { meanOf, room, spreadRows } from '../webgpu/counted-rows.js';
import { multiply } from '../webgpu/gemm.js';
import { type Program, webgpuKernel } from '../webgpu/program.js';
import { maxOver, powerOfTwo, sumOver } from '../webgpu/wgsl.js';

/** Scores held at a time: 128 MiB, the binding that every adapter grants. */
const CHUNK_FLOATS = 1 << 25;

/**
 * A workgroup a row of the chunk: its scores become their gradient, and its loss is written. A sampled item that is the
 * target does not count.
 */
const softmax: Program = {
  name: 'sampledSoftmaxRows',
  threads: ({ LANES }) => LANES as number,
  code: ({ LANES }) => `${sumOver('f32', LANES as number)}${maxOver(LANES as number)}
const NOTHING = -3.0e38;
fn run(row: u32, lane: u32) {
  let position = u32(positions[u.firstRow + row]);
  let answer = targets[position];
  var part = 0.0;
  for (var j = lane; j < u.width; j += THREADS) {
    part = fma(hidden[position * u.width + j], items[u32(answer) * u.width + j], part);
  }
  let own = sumOver(lane, part);
  let begin = row * u.stride;
  var most = own;
  for (var j = lane; j < u.sampled; j += THREADS) {
    let score = select(scores[begin + j] - offsets[j], NOTHING, negatives[j] == answer);
    scores[begin + j] = score;
    most = max(most, score);
  }
  most = maxOver(lane, most);
  var sum = 0.0;
  for (var j = lane; j < u.sampled; j += THREADS) { sum += exp(scores[begin + j] - most); }
  let total = exp(own - most) + sumOver(lane, sum);
  for (var j = lane; j < u.sampled; j += THREADS) {
    scores[begin + j] = exp(scores[begin + j] - most) * u.scale / total;
  }
  if (lane == 0) { losses[u.firstRow + row] = log(total) + (most - own); }
}`,
};

/** The items that get gradients: the sample's, then every counted row's target. */
const listItems: Program = {
  name: 'listItems',
  threads: 128,
  code: () => `
fn run(group: u32, lane: u32) {
  let i = group * THREADS + lane;
  if (i < u.sampled) {
    indices[i] = negatives[i];
  } else if (i < u.sampled + u.count) {
    indices[i] = targets[positions[i - u.sampled]];
  }
}`,
};

/**
 * The targets' part, a workgroup a counted row: added to the gradient of the hidden states, and the table's updates behind
 * the sample's. The gradient of a target's own score is its probability, e^-loss, less one.
 */
const targetTerm: Program = {
  name: 'targetTerm',
  threads: ({ LANES }) => LANES as number,
  code: () => `
fn run(row: u32, lane: u32) {
  let position = u32(positions[row]);
  let update = u.sampled + row;
  let item = u32(indices[update]);
  let factor = (exp(-losses[row]) - 1.0) * u.scale;
  for (var j = lane; j < u.width; j += THREADS) {
    dRows[row * u.width + j] += factor * items[item * u.width + j];
    updates[update * u.width + j] = factor * hidden[position * u.width + j];
  }
}`,
};

export const kernels: tf.KernelConfig[] = [
  webgpuKernel('SampledCrossEntropy', (gpu, inputs, attrs) => {
    const { hidden, items, targets, positions, negatives, offsets } = inputs;
    const [rows, width] = hidden!.shape as [number, number];
    const [count, sampled] = [positions!.shape[0]!, negatives!.shape[0]!];
    const [loss, dHidden, dItems] = [gpu.output([]), gpu.output([rows, width]), gpu.output(items!.shape)];
    const limit = gpu.device.limits.maxStorageBufferBindingSize / 4;
    const floats = Math.min((attrs['chunkFloats'] as number | undefined) ?? CHUNK_FLOATS, limit);
    const stride = Math.ceil(sampled / 4) * 4;
    const chunk = Math.min(count, Math.max(1, Math.floor(floats / stride)));
    const scale = 1 / count;
    const table = gpu.scratch([sampled, width]);
    const [scores, losses] = [room(gpu, chunk * stride), room(gpu, count)];
    const dRows = count < rows ? room(gpu, count * width) : dHidden;
    const updates = room(gpu, (sampled + count) * width);
    const indices = room(gpu, sampled + count, 'int32');
    gatherRows(gpu, items!, negatives!, table);
    for (let firstRow = 0; firstRow < count; firstRow += chunk) {
      const m = Math.min(chunk, count - firstRow);
      const listed = { tensor: hidden!, list: { tensor: positions!, start: firstRow } };
      const ofChunk = { tensor: scores, stride };
      const ofSample = { tensor: table };
      multiply(gpu, { m, n: sampled, k: width, a: listed, b: ofSample, c: ofChunk, transposeB: true });
      gpu.run(softmax, {
        read: { hidden, items, targets, positions, negatives, offsets },
        write: { scores, losses },
        constants: { LANES: powerOfTwo(Math.max(sampled, width), 32, 256) },
        uniforms: { firstRow, sampled, stride, width },
        floats: { scale },
        groups: m,
      });
      multiply(gpu, {
        m,
        n: width,
        k: sampled,
        a: ofChunk,
        b: ofSample,
        c: { tensor: dRows, row: firstRow },
      });
      multiply(gpu, {
        m: sampled,
        n: width,
        k: m,
        a: ofChunk,
        b: listed,
        c: { tensor: updates },
        transposeA: true,
        accumulate: firstRow > 0,
      });
    }
    gpu.run(listItems, {
      read: { targets, positions, negatives },
      write: { indices },
      uniforms: { sampled, count },
      groups: Math.ceil((sampled + count) / 128),
    });
    gpu.run(targetTerm, {
      read: { hidden, items, positions, indices, losses },
      write: { dRows, updates },
      constants: { LANES: powerOfTwo(width, 32, 256) },
      uniforms: { sampled, width },
      floats: { scale },
      groups: count,
    });
    addRowsByIndex(gpu, indices, updates, dItems, sampled + count);
    if (dRows !== dHidden) spreadRows(gpu, dRows, positions!, targets!, dHidden);
    meanOf(gpu, losses, count, loss);
    return [loss, dHidden, dItems];
  }),
];
