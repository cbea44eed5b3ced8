/** Ranking metrics from ranks, with one relevant item a user: HR@K, NDCG@K = 1 / log2(rank + 1), MRR@K truncated. */
import { UserError } from '../../util/errors.js';
import type { Metrics } from '../result.js';

/** Means over users of every metric at every K. */
export function metricsOfRanks(ranks: ArrayLike<number>, ks: readonly number[]): Metrics {
  const metrics: Metrics = {};
  for (const k of ks) {
    let hits = 0;
    let gain = 0;
    let reciprocal = 0;
    for (let u = 0; u < ranks.length; u++) {
      const rank = ranks[u]!;
      if (rank > k) continue;
      hits++;
      gain += 1 / Math.log2(rank + 1);
      reciprocal += 1 / rank;
    }
    metrics[`hr@${k}`] = hits / ranks.length;
    metrics[`ndcg@${k}`] = gain / ranks.length;
    metrics[`mrr@${k}`] = reciprocal / ranks.length;
  }
  return metrics;
}

/**
 * The K of a metric's name.
 * @throws UserError for anything but `hr@K`, `ndcg@K`, `mrr@K`.
 */
export function parseMetric(name: string): number {
  const match = /^(hr|ndcg|mrr)@([1-9][0-9]*)$/.exec(name);
  if (!match)
    throw new UserError(`'${name}' is not a metric`, {
      remedy: 'Use hr@K, ndcg@K or mrr@K, for instance ndcg@10.',
    });
  return Number(match[2]);
}
