/** Dropout on wasm (assembly/elementwise.ts): the backward pass is the forward pass on the gradient. */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { type WasmKernels, wasmKernel } from '../wasm/module.js';
import { dropoutThreshold } from './reference.js';

function drop({ exports, at, output }: WasmKernels, x: tf.TensorInfo, attrs: tf.NamedAttrMap): tf.TensorInfo {
  const rate = attrs['rate'] as number;
  const y = output(x.shape);
  exports.dropout(
    sizeOf(x),
    at(x),
    attrs['seed'] as number,
    dropoutThreshold(rate),
    Math.fround(1 / (1 - rate)),
    at(y),
  );
  return y;
}

export const kernels: tf.KernelConfig[] = [
  wasmKernel('HashDropout', (wasm, { x }, attrs) => drop(wasm, x!, attrs)),
  wasmKernel('HashDropoutGrad', (wasm, { dy }, attrs) => drop(wasm, dy!, attrs)),
];
