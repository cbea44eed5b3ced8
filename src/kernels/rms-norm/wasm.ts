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
  wasmKernel('RmsNormGrad', ({ at, output, scratch, spread }, { x, gamma, dy }, attrs) => {
    const width = gamma!.shape[0]!;
    const total = sizeOf(x!) / width;
    const [dx, dgamma] = [output(x!.shape), output([width])];
    const [from, scale, above, to, toGamma] = [at(x), at(gamma), at(dy), at(dx), at(dgamma)];
    const epsilon = attrs['epsilon'] as number;
    const scales = scratch(4 * total);
    spread('rmsNormBackward', total, { least: Math.ceil(16_384 / width) }, (first, rows) => [
      rows,
      width,
      from + 4 * first * width,
      scale,
      epsilon,
      above + 4 * first * width,
      to + 4 * first * width,
      scales + 4 * first,
    ]);
    const columns = { least: Math.max(16, Math.ceil(65_536 / total)), step: 16 };
    spread('rmsNormColumns', width, columns, (first, count) => [
      total,
      count,
      width,
      from + 4 * first,
      above + 4 * first,
      scales,
      toGamma + 4 * first,
    ]);
    return [dx, dgamma];
  }),
];
