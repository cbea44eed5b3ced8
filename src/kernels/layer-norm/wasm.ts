/** Layer normalisation's kernels on wasm (assembly/layer-norm.ts). */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { wasmKernel } from '../wasm/module.js';

export const kernels: tf.KernelConfig[] = [
  wasmKernel('LayerNorm', ({ at, output, spread }, { x, gamma, beta }, attrs) => {
    const width = gamma!.shape[0]!;
    const y = output(x!.shape);
    const [from, scale, shift, to] = [at(x), at(gamma), at(beta), at(y)];
    const epsilon = attrs['epsilon'] as number;
    spread('layerNormForward', sizeOf(x!) / width, { least: Math.ceil(16_384 / width) }, (first, rows) => [
      rows,
      width,
      from + 4 * first * width,
      scale,
      shift,
      epsilon,
      to + 4 * first * width,
    ]);
    return y;
  }),
  wasmKernel('LayerNormGrad', ({ exports, at, output }, { x, gamma, dy }, attrs) => {
    const width = gamma!.shape[0]!;
    const [dx, dgamma, dbeta] = [output(x!.shape), output([width]), output([width])];
    exports.layerNormBackward(
      sizeOf(x!) / width,
      width,
      at(x),
      at(gamma),
      attrs['epsilon'] as number,
      at(dy),
      at(dx),
      at(dgamma),
      at(dbeta),
    );
    return [dx, dgamma, dbeta];
  }),
];
