/** The fused cross-entropy on wasm (assembly/cross-entropy.ts). */
import type * as tf from '@tensorflow/tfjs';
import { wasmKernel } from '../wasm/module.js';
import { Program } from '../wasm/threads/programs.js';
import { crossEntropyScratchBytes } from './program.js';

/** Logits held at a time, in floats: 1 MiB, so that a chunk stays in the second-level cache. */
const CHUNK_FLOATS = 1 << 18;

/** Products of numbers that are worth a thread's while. */
const WORTH = 1e6;

export const kernels: tf.KernelConfig[] = [
  wasmKernel('LinearCrossEntropy', (wasm, { hidden, items: table, targets, positions }) => {
    const { exports, at, output, scratch, write } = wasm;
    const [rows, width] = hidden!.shape as [number, number];
    const items = table!.shape[0]!;
    const count = positions!.shape[0]!;
    const [loss, dHidden, dItems] = [output([]), output([rows, width]), output([items, width])];
    // A multiple of the product's 4-row panels.
    const chunk = Math.min(256, Math.max(16, Math.floor(CHUNK_FLOATS / items / 4) * 4));
    const bytes = crossEntropyScratchBytes(exports, { width, items, count, chunk }, wasm.threads());
    const addresses = [hidden, table, targets, positions, dHidden, dItems].map(at);
    const numbers = [width, items, count, chunk, rows, ...addresses, scratch(bytes)];
    const most = Math.max(1, Math.floor((count * items * width) / WORTH));
    write(loss, wasm.run(Program.crossEntropy, numbers, most));
    return [loss, dHidden, dItems];
  }),
];
