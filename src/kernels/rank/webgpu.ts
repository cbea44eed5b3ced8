/** Full ranking on webgpu: scores of a chunk of users by one product, then a workgroup a user that counts. */
import type * as tf from '@tensorflow/tfjs';
import { room } from '../webgpu/counted-rows.js';
import { multiply } from '../webgpu/gemm.js';
import { type Program, webgpuKernel } from '../webgpu/program.js';
import { sumOver } from '../webgpu/wgsl.js';

/** Scores held at a time: 128 MiB, the binding that every adapter grants. */
const CHUNK_FLOATS = 1 << 25;

/**
 * Scores are compared as whole numbers in the order of floats: WGSL lets a compiler assume that no float is NaN. A history's
 * scores are exchanged for a mark, so that an item that is there twice is found once.
 */
const count: Program = {
  name: 'countAbove',
  threads: 256,
  code: () => `${sumOver('vec2u', 256)}
const MARK = bitcast<i32>(0xffabcdefu);
fn isNumber(bits: i32) -> bool { return (bits & 0x7fffffff) <= 0x7f800000; }
fn inOrder(bits: i32) -> i32 { return select(bits, -(bits & 0x7fffffff), bits < 0); }
fn isBelow(bits: i32, own: i32) -> bool {
  return isNumber(bits) && isNumber(own) && inOrder(bits) < inOrder(own);
}
fn run(row: u32, lane: u32) {
  let user = u.firstUser + row;
  let begin = row * u.stride;
  let item = u32(targets[user]);
  let own = atomicLoad(&scores[begin + item]);
  var above = 0u;
  for (var j = lane; j < u.items; j += THREADS) {
    // Row 0 is padding and no candidate.
    if (j != 0 && j != item && !isBelow(atomicLoad(&scores[begin + j]), own)) { above++; }
  }
  storageBarrier();
  var seenAbove = 0u;
  for (var k = u32(historyOffsets[user]) + lane; k < u32(historyOffsets[user + 1]); k += THREADS) {
    let seen = u32(historyItems[k]);
    if (seen != item) {
      let bits = atomicExchange(&scores[begin + seen], MARK);
      if (bits != MARK && !isBelow(bits, own)) { seenAbove++; }
    }
  }
  let sums = sumOver(lane, vec2u(above, seenAbove));
  if (lane == 0) {
    unmasked[user] = i32(1 + sums.x);
    masked[user] = i32(1 + sums.x - sums.y);
  }
}`,
};

export const kernels: tf.KernelConfig[] = [
  webgpuKernel('TargetRanks', (gpu, inputs, attrs) => {
    const { hidden, items, targets, historyOffsets, historyItems } = inputs;
    const [users, width] = hidden!.shape as [number, number];
    const numItems = items!.shape[0]!;
    const limit = gpu.device.limits.maxStorageBufferBindingSize / 4;
    const floats = Math.min((attrs['chunkFloats'] as number | undefined) ?? CHUNK_FLOATS, limit);
    const stride = Math.ceil(numItems / 4) * 4;
    const chunk = Math.min(users, Math.max(1, Math.floor(floats / stride)));
    const scores = room(gpu, chunk * stride);
    const [unmasked, masked] = [gpu.output([users], 'int32'), gpu.output([users], 'int32')];
    for (let firstUser = 0; firstUser < users; firstUser += chunk) {
      const m = Math.min(chunk, users - firstUser);
      multiply(gpu, {
        m,
        n: numItems,
        k: width,
        a: { tensor: hidden!, row: firstUser },
        b: { tensor: items! },
        c: { tensor: scores, stride },
        transposeB: true,
      });
      gpu.run(count, {
        read: { targets, historyOffsets, historyItems },
        // The same values as bits.
        write: { scores: { ...scores, dtype: 'int32' }, unmasked, masked },
        atomics: ['scores'],
        uniforms: { firstUser, items: numItems, stride },
        groups: m,
      });
    }
    return [unmasked, masked];
  }),
];
