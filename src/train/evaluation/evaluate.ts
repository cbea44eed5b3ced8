/**
 * Full-ranking evaluation: every evaluated user's target among all items, with and without the user's history among the
 * candidates. Histories are packed as in training; a metric does not depend on how.
 */
import * as tf from '@tensorflow/tfjs';
import { embedding } from '../../kernels/embedding/op.js';
import { type LaterRanks, laterRanks, readRanks } from '../../kernels/rank/op.js';
import type { SequenceModel } from '../../model/model.js';
import type { EvaluationConfig } from '../config.js';
import type { RankingMetrics } from '../result.js';
import { assemble, packRows, type Window } from '../step/batches.js';
import type { EvaluationSet } from './evaluation-set.js';
import { meanLoss, metricsOfRanks } from './metrics.js';
import type { UserRanks } from './ranks.js';

/** Rows a pass; bounds memory, changes no number. */
const ROWS = 32;
/** Users that are ranked at once: each ranking prepares the whole item table, which costs as much as some 50 users. */
const USERS = 512;

/** Rank and loss of every target, by user, with the model as it stands. */
export type TargetRanks = Pick<UserRanks, 'masked' | 'unmasked' | 'losses'>;

/** Ranks every target with the model as it stands, and takes the means. */
export function evaluateModel(
  model: SequenceModel,
  set: EvaluationSet,
  config: EvaluationConfig,
): RankingMetrics {
  return rankingMetrics(rankTargets(model, set), config);
}

export function rankingMetrics(
  { masked, unmasked, losses }: TargetRanks,
  { ks }: Pick<EvaluationConfig, 'ks'>,
): RankingMetrics {
  return {
    masked: metricsOfRanks(masked, ks),
    unmasked: metricsOfRanks(unmasked, ks),
    loss: meanLoss(losses),
  };
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
  const passes: { ids: number[]; ranks: LaterRanks }[] = [];
  let waiting: { ids: number[]; hidden: tf.Tensor2D }[] = [];
  const rank = () => {
    const ids = waiting.flatMap((part) => part.ids);
    tf.tidy(() => {
      const hidden =
        waiting.length === 1 ? waiting[0]!.hidden : tf.concat(waiting.map((part) => part.hidden));
      passes.push({ ids, ranks: laterRanks({ hidden, items: model.itemTable(), ...histories(set, ids) }) });
    });
    tf.dispose(waiting.map((part) => part.hidden));
    waiting = [];
  };
  for (let from = 0, users = 0; from < rows.length; from += ROWS) {
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
    waiting.push({ ids, hidden: tf.tidy(() => embedding(model.hidden(batch), tf.tensor1d(last, 'int32'))) });
    users += ids.length;
    if (users >= USERS) {
      rank();
      users = 0;
    }
  }
  if (waiting.length > 0) rank();
  const unmasked = new Int32Array(users);
  const masked = new Int32Array(users);
  const losses = new Float32Array(users);
  readRanks(passes.map(({ ranks }) => ranks)).forEach((ranks, pass) => {
    passes[pass]!.ids.forEach((user, i) => {
      unmasked[user] = ranks.unmasked[i]!;
      masked[user] = ranks.masked[i]!;
      losses[user] = ranks.losses[i]!;
    });
  });
  return { masked, unmasked, losses };
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
