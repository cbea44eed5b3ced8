/** What the causal convolution takes. */
import type * as tf from '@tensorflow/tfjs';

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
