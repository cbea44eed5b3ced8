/** What the kernels of matrix products share: gradients as products, whatever computes these, and inputs in a list. */
import type * as tf from '@tensorflow/tfjs';

/** op(a) op(b), where op transposes or leaves as it is. */
export type Product = (
  a: tf.TensorInfo,
  transposeA: boolean,
  b: tf.TensorInfo,
  transposeB: boolean,
) => tf.TensorInfo;

/** dL/da and dL/db of y = op(a) op(b), given dy = dL/dy. */
export function productGradients(
  product: Product,
  { a, b, dy }: tf.NamedTensorInfoMap,
  attrs: tf.NamedAttrMap,
): [tf.TensorInfo, tf.TensorInfo] {
  const transposeA = attrs['transposeA'] as boolean;
  const transposeB = attrs['transposeB'] as boolean;
  return [
    transposeA ? product(b!, transposeB, dy!, true) : product(dy!, false, b!, !transposeB),
    transposeB ? product(dy!, true, a!, transposeA) : product(a!, !transposeA, dy!, false),
  ];
}

/** The inputs that have numbers for names, in order. */
export function listed(inputs: tf.NamedTensorInfoMap): tf.TensorInfo[] {
  return Object.keys(inputs)
    .sort((a, b) => Number(a) - Number(b))
    .map((name) => inputs[name]!);
}
