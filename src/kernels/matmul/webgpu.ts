/** Matrix products on webgpu (webgpu/gemm.ts); the gradient of a bias comes out of the product for its weight. */
import type * as tf from '@tensorflow/tfjs';
import { multiply } from '../webgpu/gemm.js';
import { type WebgpuKernels, webgpuKernel } from '../webgpu/program.js';
import { listed, productGradients } from './gradients.js';

/** op(a) . op(b) + bias as a new [m, n] tensor. */
function product(
  gpu: WebgpuKernels,
  a: tf.TensorInfo,
  transposeA: boolean,
  b: tf.TensorInfo,
  transposeB: boolean,
  more: { bias?: tf.TensorInfo | undefined; sums?: tf.TensorInfo | undefined } = {},
): tf.TensorInfo {
  const [m, k] = (transposeA ? [a.shape[1], a.shape[0]] : a.shape) as [number, number];
  const n = b.shape[transposeB ? 0 : 1]!;
  const c = gpu.output([m, n]);
  multiply(gpu, {
    m,
    n,
    k,
    a: { tensor: a },
    b: { tensor: b },
    c: { tensor: c },
    transposeA,
    transposeB,
    ...more,
  });
  return c;
}

export const kernels: tf.KernelConfig[] = [
  webgpuKernel('MatMul2D', (gpu, { a, b }, attrs) =>
    product(gpu, a!, attrs['transposeA'] as boolean, b!, attrs['transposeB'] as boolean),
  ),
  webgpuKernel('MatMul2DGrad', (gpu, inputs, attrs) =>
    productGradients(
      (a, transposeA, b, transposeB) => product(gpu, a, transposeA, b, transposeB),
      inputs,
      attrs,
    ),
  ),
  webgpuKernel('Linear', (gpu, { x, weight, bias }) => product(gpu, x!, false, weight!, true, { bias })),
  webgpuKernel('LinearGrad', (gpu, { x, weight, bias, dy }) => {
    const sums = bias && gpu.output(bias.shape);
    const dx = product(gpu, dy!, false, weight!, false);
    const dweight = product(gpu, dy!, true, x!, false, { sums });
    return sums ? [dx, dweight, sums] : [dx, dweight];
  }),
  webgpuKernel('SplitLinear', (gpu, inputs, attrs) => {
    const [x, weight, bias] = listed(inputs);
    const [m, k] = x!.shape as [number, number];
    let first = 0;
    return (attrs['parts'] as number[]).map((n) => {
      const c = gpu.output([m, n]);
      multiply(gpu, {
        ...{ m, n, k, bias, startBias: first, transposeB: true },
        a: { tensor: x! },
        b: { tensor: weight!, row: first },
        c: { tensor: c },
      });
      first += n;
      return c;
    });
  }),
  webgpuKernel('SplitLinearGrad', (gpu, { x, weight, bias, ...rest }) => {
    const parts = listed(rest);
    const [m, k] = x!.shape as [number, number];
    const [dx, dweight] = [gpu.output([m, k]), gpu.output(weight!.shape)];
    const sums = bias && gpu.output(bias.shape);
    let end = weight!.shape[0]!;
    // The last part first: the order in which a tape would add them up.
    for (const [i, dy] of [...parts.entries()].reverse()) {
      const n = dy.shape[1]!;
      const first = end - n;
      multiply(gpu, {
        ...{ m, n: k, k: n, accumulate: i < parts.length - 1 },
        a: { tensor: dy },
        b: { tensor: weight!, row: first },
        c: { tensor: dx },
      });
      multiply(gpu, {
        ...{ m: n, n: k, k: m, sums, startSums: first, transposeA: true },
        a: { tensor: dy },
        b: { tensor: x! },
        c: { tensor: dweight, row: first },
      });
      end = first;
    }
    return sums ? [dx, dweight, sums] : [dx, dweight];
  }),
];
