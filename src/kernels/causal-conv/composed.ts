/** Causal depthwise convolution as a sum of delayed copies: plain tfjs ops (its own gradient kernels are missing on wasm). */
import * as tf from '@tensorflow/tfjs';
import { hardswish } from '../activation/hardswish.js';
import type { Activation, ConvInputs } from './inputs.js';

export function composedConv({ x, weight, bias, reset }: ConvInputs, activation: Activation): tf.Tensor3D {
  const [batch, length, channels] = x.shape;
  const width = weight.shape[1];
  const tap = (j: number) => tf.reshape(tf.slice(weight, [0, j], [channels, 1]), [channels]);
  let sum: tf.Tensor = tf.mul(x, tap(width - 1));
  // 1 where a tap of that delay stays within its own sequence.
  let reach = reset && tf.cast(tf.equal(reset, 0), 'float32');
  for (let delay = 1; delay < width && delay < length; delay++) {
    const earlier = tf.pad(tf.slice(x, [0, 0, 0], [batch, length - delay, channels]), [
      [0, 0],
      [delay, 0],
      [0, 0],
    ]);
    let term: tf.Tensor = tf.mul(earlier, tap(width - 1 - delay));
    if (reach) term = tf.mul(term, tf.expandDims(reach, 2));
    sum = tf.add(sum, term);
    if (reach && delay + 1 < width) {
      const begins = tf.cast(tf.equal(reset!, 0), 'float32') as tf.Tensor2D;
      const shifted = tf.pad(
        tf.slice(begins, [0, 0], [batch, length - delay]),
        [
          [0, 0],
          [delay, 0],
        ],
        1,
      );
      reach = tf.mul(reach, shifted);
    }
  }
  if (bias) sum = tf.add(sum, bias);
  if (activation === 'hardswish') return hardswish(sum) as tf.Tensor3D;
  return (activation === 'silu' ? tf.mul(sum, tf.sigmoid(sum)) : sum) as tf.Tensor3D;
}
