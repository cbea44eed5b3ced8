/**
 * Hardswish, x relu6(x + 3) / 6 (Howard et al. 2019), with its slope in closed form: 0 below -3, 1 above 3, x / 3 + 1/2
 * between. Fused on wasm; elsewhere plain tfjs ops, two passes over the data in either direction.
 */
import * as tf from '@tensorflow/tfjs';
import { fusedOp, hasKernel, withGradient } from '../fused.js';

/** Elementwise; keeps the shape. */
export function hardswish<T extends tf.Tensor>(x: T): T {
  if (hasKernel('Hardswish')) return fusedOp<T>('Hardswish', { x }, {}, {});
  return withGradient<T>(
    [x],
    ([v]) => ({
      value: tf.mul(v!, tf.clipByValue(tf.add(tf.mul(v!, 1 / 6), 0.5), 0, 1)),
      saved: [v!],
    }),
    (dy, [v]) => [
      tf.tidy(() => {
        // relu6(v + 3) / 6 + v / 6 where |v| < 3; outside, the first term alone is the slope.
        const inside = tf.cast(tf.less(tf.abs(v!), 3), 'float32');
        const flat = tf.clipByValue(tf.add(tf.mul(v!, 1 / 6), 0.5), 0, 1);
        return tf.mul(dy, tf.add(flat, tf.mul(inside, tf.mul(v!, 1 / 6))));
      }),
    ],
  );
}
