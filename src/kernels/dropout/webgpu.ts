/** Dropout on webgpu: the hash of reference.ts, bit for bit; the backward pass is the forward pass on the gradient. */
import type * as tf from '@tensorflow/tfjs';
import { elementwise, mapElements } from '../webgpu/elementwise.js';
import { type WebgpuKernels, webgpuKernel } from '../webgpu/program.js';
import { dropoutThreshold } from './reference.js';

const drop = elementwise(
  'dropout',
  '',
  `var h = i * 0x9e3779b9u + u.seed;
  h = (h ^ (h >> 16)) * 0x85ebca6bu;
  h = (h ^ (h >> 13)) * 0xc2b2ae35u;
  h ^= h >> 16;
  return select(0.0, x[i] * u.scale, h >= u.threshold);`,
);

function dropped(gpu: WebgpuKernels, x: tf.TensorInfo, attrs: tf.NamedAttrMap): tf.TensorInfo {
  const rate = attrs['rate'] as number;
  return mapElements(
    gpu,
    drop,
    { x },
    {
      uniforms: { seed: (attrs['seed'] as number) >>> 0, threshold: dropoutThreshold(rate) },
      floats: { scale: 1 / (1 - rate) },
    },
  );
}

export const kernels: tf.KernelConfig[] = [
  webgpuKernel('HashDropout', (gpu, { x }, attrs) => dropped(gpu, x!, attrs)),
  webgpuKernel('HashDropoutGrad', (gpu, { dy }, attrs) => dropped(gpu, dy!, attrs)),
];
