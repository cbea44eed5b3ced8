/** RMS norm's kernels on wasm (assembly/rms-norm.ts). */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { wasmKernel } from '../wasm/module.js';

export const kernels: tf.KernelConfig[] = [
  wasmKernel('RmsNorm', ({ at, output, spread }, { x, gamma }, attrs) => {
    const width = gamma!.shape[0]!;
    const y = output(x!.shape);
    const [from, scale, to] = [at(x), at(gamma), at(y)];
    const epsilon = attrs['epsilon'] as number;
    spread('rmsNormForward', sizeOf(x!) / width, { least: Math.ceil(16_384 / width) }, (first, rows) => [
      rows,
      width,
      from + 4 * first * width,
      scale,
      epsilon,
      to + 4 * first * width,
    ]);
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
