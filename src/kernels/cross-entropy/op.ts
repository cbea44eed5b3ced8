/** Softmax cross-entropy over all items, fused with the output projection: logits = hidden . items^T. */
import * as tf from '@tensorflow/tfjs';
import { hasKernel, withGradient } from '../fused.js';
import { assertShape } from '../shapes.js';
import { composedCrossEntropy } from './composed.js';

/**
 * Mean over the counted rows of ln sum_i exp(h . w_i) - h . w_target, in nats. The padding item's row takes part, as in the
 * published code.
 * @param hidden [rows, width]
 * @param items [numItems, width]
 * @param targets [rows]; a negative target leaves its row out.
 * @throws Error when no row counts.
 */
export function linearCrossEntropy(hidden: tf.Tensor2D, items: tf.Tensor2D, targets: Int32Array): tf.Scalar {
  assertShape('linearCrossEntropy: hidden', hidden, [targets.length, items.shape[1]]);
  const positions = countedPositions(targets);
  if (positions.length === 0) throw new Error('linearCrossEntropy: no row has a target');
  if (!hasKernel('LinearCrossEntropy')) return composedCrossEntropy(hidden, items, targets);
  return withGradient(
    [hidden, items],
    ([h, w]) => {
      const constants = {
        targets: tf.tensor1d(targets, 'int32'),
        positions: tf.tensor1d(positions, 'int32'),
      };
      // The kernel returns the loss together with both gradients: they cost less with it than after it.
      const inputs = { hidden: h!, items: w!, ...constants };
      const [loss, dHidden, dItems] = tf
        .engine()
        .runKernel('LinearCrossEntropy', inputs) as unknown as tf.Tensor[];
      return { value: loss!, saved: [dHidden!, dItems!] };
    },
    (dy, saved) => saved.map((gradient) => tf.mul(gradient, dy)),
  );
}

/** The rows that have a target, ascending. */
function countedPositions(targets: Int32Array): Int32Array {
  const positions = new Int32Array(targets.length);
  let count = 0;
  for (let row = 0; row < targets.length; row++) if (targets[row]! >= 0) positions[count++] = row;
  return positions.slice(0, count);
}
