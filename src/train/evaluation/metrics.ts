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

/** The mean of losses, in double precision. */
export function meanLoss(losses: Float32Array): number {
  let sum = 0;
  for (const loss of losses) sum += loss;
  return sum / losses.length;
}

/** The standard error of `meanLoss`; 0 where there is one user only. */
export function lossError(losses: Float32Array): number {
  const [n, mean] = [losses.length, meanLoss(losses)];
  let squares = 0;
  for (const loss of losses) squares += (loss - mean) ** 2;
  return n < 2 ? 0 : Math.sqrt(squares / (n - 1) / n);
}

/** What one user adds to the mean that a metric is: by its rank, 0 where the target is not among the first K. */
export function gainOf(metric: string): (rank: number) => number {
  const k = parseMetric(metric);
  const kind = metric.slice(0, metric.indexOf('@'));
  if (kind === 'hr') return (rank) => (rank > k ? 0 : 1);
  if (kind === 'mrr') return (rank) => (rank > k ? 0 : 1 / rank);
  return (rank) => (rank > k ? 0 : 1 / Math.log2(rank + 1));
}

/**
 * Standard errors of `metricsOfRanks`: how far a mean over other users like these would lie from this one, as a rule. Standard
 * deviation over the users by the square root of their number; 0 where there is one user only.
 */
export function standardErrors(ranks: ArrayLike<number>, ks: readonly number[]): Metrics {
  const errors: Metrics = {};
  const n = ranks.length;
  for (const k of ks)
    for (const name of [`hr@${k}`, `ndcg@${k}`, `mrr@${k}`]) {
      const gain = gainOf(name);
      let sum = 0;
      let squares = 0;
      for (let u = 0; u < n; u++) {
        const rank = ranks[u]!;
        if (rank > k) continue;
        const value = gain(rank);
        sum += value;
        squares += value * value;
      }
      errors[name] = n < 2 ? 0 : Math.sqrt(Math.max(0, squares - (sum * sum) / n) / (n - 1) / n);
    }
  return errors;
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
