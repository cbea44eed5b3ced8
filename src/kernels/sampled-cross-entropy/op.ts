/**
 * Sampled softmax cross-entropy, fused with the output projection: the sum over all items becomes the target's term and a
 * sample's, each weighted by the inverse of the number of times it was to be expected ("logQ correction": Bengio and
 * Senecal, 2008; Jean et al., 2015, arXiv 1412.2007). The target's term is certain and therefore not corrected; a sampled
 * item that is the target of a row (an accidental hit) does not count in that row. The estimated sum is unbiased.
 */
import * as tf from '@tensorflow/tfjs';
import { hasKernel, withGradient } from '../fused.js';
import { assertShape } from '../shapes.js';
import { composedSampledCrossEntropy } from './composed.js';

/** One sample of items that all rows share. */
export interface SampledItems {
  /** [k]: rows of the item table. */
  items: Int32Array;
  /** [k]: logarithm of the number of times that each was to be expected in the sample; 0 for one that is always in it. */
  logExpected: Float32Array;
}

/**
 * Mean over the counted rows of ln(exp(h . w_target) + sum_j exp(h . w_j - logExpected_j)) - h . w_target, in nats.
 * @param hidden [rows, width]
 * @param items [numItems, width]
 * @param targets [rows]; a negative target leaves its row out.
 * @throws Error when no row counts.
 */
export function sampledCrossEntropy(
  hidden: tf.Tensor2D,
  items: tf.Tensor2D,
  targets: Int32Array,
  sample: SampledItems,
): tf.Scalar {
  assertShape('sampledCrossEntropy: hidden', hidden, [targets.length, items.shape[1]]);
  const positions = Int32Array.from(targets.keys()).filter((row) => targets[row]! >= 0);
  if (positions.length === 0) throw new Error('sampledCrossEntropy: no row has a target');
  if (!hasKernel('SampledCrossEntropy'))
    return composedSampledCrossEntropy(hidden, items, targets, sample.items, sample.logExpected);
  return withGradient(
    [hidden, items],
    ([h, w]) => {
      const ints = (values: Int32Array) => tf.tensor1d(values, 'int32');
      // The kernel returns the loss together with both gradients: they cost less with it than after it.
      const [loss, dHidden, dItems] = tf.engine().runKernel('SampledCrossEntropy', {
        hidden: h!,
        items: w!,
        targets: ints(targets),
        positions: ints(positions),
        negatives: ints(sample.items),
        offsets: tf.tensor1d(sample.logExpected),
      }) as unknown as tf.Tensor[];
      return { value: loss!, saved: [dHidden!, dItems!] };
    },
    (dy, saved) => saved.map((gradient) => tf.mul(gradient, dy)),
  );
}
