/**
 * Embedding out of plain tfjs ops. tfjs differentiates gather by UnsortedSegmentSum, which its wasm backend lacks: there
 * the gradient is a product with one-hot rows, a chunk at a time.
 */
import * as tf from '@tensorflow/tfjs';
import { hasKernel, withGradient } from '../fused.js';
import { composedMatMul } from '../matmul/composed.js';

const CHUNK = 1024;

export function composedEmbedding(table: tf.Tensor2D, indices: tf.Tensor1D): tf.Tensor2D {
  if (hasKernel('UnsortedSegmentSum')) return tf.gather(table, indices);
  const [rows, width] = table.shape;
  return withGradient(
    [table],
    ([rowsOf]) => ({ value: tf.gather(rowsOf!, indices), saved: [indices] }),
    (dy, [at]) => [
      tf.tidy(() => {
        let sum: tf.Tensor2D = tf.zeros([rows, width]);
        for (let from = 0; from < at!.shape[0]!; from += CHUNK) {
          const n = Math.min(CHUNK, at!.shape[0]! - from);
          const picks = tf.cast(
            tf.oneHot(tf.slice(at as tf.Tensor1D, from, n), rows),
            'float32',
          ) as tf.Tensor2D;
          sum = tf.add(
            sum,
            composedMatMul(picks, tf.slice(dy as tf.Tensor2D, [from, 0], [n, width]), true, false),
          );
        }
        return sum;
      }),
    ],
  );
}
