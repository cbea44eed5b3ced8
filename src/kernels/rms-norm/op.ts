/**
 * Root-mean-square normalisation over the last axis (Zhang and Sennrich 2019). The Mamba-2 block's gated norm is this on
 * y SiLU(z), and the gate is the selective scan's own.
 */
import type * as tf from '@tensorflow/tfjs';
import { fusedOp, hasKernel } from '../fused.js';
import { assertShape } from '../shapes.js';
import { composedRmsNorm } from './composed.js';

/**
 * @param x [..., width]
 * @param gamma [width]
 * @returns the shape of x.
 */
export function rmsNorm<T extends tf.Tensor>(x: T, gamma: tf.Tensor1D, epsilon: number): T {
  assertShape('rmsNorm: gamma', gamma, [x.shape[x.shape.length - 1]!]);
  if (!hasKernel('RmsNorm')) return composedRmsNorm(x, gamma, epsilon);
  return fusedOp<T>('RmsNorm', { x, gamma }, {}, { epsilon });
}
