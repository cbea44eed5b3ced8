/**
 * Full-ranking evaluation: every evaluated user's target among all items, with and without the user's history among the
 * candidates. Histories are packed as in training; a metric does not depend on how.
 */
import * as tf from '@tensorflow/tfjs';
import { embedding } from '../../kernels/embedding/op.js';
import { targetRanks } from '../../kernels/rank/op.js';
import type { SequenceModel } from '../../model/model.js';
import type { EvaluationConfig } from '../config.js';
import type { RankingMetrics } from '../result.js';
import { assemble, packRows, type Window } from '../step/batches.js';
import type { EvaluationSet } from './evaluation-set.js';
import { metricsOfRanks } from './metrics.js';
import type { UserRanks } from './ranks.js';

/** Rows a pass; bounds memory, changes no number. */
const ROWS = 32;

/** The rank of every target, by user, with the model as it stands. */
export type TargetRanks = Pick<UserRanks, 'masked' | 'unmasked'>;

/** Ranks every target with the model as it stands, and takes the means. */
export function evaluateModel(
  model: SequenceModel,
  set: EvaluationSet,
  config: EvaluationConfig,
): RankingMetrics {
  return rankingMetrics(rankTargets(model, set), config);
}

export function rankingMetrics({ masked, unmasked }: TargetRanks, { ks }: EvaluationConfig): RankingMetrics {
  return { masked: metricsOfRanks(masked, ks), unmasked: metricsOfRanks(unmasked, ks) };
}

/** Ranks every target of the set, in its order. */
export function rankTargets(model: SequenceModel, set: EvaluationSet): TargetRanks {
  const users = set.targets.length;
  const length = model.config.maxLength;
  const windows: (Window & { user: number })[] = Array.from({ length: users }, (_, user) => {
    const n = Math.min(length, set.ends[user]! - set.begins[user]!);
    return { user, start: set.ends[user]! - n, length: n };
  });
  const rows = packRows(windows, length) as (Window & { user: number })[][];
  const unmasked = new Int32Array(users);
  const masked = new Int32Array(users);
  for (let from = 0; from < rows.length; from += ROWS) {
    const part = rows.slice(from, from + ROWS);
    const batch = assemble(set.items, part, length, 'last', set.timestamps);
    const ids: number[] = [];
    const last: number[] = [];
    part.forEach((row, r) => {
      let at = r * length;
      for (const window of row) {
        at += window.length;
        ids.push(window.user);
        last.push(at - 1);
      }
    });
    tf.tidy(() => {
      const hidden = embedding(model.hidden(batch), tf.tensor1d(last, 'int32'));
      const ranks = targetRanks({ hidden, items: model.itemTable(), ...histories(set, ids) });
      ids.forEach((user, i) => {
        unmasked[user] = ranks.unmasked[i]!;
        masked[user] = ranks.masked[i]!;
      });
    });
  }
  return { masked, unmasked };
}

/** Whole histories (not only the model's window) of some users, in compressed rows. */
function histories(set: EvaluationSet, users: readonly number[]) {
  const historyOffsets = new Int32Array(users.length + 1);
  users.forEach((u, i) => {
    historyOffsets[i + 1] = historyOffsets[i]! + set.ends[u]! - set.begins[u]!;
  });
  const historyItems = new Int32Array(historyOffsets[users.length]!);
  users.forEach((u, i) => {
    historyItems.set(set.items.subarray(set.begins[u]!, set.ends[u]!), historyOffsets[i]!);
  });
  return { targets: Int32Array.from(users, (u) => set.targets[u]!), historyOffsets, historyItems };
}
