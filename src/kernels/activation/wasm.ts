/** Activations' kernels on wasm (assembly/elementwise.ts). */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { wasmKernel } from '../wasm/module.js';

export const kernels: tf.KernelConfig[] = [
  wasmKernel('GeluErf', ({ exports, at, output }, { x }) => {
    const y = output(x!.shape);
    exports.geluForward(sizeOf(x!), at(x), at(y));
    return y;
  }),
  wasmKernel('GeluErfGrad', ({ exports, at, output }, { x, dy }) => {
    const dx = output(x!.shape);
    exports.geluBackward(sizeOf(x!), at(x), at(dy), at(dx));
    return dx;
  }),
  wasmKernel('Hardswish', ({ exports, at, output }, { x }) => {
    const y = output(x!.shape);
    exports.hardswishForward(sizeOf(x!), at(x), at(y));
    return y;
  }),
  wasmKernel('HardswishGrad', ({ exports, at, output }, { x, dy }) => {
    const dx = output(x!.shape);
    exports.hardswishBackward(sizeOf(x!), at(x), at(dy), at(dx));
    return dx;
  }),
];
