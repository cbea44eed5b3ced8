/** Causal depthwise convolution by its definition, float64: y[t, c] = act(b[c] + sum_j w[c, j] x[t - (k - 1) + j, c]). */
import { hardswishReference } from '../activation/reference.js';
import { silu } from '../selective-scan/reference.js';
import type { Activation } from './inputs.js';

const ACTIVATION = { none: (v: number) => v, silu, hardswish: hardswishReference };

/** x, y: [batch, length, channels]; weight: [channels, width]; bias: [channels]; reset: [batch, length]. */
export function causalConvReference(
  { batch, length, channels, width }: { batch: number; length: number; channels: number; width: number },
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number> | undefined,
  options: { activation: Activation; reset?: ArrayLike<number> },
): Float64Array {
  const y = new Float64Array(batch * length * channels);
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++)
      for (let t = 0; t < length; t++) {
        let sum = bias?.[c] ?? 0;
        // Backwards from the present tap, until the beginning of the sequence.
        for (let j = width - 1, s = t; j >= 0 && s >= 0; j--, s--) {
          sum += weight[c * width + j]! * x[(b * length + s) * channels + c]!;
          if (options.reset?.[b * length + s]) break;
        }
        y[(b * length + t) * channels + c] = ACTIVATION[options.activation](sum);
      }
  return y;
}
