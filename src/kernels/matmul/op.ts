/** Matrix products of the models: a product of two matrices, and a linear layer as PyTorch stores it. */
import * as tf from '@tensorflow/tfjs';
import { fusedOp, hasKernel } from '../fused.js';
import { assertShape } from '../shapes.js';
import { composedMatMul } from './composed.js';

/** op(a) [m, k] . op(b) [k, n] -> [m, n]. */
export function matMul(a: tf.Tensor2D, b: tf.Tensor2D, transposeA = false, transposeB = false): tf.Tensor2D {
  const k = a.shape[transposeA ? 0 : 1];
  assertShape('matMul: b', b, transposeB ? [b.shape[0], k] : [k, b.shape[1]]);
  if (!hasKernel('MatMul2D')) return composedMatMul(a, b, transposeA, transposeB);
  return fusedOp('MatMul2D', { a, b }, {}, { transposeA, transposeB });
}

/**
 * x . weight^T + bias over the last axis.
 * @param x [..., inputs]
 * @param weight [outputs, inputs]
 * @param bias [outputs]
 * @returns [..., outputs]
 */
export function linear<T extends tf.Tensor>(x: T, weight: tf.Tensor2D, bias?: tf.Tensor1D): T {
  const [outputs, inputs] = weight.shape;
  const flat = tf.reshape(x, [-1, inputs]) as tf.Tensor2D;
  assertShape('linear: bias', bias, [outputs]);
  const y = hasKernel('Linear')
    ? fusedOp('Linear', { x: flat, weight, bias }, {}, {})
    : bias
      ? tf.add(composedMatMul(flat, weight, false, true), bias)
      : composedMatMul(flat, weight, false, true);
  return tf.reshape(y, [...x.shape.slice(0, -1), outputs]) as T;
}
