/**
 * Matrix product out of tfjs ops. tfjs's wasm kernel takes a naive path, ten times slower, as soon as an operand is
 * transposed, and so do its gradients: here operands are transposed first, in both directions.
 */
import * as tf from '@tensorflow/tfjs';
import { withGradient } from '../fused.js';

export function composedMatMul(
  a: tf.Tensor2D,
  b: tf.Tensor2D,
  transposeA: boolean,
  transposeB: boolean,
): tf.Tensor2D {
  return withGradient(
    [a, b],
    (inputs) => {
      const [x, y] = inputs as [tf.Tensor2D, tf.Tensor2D];
      return { value: product(x, y, transposeA, transposeB), saved: [x, y] };
    },
    (dy, saved) => {
      const [x, y, g] = [...saved, dy] as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
      return [
        transposeA ? product(y, g, transposeB, true) : product(g, y, false, !transposeB),
        transposeB ? product(g, x, true, transposeA) : product(x, g, !transposeA, false),
      ];
    },
  );
}

function product(a: tf.Tensor2D, b: tf.Tensor2D, transposeA: boolean, transposeB: boolean): tf.Tensor2D {
  return tf.tidy(() => tf.matMul(transposeA ? tf.transpose(a) : a, transposeB ? tf.transpose(b) : b));
}
