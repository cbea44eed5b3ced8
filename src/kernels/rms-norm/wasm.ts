/** RMS norm's kernels on wasm (assembly/rms-norm.ts). */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { wasmKernel } from '../wasm/module.js';

export const kernels: tf.KernelConfig[] = [
  wasmKernel('RmsNorm', ({ exports, at, output }, { x, gamma }, attrs) => {
    const width = gamma!.shape[0]!;
    const y = output(x!.shape);
    exports.rmsNormForward(sizeOf(x!) / width, width, at(x), at(gamma), attrs['epsilon'] as number, at(y));
    return y;
  }),
  wasmKernel('RmsNormGrad', ({ exports, at, output }, { x, gamma, dy }, attrs) => {
    const width = gamma!.shape[0]!;
    const [dx, dgamma] = [output(x!.shape), output([width])];
    exports.rmsNormBackward(
      sizeOf(x!) / width,
      width,
      at(x),
      at(gamma),
      attrs['epsilon'] as number,
      at(dy),
      at(dx),
      at(dgamma),
    );
    return [dx, dgamma];
  }),
];
