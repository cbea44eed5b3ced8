/** Rank and loss of each user's target in a full ranking over all items, with and without the user's history among them. */
import * as tf from '@tensorflow/tfjs';
import { hasKernel } from '../fused.js';
import { composedMatMul } from '../matmul/composed.js';
import { assertShape } from '../shapes.js';
import type { Ranks } from './reference.js';

export interface RankRequest {
  /** [users, width] */
  hidden: tf.Tensor2D;
  /** [numItems, width]; row 0 is padding and no candidate. */
  items: tf.Tensor2D;
  /** [users] */
  targets: Int32Array;
  /** User u's history: historyItems[historyOffsets[u] .. historyOffsets[u + 1]). */
  historyOffsets: Int32Array;
  historyItems: Int32Array;
}

/** Ranks from 1; ties, and scores that are not numbers, count against the model. */
export function targetRanks(request: RankRequest): Ranks {
  const { hidden, items, targets, historyOffsets, historyItems } = request;
  assertShape('targetRanks: hidden', hidden, [targets.length, items.shape[1]]);
  if (!hasKernel('TargetRanks')) return composedRanks(request);
  return tf.tidy(() => {
    const ints = (values: Int32Array) => tf.tensor1d(values, 'int32');
    const [unmasked, masked, losses] = tf.engine().runKernel('TargetRanks', {
      hidden,
      items,
      targets: ints(targets),
      historyOffsets: ints(historyOffsets),
      historyItems: ints(historyItems.length > 0 ? historyItems : new Int32Array(1)),
    }) as unknown as tf.Tensor[];
    return {
      unmasked: unmasked!.dataSync() as Int32Array,
      masked: masked!.dataSync() as Int32Array,
      losses: losses ? (losses.dataSync() as Float32Array) : tensorLosses(hidden, items, targets),
    };
  });
}

/** Scores that a chunk of `tensorLosses` holds. */
const CHUNK_SCORES = 1 << 25;

/** Losses by tfjs's own ops, where the backend's kernel ranks alone. */
function tensorLosses(hidden: tf.Tensor2D, items: tf.Tensor2D, targets: Int32Array): Float32Array {
  const [numItems, width] = items.shape;
  const losses = new Float32Array(targets.length);
  const chunk = Math.max(1, Math.min(256, Math.floor(CHUNK_SCORES / numItems)));
  for (let from = 0; from < targets.length; from += chunk) {
    const n = Math.min(chunk, targets.length - from);
    const part = tf.tidy(() => {
      const rows = tf.slice(hidden, [from, 0], [n, width]);
      const scores = composedMatMul(rows, items, false, true);
      const own = tf.sum(
        tf.mul(rows, tf.gather(items, tf.tensor1d(targets.slice(from, from + n), 'int32'))),
        1,
      );
      return tf.sub(tf.logSumExp(scores, 1), own).dataSync();
    });
    losses.set(part, from);
  }
  return losses;
}

const CHUNK = 256;

/** Scores by tfjs, counting in JavaScript. */
function composedRanks({ hidden, items, targets, historyOffsets, historyItems }: RankRequest): Ranks {
  const [numItems, width] = items.shape;
  const unmasked = new Int32Array(targets.length);
  const masked = new Int32Array(targets.length);
  const losses = new Float32Array(targets.length);
  const seenBy = new Int32Array(numItems);
  for (let from = 0; from < targets.length; from += CHUNK) {
    const n = Math.min(CHUNK, targets.length - from);
    const scores = tf.tidy(() =>
      composedMatMul(tf.slice(hidden, [from, 0], [n, width]), items, false, true).dataSync(),
    );
    for (let i = 0; i < n; i++) {
      const u = from + i;
      const row = scores.subarray(i * numItems, (i + 1) * numItems);
      const own = row[targets[u]!]!;
      let above = 0;
      for (let item = 1; item < numItems; item++) if (item !== targets[u] && !(row[item]! < own)) above++;
      let seenAbove = 0;
      for (let k = historyOffsets[u]!; k < historyOffsets[u + 1]!; k++) {
        const item = historyItems[k]!;
        if (item === targets[u] || seenBy[item] === u + 1) continue;
        seenBy[item] = u + 1;
        if (!(row[item]! < own)) seenAbove++;
      }
      unmasked[u] = 1 + above;
      masked[u] = 1 + above - seenAbove;
      let largest = Number.NEGATIVE_INFINITY;
      for (let item = 0; item < numItems; item++) if (row[item]! > largest) largest = row[item]!;
      let total = 0;
      for (let item = 0; item < numItems; item++) total += Math.exp(row[item]! - largest);
      losses[u] = largest + Math.log(total) - own;
    }
  }
  return { unmasked, masked, losses };
}
