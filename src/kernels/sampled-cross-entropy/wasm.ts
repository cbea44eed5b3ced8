/** The fused sampled cross-entropy on wasm (assembly/sampled-cross-entropy.ts). */
import type * as tf from '@tensorflow/tfjs';
import { wasmKernel } from '../wasm/module.js';

/** Scores held at a time, in floats: 1 MiB, so that a chunk stays in the second-level cache. */
const CHUNK_FLOATS = 1 << 18;

export const kernels: tf.KernelConfig[] = [
  wasmKernel('SampledCrossEntropy', ({ exports, at, output, scratch, write }, inputs) => {
    const { hidden, items, targets, positions, negatives, offsets } = inputs;
    const [rows, width] = hidden!.shape as [number, number];
    const [numItems, n] = [items!.shape[0]!, negatives!.shape[0]!];
    const [loss, dHidden, dItems] = [output([]), output([rows, width]), output([numItems, width])];
    // A multiple of the product's 4-row panels.
    const chunk = Math.min(256, Math.max(16, Math.floor(CHUNK_FLOATS / n / 4) * 4));
    const value = exports.sampledCrossEntropy(
      rows,
      width,
      numItems,
      positions!.shape[0]!,
      n,
      at(hidden),
      at(items),
      at(targets),
      at(positions),
      at(negatives),
      at(offsets),
      at(dHidden),
      at(dItems),
      chunk,
      scratch(exports.sampledCrossEntropyScratchBytes(chunk, width, n)),
    );
    write(loss, value);
    return [loss, dHidden, dItems];
  }),
];
