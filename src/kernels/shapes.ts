/** Checks at the doors of the ops: a wrong shape is named here, not found later in wrong numbers. */
import type * as tf from '@tensorflow/tfjs';

/** @throws Error when a tensor is present and its shape is another one. */
export function assertShape(what: string, tensor: tf.Tensor | undefined, shape: number[]): void {
  if (!tensor) return;
  const same = tensor.shape.length === shape.length && tensor.shape.every((n, i) => n === shape[i]);
  if (!same)
    throw new Error(`${what} has shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}]`);
}

/** Number of elements. */
export function sizeOf(tensor: tf.TensorInfo): number {
  return tensor.shape.reduce((product, n) => product * n, 1);
}
