/** Cross-entropy over all items out of plain tfjs ops: holds [rows, items] whole, unlike the fused kernels. */
import * as tf from '@tensorflow/tfjs';
import { composedMatMul } from '../matmul/composed.js';

export function composedCrossEntropy(
  hidden: tf.Tensor2D,
  items: tf.Tensor2D,
  targets: Int32Array,
): tf.Scalar {
  const logits = composedMatMul(hidden, items, false, true);
  const chosen = Int32Array.from(targets, (target) => Math.max(target, 0));
  const weights = Float32Array.from(targets, (target) => (target < 0 ? 0 : 1));
  const count = weights.reduce((a, b) => a + b, 0);
  const own = tf.sum(tf.mul(logits, tf.oneHot(tf.tensor1d(chosen, 'int32'), items.shape[0])), 1);
  const losses = tf.sub(tf.logSumExp(logits, 1), own);
  return tf.div(tf.sum(tf.mul(losses, tf.tensor1d(weights))), count) as tf.Scalar;
}
