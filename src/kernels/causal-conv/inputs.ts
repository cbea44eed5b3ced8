/** What the causal convolution takes. */
import type * as tf from '@tensorflow/tfjs';

/** What is applied to its sums; as numbers for the kernels, by their places. */
export const ACTIVATIONS = ['none', 'silu', 'hardswish'] as const;
export type Activation = (typeof ACTIVATIONS)[number];

export interface ConvInputs {
  /** [batch, length, channels] */
  x: tf.Tensor3D;
  /** [channels, width]; the last column is the present step's. */
  weight: tf.Tensor2D;
  /** [channels] */
  bias?: tf.Tensor1D;
  /** int32 [batch, length]: not 0 where another sequence begins. */
  reset?: tf.Tensor2D;
}
