/** What a finished training keeps of its users' ranks: standard errors in its result, and the file beside it. */
import type { Interactions, Sequences } from '../../data/interactions.js';
import { writeAtomic } from '../../util/files.js';
import { sha256 } from '../../util/hash.js';
import type { TrialConfig } from '../config.js';
import type { RankingMetrics, TrainingResult } from '../result.js';
import { itemCounts } from './baseline.js';
import type { TargetRanks } from './evaluate.js';
import type { EvaluationSet } from './evaluation-set.js';
import { lossError, standardErrors } from './metrics.js';
import { encodeRanks, type UserRanks } from './ranks.js';

type Both<T> = { validation: T; test: T };

/**
 * Standard errors of both evaluations, and the file at `path` (none is written without one).
 * @param train the training histories of all users, in which popularity is counted.
 */
export function keepRanks(
  ranks: Both<TargetRanks>,
  sets: Both<EvaluationSet>,
  { data, train, config, path }: { data: Interactions; train: Sequences; config: TrialConfig; path?: string },
): Pick<TrainingResult, 'standardErrors' | 'ranks'> {
  const { ks } = config.evaluation;
  const errors = ({ masked, unmasked, losses }: TargetRanks): RankingMetrics => ({
    masked: standardErrors(masked, ks),
    unmasked: standardErrors(unmasked, ks),
    loss: lossError(losses),
  });
  const kept = {
    standardErrors: { validation: errors(ranks.validation), test: errors(ranks.test) },
  };
  if (path === undefined) return kept;
  const counts = itemCounts(train, data.numItems);
  const whole = (part: keyof Both<unknown>): UserRanks => {
    const { users, begins, ends, targets } = sets[part];
    return {
      ...ranks[part],
      users,
      historyLengths: ends.map((end, u) => end - begins[u]!),
      popularity: targets.map((target) => counts[target]!),
    };
  };
  const bytes = encodeRanks({ data: data.hash, validation: whole('validation'), test: whole('test') });
  writeAtomic(path, bytes);
  return { ...kept, ranks: { sha256: sha256(bytes), bytes: bytes.length } };
}
