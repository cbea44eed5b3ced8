/**
 * The selective scan as one differentiable op: the core of every model.
 *
 *   dt = softplus(delta + bias);  h_t = exp(dt_t A) h_{t-1} + dt_t B_t x_t;  y_t = (C_t . h_t + D x_t) SiLU(z_t)
 *
 * for every channel and every state, or with one decay for all channels and states of a head, on whatever backend is open: fused where it has the kernel, composed elsewhere.
 * Source: Gu and Dao, "Mamba" (2312.00752); slow float64 definition in reference.ts.
 */
import type * as tf from '@tensorflow/tfjs';
import { hasKernel } from '../backend.js';
import { fusedOp } from '../fused.js';
import { assertShape } from '../shapes.js';
import { composedScan } from './composed.js';
import { composedHeadScan } from './composed-heads.js';

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

/**
 * @param deltaSoftplus whether dt = softplus(delta + bias) or delta + bias.
 * @returns y [batch, length, channels].
 * @throws Error when shapes do not fit.
 */
export function selectiveScan(inputs: ScanInputs, deltaSoftplus: boolean): tf.Tensor3D {
  checkShapes(inputs);
  const kernel = inputs.A.rank === 1 ? 'HeadScan' : 'SelectiveScan';
  if (!hasKernel(kernel))
    return inputs.A.rank === 1
      ? composedHeadScan(inputs, deltaSoftplus)
      : composedScan(inputs, deltaSoftplus);
  const { x, delta, A, B, C, D, z, deltaBias, reset } = inputs; // in the order of the kernel's gradients
  return fusedOp(kernel, { x, delta, A, B, C, D, z, deltaBias }, { reset }, { deltaSoftplus });
}

function checkShapes({ x, delta, A, B, C, D, z, deltaBias, reset }: ScanInputs): void {
  const [batch, length, channels] = x.shape;
  const perHead = A.rank === 1;
  const states = perHead ? B.shape[2] : A.shape[1]!;
  const groups = perHead ? A.shape[0] : channels;
  if (channels % groups !== 0)
    throw new Error(`selectiveScan: ${groups} heads do not divide ${channels} channels`);
  assertShape('selectiveScan: delta', delta, [batch, length, groups]);
  if (!perHead) assertShape('selectiveScan: A', A, [channels, states]);
  assertShape('selectiveScan: B', B, [batch, length, states]);
  assertShape('selectiveScan: C', C, [batch, length, states]);
  assertShape('selectiveScan: D', D, [groups]);
  assertShape('selectiveScan: z', z, [batch, length, channels]);
  assertShape('selectiveScan: deltaBias', deltaBias, [groups]);
  assertShape('selectiveScan: reset', reset, [batch, length]);
}
