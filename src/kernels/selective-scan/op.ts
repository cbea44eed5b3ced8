/**
 * The selective scan as one differentiable op: the core of every model.
 *
 *   dt = softplus(delta + bias);  h_t = exp(dt_t A) h_{t-1} + dt_t B_t x_t;  y_t = (C_t . h_t + D x_t) SiLU(z_t)
 *
 * for every channel and every state, or with one decay for all channels and states of a head, on whatever backend is open:
 * fused where it has the kernel, composed elsewhere.
 * Source: Gu and Dao, "Mamba" (2312.00752); slow float64 definition in reference.ts.
 */
import type * as tf from '@tensorflow/tfjs';
import { fusedOp, hasKernel } from '../fused.js';
import { assertShape } from '../shapes.js';
import { composedScan } from './composed.js';
import { composedHeadScan } from './composed-heads.js';
import type { ScanInputs } from './inputs.js';

export type { ScanInputs };

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
