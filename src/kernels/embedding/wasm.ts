/** The embedding's kernels on wasm (assembly/embedding.ts). */
import type * as tf from '@tensorflow/tfjs';
import { wasmKernel } from '../wasm/module.js';

export const kernels: tf.KernelConfig[] = [
  wasmKernel('EmbeddingLookup', ({ at, output, spread }, { table, indices }) => {
    const [n, width] = [indices!.shape[0]!, table!.shape[1]!];
    const out = output([n, width]);
    const [from, which, to] = [at(table), at(indices), at(out)];
    spread('gatherRows', n, { least: Math.ceil(65_536 / width) }, (first, count) => [
      count,
      width,
      from,
      which + 4 * first,
      to + 4 * first * width,
    ]);
    return out;
  }),
  wasmKernel('EmbeddingLookupGrad', ({ at, output, spread }, { table, indices, dy }) => {
    const [rows, width] = table!.shape as [number, number];
    const n = indices!.shape[0]!;
    const out = output([rows, width]);
    const [from, which, to] = [at(dy), at(indices), at(out)];
    const least = Math.ceil((65_536 * rows) / ((rows + n) * width));
    spread('scatterAddRows', rows, { least }, (first, count) => [
      n,
      width,
      first,
      first + count,
      from,
      which,
      to,
    ]);
    return out;
  }),
];
