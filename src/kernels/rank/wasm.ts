/** Full ranking and losses on wasm (assembly/rank.ts): scores of a chunk of users at a time. */
import type * as tf from '@tensorflow/tfjs';
import { wasmKernel } from '../wasm/module.js';

const CHUNK_FLOATS = 1 << 18;

export const kernels: tf.KernelConfig[] = [
  wasmKernel('TargetRanks', ({ exports, at, output, scratch }, inputs) => {
    const { hidden, items, targets, historyOffsets, historyItems } = inputs;
    const [users, width] = hidden!.shape as [number, number];
    const numItems = items!.shape[0]!;
    const chunk = Math.min(256, Math.max(16, Math.floor(CHUNK_FLOATS / numItems / 4) * 4));
    const [unmasked, masked] = [output([users], 'int32'), output([users], 'int32')];
    const losses = output([users]);
    exports.ranks(
      users,
      width,
      numItems,
      at(hidden),
      at(items),
      at(targets),
      at(historyOffsets),
      at(historyItems),
      at(unmasked),
      at(masked),
      at(losses),
      chunk,
      scratch(exports.rankScratchBytes(chunk, width, numItems)),
    );
    return [unmasked, masked, losses];
  }),
];
