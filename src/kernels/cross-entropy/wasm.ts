/** The fused cross-entropy on wasm (assembly/cross-entropy.ts). */
import type * as tf from '@tensorflow/tfjs';
import { wasmKernel } from '../wasm/module.js';

/** Logits held at a time, in floats: 1 MiB, so that a chunk stays in the second-level cache. */
const CHUNK_FLOATS = 1 << 18;

export const kernels: tf.KernelConfig[] = [
  wasmKernel(
    'LinearCrossEntropy',
    ({ exports, at, output, scratch, write }, { hidden, items, targets, positions }) => {
      const [rows, width] = hidden!.shape as [number, number];
      const numItems = items!.shape[0]!;
      const count = positions!.shape[0]!;
      const [loss, dHidden, dItems] = [output([]), output([rows, width]), output([numItems, width])];
      // A multiple of the product's 4-row panels.
      const chunk = Math.min(256, Math.max(16, Math.floor(CHUNK_FLOATS / numItems / 4) * 4));
      const value = exports.crossEntropy(
        rows,
        width,
        numItems,
        count,
        at(hidden),
        at(items),
        at(targets),
        at(positions),
        at(dHidden),
        at(dItems),
        chunk,
        scratch(exports.crossEntropyScratchBytes(chunk, width, numItems)),
      );
      write(loss, value);
      return [loss, dHidden, dItems];
    },
  ),
];
