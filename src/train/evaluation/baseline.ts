/** The popularity baseline: items ranked by how often the slice's training histories hold them. What any model must beat. */
import type { Interactions, Sequences } from '../../data/interactions.js';
import { type SliceSpec, sliceSequences } from '../../data/slice.js';
import { type SplitSpec, splitInteractions } from '../../data/split.js';
import type { EvaluationConfig } from '../config.js';
import type { RankingMetrics } from '../result.js';
import { type EvaluationSet, evaluationSet } from './evaluation-set.js';
import { metricsOfRanks } from './metrics.js';

/** Validation and test metrics of ranking by popularity, ties broken against it as against a model. */
export function popularityBaseline(
  data: Interactions,
  slice: SliceSpec,
  evaluation: EvaluationConfig,
  splitSpec?: SplitSpec,
): { validation: RankingMetrics; test: RankingMetrics } {
  const split = splitInteractions(data, splitSpec);
  const counts = itemCounts(sliceSequences(split.train, slice), data.numItems);
  const rank = (part: 'validation' | 'test') =>
    rankByCount(counts, evaluationSet(data, split, part, evaluation), evaluation);
  return { validation: rank('validation'), test: rank('test') };
}

/** How often the sequences hold each item, [numItems + 1]. */
export function itemCounts({ offsets, items, users }: Sequences, numItems: number): Int32Array {
  const counts = new Int32Array(numItems + 1);
  for (let i = 0; i < offsets[users.length]!; i++) counts[items[i]!]!++;
  return counts;
}

/** Cross-entropy of guessing each item by its share of the training histories, every count one higher so that none is 0. */
function countLoss(counts: Int32Array, targets: Int32Array): number {
  const total = counts.reduce((a, b) => a + b, 0) + counts.length - 1;
  let sum = 0;
  for (const target of targets) sum += Math.log(total / (counts[target]! + 1));
  return sum / targets.length;
}

function rankByCount(counts: Int32Array, set: EvaluationSet, evaluation: EvaluationConfig): RankingMetrics {
  // Items with at least as many occurrences as a given one, by binary search in the sorted counts.
  const sorted = counts.slice(1).sort();
  const atLeast = (count: number) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < count) low = middle + 1;
      else high = middle;
    }
    return sorted.length - low;
  };
  const users = set.targets.length;
  const unmasked = new Int32Array(users);
  const masked = new Int32Array(users);
  const seenBy = new Int32Array(counts.length).fill(-1);
  for (let u = 0; u < users; u++) {
    const target = set.targets[u]!;
    unmasked[u] = atLeast(counts[target]!);
    let seenAbove = 0;
    for (let i = set.begins[u]!; i < set.ends[u]!; i++) {
      const item = set.items[i]!;
      if (item === target || seenBy[item] === u) continue;
      seenBy[item] = u;
      if (counts[item]! >= counts[target]!) seenAbove++;
    }
    masked[u] = unmasked[u]! - seenAbove;
  }
  return {
    masked: metricsOfRanks(masked, evaluation.ks),
    unmasked: metricsOfRanks(unmasked, evaluation.ks),
    loss: countLoss(counts, set.targets),
  };
}
