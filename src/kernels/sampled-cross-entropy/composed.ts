/** Sampled cross-entropy out of plain tfjs ops: holds [rows, negatives] whole, unlike the fused kernel. */
import * as tf from '@tensorflow/tfjs';
import { composedEmbedding } from '../embedding/composed.js';
import { composedMatMul } from '../matmul/composed.js';

/** Stands for minus infinity: exp gives 0 in single precision, and differences stay finite. */
const NOTHING = -1e30;

export function composedSampledCrossEntropy(
  hidden: tf.Tensor2D,
  items: tf.Tensor2D,
  targets: Int32Array,
  negatives: Int32Array,
  offsets: Float32Array,
): tf.Scalar {
  const chosen = tf.tensor1d(
    targets.map((target) => Math.max(target, 0)),
    'int32',
  );
  const counted = Float32Array.from(targets, (target) => (target < 0 ? 0 : 1));
  const sampled = tf.tensor1d(negatives, 'int32');
  const own = tf.sum(tf.mul(hidden, composedEmbedding(items, chosen)), 1, true);
  const scores = composedMatMul(hidden, composedEmbedding(items, sampled), false, true);
  const isTarget = tf.equal(tf.expandDims(chosen, 1), tf.expandDims(sampled, 0));
  const others = tf.where(isTarget, NOTHING, tf.sub(scores, tf.tensor1d(offsets)));
  const losses = tf.sub(tf.logSumExp(tf.concat([own, others], 1), 1), tf.squeeze(own, [1]));
  const count = counted.reduce((a, b) => a + b, 0);
  return tf.div(tf.sum(tf.mul(losses, tf.tensor1d(counted))), count) as tf.Scalar;
}
