/** Dropout on wasm (assembly/elementwise.ts): the backward pass is the forward pass on the gradient. */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { type WasmKernels, wasmKernel } from '../wasm/module.js';
import { dropoutThreshold } from './reference.js';

function drop({ at, output, spread }: WasmKernels, x: tf.TensorInfo, attrs: tf.NamedAttrMap): tf.TensorInfo {
  const rate = attrs['rate'] as number;
  const y = output(x.shape);
  const [from, to] = [at(x), at(y)];
  const settings = [attrs['seed'] as number, dropoutThreshold(rate), Math.fround(1 / (1 - rate))];
  spread('dropout', sizeOf(x), { least: 24_576, step: 8 }, (first, n) => [
    first,
    n,
    from + 4 * first,
    ...settings,
    to + 4 * first,
  ]);
  return y;
}

export const kernels: tf.KernelConfig[] = [
  wasmKernel('HashDropout', (wasm, { x }, attrs) => drop(wasm, x!, attrs)),
  wasmKernel('HashDropoutGrad', (wasm, { dy }, attrs) => drop(wasm, dy!, attrs)),
];
