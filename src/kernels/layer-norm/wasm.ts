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
  wasmKernel('LayerNormGrad', ({ at, output, scratch, spread }, { x, gamma, dy }, attrs) => {
    const width = gamma!.shape[0]!;
    const total = sizeOf(x!) / width;
    const [dx, dgamma, dbeta] = [output(x!.shape), output([width]), output([width])];
    const [from, scale, above, to] = [at(x), at(gamma), at(dy), at(dx)];
    const [toGamma, toBeta] = [at(dgamma), at(dbeta)];
    const epsilon = attrs['epsilon'] as number;
    const moments = scratch(8 * total);
    spread('layerNormBackward', total, { least: Math.ceil(16_384 / width) }, (first, rows) => [
      rows,
      width,
      from + 4 * first * width,
      scale,
      epsilon,
      above + 4 * first * width,
      to + 4 * first * width,
      moments + 8 * first,
    ]);
    // Fewer columns than a cache line holds would make threads write to one line.
    const columns = { least: Math.max(16, Math.ceil(65_536 / total)), step: 16 };
    spread('layerNormColumns', width, columns, (first, count) => [
      total,
      count,
      width,
      from + 4 * first,
      above + 4 * first,
      moments,
      toGamma + 4 * first,
      toBeta + 4 * first,
    ]);
    return [dx, dgamma, dbeta];
  }),
];
