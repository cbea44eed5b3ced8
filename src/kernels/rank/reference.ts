/** Full ranking by its definition, float64: the rank of each user's target among all items. */

export interface RankInputs {
  /** [users, width] */
  hidden: ArrayLike<number>;
  /** [numItems, width]; row 0 is padding and no candidate. */
  items: ArrayLike<number>;
  width: number;
  /** [users] */
  targets: Int32Array;
  /** User u's history: historyItems[historyOffsets[u] .. historyOffsets[u + 1]). */
  historyOffsets: Int32Array;
  historyItems: Int32Array;
}

export interface Ranks {
  /** Among all items. */
  unmasked: Int32Array;
  /** Among the items that are not in the user's history (the target always takes part). */
  masked: Int32Array;
  /** Cross-entropy of each target over the whole table, padding's row too as in training: ln sum_i exp(h . w_i) - h . w_target, nats. */
  losses: Float32Array;
}

/** Rank = 1 + number of other items that score at least as high: ties count against the model, and so does NaN. */
export function ranksReference({
  hidden,
  items,
  width,
  targets,
  historyOffsets,
  historyItems,
}: RankInputs): Ranks {
  const numItems = items.length / width;
  const unmasked = new Int32Array(targets.length);
  const masked = new Int32Array(targets.length);
  const losses = new Float32Array(targets.length);
  for (let u = 0; u < targets.length; u++) {
    const history = new Set(historyItems.subarray(historyOffsets[u], historyOffsets[u + 1]));
    const score = (i: number) => {
      let dot = 0;
      for (let j = 0; j < width; j++) dot += hidden[u * width + j]! * items[i * width + j]!;
      return dot;
    };
    const own = score(targets[u]!);
    unmasked[u] = 1;
    masked[u] = 1;
    for (let i = 1; i < numItems; i++) {
      if (i === targets[u] || score(i) < own) continue;
      unmasked[u]!++;
      if (!history.has(i)) masked[u]!++;
    }
    const scores = Array.from({ length: numItems }, (_, i) => score(i));
    const largest = Math.max(...scores);
    losses[u] = largest + Math.log(scores.reduce((sum, s) => sum + Math.exp(s - largest), 0)) - own;
  }
  return { unmasked, masked, losses };
}
