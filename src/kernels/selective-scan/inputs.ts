/** What the selective scan takes. */
import type * as tf from '@tensorflow/tfjs';

/**
 * Two forms of one op. Mamba-1: every channel has its own time step and every state its own decay. Mamba-2 (SSD, Dao and Gu
 * 2024): `groups` are heads, each of channels / heads channels side by side, which share a time step and one decay: A is
 * [heads]. Below, `groups` is `channels` in the first form and `heads` in the second.
 */
export interface ScanInputs {
  /** [batch, length, channels] */
  x: tf.Tensor3D;
  /** [batch, length, groups]: time steps before bias and softplus. */
  delta: tf.Tensor3D;
  /** [channels, states], or [heads]: one decay a head. Negative where the state shall decay. */
  A: tf.Tensor2D | tf.Tensor1D;
  /** [batch, length, states] */
  B: tf.Tensor3D;
  C: tf.Tensor3D;
  /** [groups]: the skip connection. */
  D?: tf.Tensor1D;
  /** [batch, length, channels]: the gate. */
  z?: tf.Tensor3D;
  /** [groups] */
  deltaBias?: tf.Tensor1D;
  /** int32 [batch, length]: not 0 where another sequence begins and the state starts anew. */
  reset?: tf.Tensor2D;
}
