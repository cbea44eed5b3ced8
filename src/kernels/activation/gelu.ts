/** GELU, exact by the error function (Hendrycks and Gimpel 2016), as the published models use it. */
import * as tf from '@tensorflow/tfjs';
import { fusedOp, hasKernel } from '../fused.js';

/** Elementwise; keeps the shape. */
export function gelu<T extends tf.Tensor>(x: T): T {
  if (hasKernel('GeluErf')) return fusedOp<T>('GeluErf', { x }, {}, {});
  return tf.mul(x, tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5)) as T;
}
