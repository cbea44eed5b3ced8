/** Leave-one-out: a user's last item is the test target, the one before it the validation target. */
import type { Interactions, Sequences } from './interactions.js';

/** Parallel arrays over the evaluated users (those with at least three events). */
export interface Split {
  /** Every user's events without the two held out (users with fewer than three keep all). */
  train: Sequences;
  /** User index of each evaluated user. */
  evaluated: Int32Array;
  /** Target item of each evaluated user. */
  validation: Int32Array;
  test: Int32Array;
}

/**
 * Splits every history of at least three events: the last is the test target, the one before it the validation target. Shorter
 * histories are trained on and never evaluated.
 */
export function leaveOneOut(interactions: Interactions): Split {
  const { numUsers, offsets, items, timestamps } = interactions;
  const isEvaluated = (u: number) => offsets[u + 1]! - offsets[u]! >= 3;
  let numEvaluated = 0;
  for (let u = 0; u < numUsers; u++) if (isEvaluated(u)) numEvaluated++;
  const evaluated = new Int32Array(numEvaluated);
  const validation = new Int32Array(numEvaluated);
  const test = new Int32Array(numEvaluated);
  const trainOffsets = new Int32Array(numUsers + 1);
  const numTokens = offsets[numUsers]! - 2 * numEvaluated;
  const trainItems = new Int32Array(numTokens);
  const trainTimes = timestamps && new Float64Array(numTokens);
  let e = 0;
  let at = 0;
  for (let u = 0; u < numUsers; u++) {
    let end = offsets[u + 1]!;
    if (isEvaluated(u)) {
      end -= 2;
      evaluated[e] = u;
      validation[e] = items[end]!;
      test[e] = items[end + 1]!;
      e++;
    }
    trainItems.set(items.subarray(offsets[u]!, end), at);
    if (trainTimes && timestamps) trainTimes.set(timestamps.subarray(offsets[u]!, end), at);
    at += end - offsets[u]!;
    trainOffsets[u + 1] = at;
  }
  const users = Int32Array.from({ length: numUsers }, (_, u) => u);
  return {
    train: { users, offsets: trainOffsets, items: trainItems, timestamps: trainTimes },
    evaluated,
    validation,
    test,
  };
}
