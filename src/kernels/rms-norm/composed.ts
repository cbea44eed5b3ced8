/** Root-mean-square normalisation out of plain tfjs ops. */
import * as tf from '@tensorflow/tfjs';
import { inverseRoot } from '../layer-norm/composed.js';

export function composedRmsNorm<T extends tf.Tensor>(x: T, gamma: tf.Tensor1D, epsilon: number): T {
  const square = tf.mean(tf.square(x), -1, true);
  return tf.mul(tf.mul(x, inverseRoot(tf.add(square, epsilon))), gamma) as T;
}
