/** Layer normalisation's kernels on wasm (assembly/layer-norm.ts). */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { wasmKernel } from '../wasm/module.js';

export const kernels: tf.KernelConfig[] = [
  wasmKernel('LayerNorm', ({ exports, at, output }, { x, gamma, beta }, attrs) => {
    const width = gamma!.shape[0]!;
    const y = output(x!.shape);
    exports.layerNormForward(
      sizeOf(x!) / width,
      width,
      at(x),
      at(gamma),
      at(beta),
      attrs['epsilon'] as number,
      at(y),
    );
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
