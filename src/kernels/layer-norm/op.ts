/** Layer normalisation over the last axis (Ba et al. 2016). */
import type * as tf from '@tensorflow/tfjs';
import { fusedOp, hasKernel } from '../fused.js';
import { assertShape } from '../shapes.js';
import { composedLayerNorm } from './composed.js';

/**
 * @param x [..., width]
 * @param gamma [width]
 * @param beta [width]
 * @returns the shape of x.
 */
export function layerNorm<T extends tf.Tensor>(
  x: T,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
): T {
  const width = x.shape[x.shape.length - 1]!;
  assertShape('layerNorm: gamma', gamma, [width]);
  assertShape('layerNorm: beta', beta, [width]);
  if (!hasKernel('LayerNorm')) return composedLayerNorm(x, gamma, beta, epsilon);
  return fusedOp<T>('LayerNorm', { x, gamma, beta }, {}, { epsilon });
}
