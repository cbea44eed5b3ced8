/**
 * A linear layer whose outputs are wanted in parts, as the projections of the Mamba blocks are. One op: the parts are never
 * cut out of a whole, on the way back neither the input's gradient nor the weight's is put together from pieces.
 */
import * as tf from '@tensorflow/tfjs';
import { hasKernel } from '../fused.js';
import { assertShape } from '../shapes.js';
import { linear } from './op.js';

const KERNEL = 'SplitLinear';

/** Several outputs need a gradient in tfjs's registry: an op with a gradient of its own may have one output only. */
tf.registerGradient({
  kernelName: KERNEL,
  saveAllInputs: true,
  gradFunc: (dy, saved) => {
    const [x, weight, bias] = saved as [tf.Tensor, tf.Tensor, tf.Tensor | undefined];
    const inputs = { x, weight, ...(bias && { bias }), ...[dy].flat() };
    // All at once, before any is asked for: what a first call made besides its own would not outlive the call.
    const gradients = tf
      .engine()
      .runKernel(`${KERNEL}Grad`, inputs as unknown as tf.NamedTensorMap) as unknown as tf.Tensor[];
    return Object.fromEntries(gradients.map((gradient, i) => [i, () => gradient]));
  },
});

/**
 * The columns of x . weight^T + bias in parts.
 * @param x [rows, inputs]
 * @param weight [outputs, inputs]
 * @param bias [outputs]
 * @param parts their widths, which add up to outputs.
 * @returns [rows, width] for each part.
 */
export function splitLinear(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  bias: tf.Tensor1D | undefined,
  parts: number[],
): tf.Tensor2D[] {
  const outputs = parts.reduce((sum, width) => sum + width, 0);
  assertShape('splitLinear: weight', weight, [outputs, x.shape[1]]);
  assertShape('splitLinear: bias', bias, [outputs]);
  if (hasKernel(KERNEL)) {
    const inputs = bias ? [x, weight, bias] : [x, weight];
    return tf
      .engine()
      .runKernel(KERNEL, inputs as unknown as tf.NamedTensorMap, { parts }) as unknown as tf.Tensor2D[];
  }
  if (parts.length === 1) return [linear(x, weight, bias)];
  // Elsewhere the weights are cut, not the outputs: weights are small, activations are not.
  const weights = tf.split(weight, parts, 0) as tf.Tensor2D[];
  const biases = bias ? (tf.split(bias, parts) as tf.Tensor1D[]) : [];
  return weights.map((part, i) => linear(x, part, biases[i]));
}
