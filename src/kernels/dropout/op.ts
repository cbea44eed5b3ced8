/** Dropout (Srivastava et al. 2014) with a seed a call, so that the mask need not be kept for the way back. */
import * as tf from '@tensorflow/tfjs';
import { fusedOp, hasKernel } from '../fused.js';
import { dropoutMask } from './reference.js';

/**
 * Zeroes each element with probability `rate` and scales the rest by 1 / (1 - rate).
 * @param seed any 32-bit integer; the same seed drops the same elements.
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, seed: number): T {
  if (rate === 0) return x;
  if (!(rate > 0 && rate < 1)) throw new Error(`dropout: rate is ${rate}, expected a number in [0, 1)`);
  if (hasKernel('HashDropout')) return fusedOp<T>('HashDropout', { x }, {}, { rate, seed });
  return tf.mul(x, tf.tensor(dropoutMask(x.size, rate, seed), x.shape)) as T;
}
