/** Causal depthwise convolution over time, with bias and optional SiLU, that does not look back over a reset. */
import type * as tf from '@tensorflow/tfjs';
import { hasKernel } from '../backend.js';
import { fusedOp } from '../fused.js';
import { assertShape } from '../shapes.js';
import { composedConv } from './composed.js';

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

/** @returns [batch, length, channels]. */
export function causalConv(inputs: ConvInputs, options: { silu: boolean }): tf.Tensor3D {
  const [batch, length, channels] = inputs.x.shape;
  assertShape('causalConv: weight', inputs.weight, [channels, inputs.weight.shape[1]]);
  assertShape('causalConv: bias', inputs.bias, [channels]);
  assertShape('causalConv: reset', inputs.reset, [batch, length]);
  if (!hasKernel('CausalConv')) return composedConv(inputs, options.silu);
  const { x, weight, bias, reset } = inputs; // in the order of the kernel's gradients
  return fusedOp('CausalConv', { x, weight, bias }, { reset }, { silu: options.silu });
}
