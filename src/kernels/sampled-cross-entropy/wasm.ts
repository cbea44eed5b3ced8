/** The fused sampled cross-entropy on wasm (assembly/sampled-cross-entropy.ts). */
import type * as tf from '@tensorflow/tfjs';
import { wasmKernel } from '../wasm/module.js';
import { Program } from '../wasm/threads/programs.js';
import { sampledCrossEntropyScratchBytes } from './program.js';

/** Scores held at a time, in floats: 1 MiB, so that a chunk stays in the second-level cache. */
const CHUNK_FLOATS = 1 << 18;

/** Products of numbers that are worth a thread's while. */
const WORTH = 1e6;

export const kernels: tf.KernelConfig[] = [
  wasmKernel('SampledCrossEntropy', (wasm, inputs) => {
    const { exports, at, output, scratch, write } = wasm;
    const { hidden, items: table, targets, positions, negatives, offsets } = inputs;
    const [rows, width] = hidden!.shape as [number, number];
    const [items, n, count] = [table!.shape[0]!, negatives!.shape[0]!, positions!.shape[0]!];
    const [loss, dHidden, dItems] = [output([]), output([rows, width]), output([items, width])];
    // A multiple of the product's 4-row panels.
    const chunk = Math.min(256, Math.max(16, Math.floor(CHUNK_FLOATS / n / 4) * 4));
    const bytes = sampledCrossEntropyScratchBytes(exports, { width, n, count, chunk }, wasm.threads());
    const addresses = [hidden, table, targets, positions, negatives, offsets, dHidden, dItems].map(at);
    const numbers = [width, n, count, chunk, rows, items, ...addresses, scratch(bytes)];
    const most = Math.max(1, Math.floor((count * n * width) / WORTH));
    write(loss, wasm.run(Program.sampledCrossEntropy, numbers, most));
    return [loss, dHidden, dItems];
  }),
];
