/** Activations on webgpu: GELU by the error function, Hardswish. */
import type * as tf from '@tensorflow/tfjs';
import { elementwise, mapElements } from '../webgpu/elementwise.js';
import { webgpuKernel } from '../webgpu/program.js';
import { HARDSWISH } from '../webgpu/wgsl.js';

/**
 * The normal distribution function, given e^(-x^2 / 2): erf(z) = 1 - e^(-z^2) t P(t), t = 1 / (1 + |z| / 2), the weighted
 * minimax fit of the wasm kernels (assembly/math.ts), error 1.2e-8 before rounding.
 */
const CDF = `
fn cdf(x: f32, gaussian: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.35355339 * abs(x));
  var p = fma(t, 5.8802112937e-2, -2.182402015e-1);
  p = fma(t, p, 1.2218293548e-1);
  p = fma(t, p, 3.0767548084e-1);
  p = fma(t, p, 1.3084685802e-1);
  p = fma(t, p, 3.2169765234e-1);
  p = fma(t, p, 2.7703517675e-1);
  let erf = 1.0 - gaussian * t * p;
  return 0.5 + 0.5 * select(erf, -erf, x < 0.0);
}`;

const gelu = elementwise('gelu', CDF, 'let v = x[i]; return v * cdf(v, exp(-0.5 * v * v));');

const geluGrad = elementwise(
  'geluGrad',
  CDF,
  `let v = x[i];
  let gaussian = exp(-0.5 * v * v);
  return dy[i] * fma(v * 0.39894228, gaussian, cdf(v, gaussian));`,
);

const hardswish = elementwise('hardswish', HARDSWISH, 'return hardswish(x[i]);');

const hardswishGrad = elementwise('hardswishGrad', HARDSWISH, 'return dy[i] * hardswishSlope(x[i]);');

export const kernels: tf.KernelConfig[] = [
  webgpuKernel('GeluErf', (gpu, { x }) => mapElements(gpu, gelu, { x: x! })),
  webgpuKernel('GeluErfGrad', (gpu, { x, dy }) => mapElements(gpu, geluGrad, { x: x!, dy: dy! })),
  webgpuKernel('Hardswish', (gpu, { x }) => mapElements(gpu, hardswish, { x: x! })),
  webgpuKernel('HardswishGrad', (gpu, { x, dy }) => mapElements(gpu, hardswishGrad, { x: x!, dy: dy! })),
];
