/** Causal depthwise convolution over time, with bias and activation, that does not look back over a reset. */
import type * as tf from '@tensorflow/tfjs';
import { fusedOp, hasKernel } from '../fused.js';
import { assertShape } from '../shapes.js';
import { composedConv } from './composed.js';
import { ACTIVATIONS, type Activation, type ConvInputs } from './inputs.js';

export type { Activation, ConvInputs };

/** @returns [batch, length, channels]. */
export function causalConv(inputs: ConvInputs, activation: Activation): tf.Tensor3D {
  const [batch, length, channels] = inputs.x.shape;
  assertShape('causalConv: weight', inputs.weight, [channels, inputs.weight.shape[1]]);
  assertShape('causalConv: bias', inputs.bias, [channels]);
  assertShape('causalConv: reset', inputs.reset, [batch, length]);
  if (!hasKernel('CausalConv')) return composedConv(inputs, activation);
  const { x, weight, bias, reset } = inputs; // in the order of the kernel's gradients
  return fusedOp(
    'CausalConv',
    { x, weight, bias },
    { reset },
    {
      activation: ACTIVATIONS.indexOf(activation),
    },
  );
}
