/** Layer normalisation out of plain tfjs ops. */
import * as tf from '@tensorflow/tfjs';
import { CONSTANT_ROW } from './reference.js';

export function composedLayerNorm<T extends tf.Tensor>(
  x: T,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
): T {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.add(tf.mul(tf.mul(centred, inverseRoot(tf.add(variance, epsilon))), gamma), beta) as T;
}

/** 1 / sqrt(spread), and 0 for a constant row (reference.ts); no gradient passes the step. */
export function inverseRoot(spread: tf.Tensor): tf.Tensor {
  return tf.mul(tf.rsqrt(spread), tf.step(tf.sub(spread, CONSTANT_ROW)));
}
