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
  return readRanks([laterRanks(request)])[0]!;
}

/** Ranks that may still be computed, or where the values are. */
export type LaterRanks = Ranks | Record<keyof Ranks, tf.Tensor1D>;

/** The same without waiting for a GPU; to be read by readRanks, which gives the tensors back. */
export function laterRanks(request: RankRequest): LaterRanks {
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
    }) as unknown as tf.Tensor1D[];
    return {
      unmasked: tf.keep(unmasked!),
      masked: tf.keep(masked!),
      losses: tf.keep(losses ?? tensorLosses(hidden, items, targets)),
    };
  });
}

/** The values of all of them: one wait for a GPU for ranks and one for losses, whatever their number. */
export function readRanks(parts: readonly LaterRanks[]): Ranks[] {
  const waiting = parts.filter((part): part is Record<keyof Ranks, tf.Tensor1D> => !isRead(part));
  const take = (tensors: tf.Tensor1D[]) => {
    const values = tensors.length === 0 ? new Int32Array() : tf.tidy(() => tf.concat(tensors).dataSync());
    tf.dispose(tensors);
    let at = 0;
    return (n: number) => {
      at += n;
      return values.subarray(at - n, at);
    };
  };
  const ranks = take(waiting.flatMap(({ unmasked, masked }) => [unmasked, masked]));
  const losses = take(waiting.map((part) => part.losses));
  return parts.map((part) => {
    if (isRead(part)) return part;
    const { size } = part.unmasked;
    return {
      unmasked: ranks(size) as Int32Array,
      masked: ranks(size) as Int32Array,
      losses: losses(size) as Float32Array,
    };
  });
}

const isRead = (part: LaterRanks): part is Ranks => !(part.unmasked instanceof tf.Tensor);

/** Scores that a chunk of `tensorLosses` holds. */
const CHUNK_SCORES = 1 << 25;

/** Losses by tfjs's own ops, where the backend's kernel ranks alone. */
function tensorLosses(hidden: tf.Tensor2D, items: tf.Tensor2D, targets: Int32Array): tf.Tensor1D {
  const [numItems, width] = items.shape;
  const chunk = Math.max(1, Math.min(256, Math.floor(CHUNK_SCORES / numItems)));
  const parts: tf.Tensor1D[] = [];
  for (let from = 0; from < targets.length; from += chunk) {
    const n = Math.min(chunk, targets.length - from);
    const part = tf.tidy(() => {
      const rows = tf.slice(hidden, [from, 0], [n, width]);
      const scores = composedMatMul(rows, items, false, true);
      const own = tf.gather(items, tf.tensor1d(targets.slice(from, from + n), 'int32'));
      return tf.sub(tf.logSumExp(scores, 1), tf.sum(tf.mul(rows, own), 1)) as tf.Tensor1D;
    });
    parts.push(part);
  }
  return tf.concat(parts);
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
