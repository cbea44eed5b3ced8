/** Metrics that a result does not hold, from the ranks beside it: other cut-offs K, and what each user adds. */
import type { TrialConfig } from '../../train/config.js';
import {
  gainOf,
  lossError,
  meanLoss,
  metricsOfRanks,
  standardErrors,
} from '../../train/evaluation/metrics.js';
import type { StoredRanks, UserRanks } from '../../train/evaluation/ranks.js';
import type { RankingMetrics, TrainingResult } from '../../train/result.js';

/** The result with its metrics, and their standard errors, at other cut-offs: exactly what the training would have said. */
export function resultAt(result: TrainingResult, ranks: StoredRanks, ks: readonly number[]): TrainingResult {
  const both = (
    of: (ranks: Int32Array, ks: readonly number[]) => Record<string, number>,
    loss: (losses: Float32Array) => number,
  ) => {
    const one = ({ masked, unmasked, losses }: UserRanks): RankingMetrics => ({
      masked: of(masked, ks),
      unmasked: of(unmasked, ks),
      loss: loss(losses),
    });
    return { validation: one(ranks.validation), test: one(ranks.test) };
  };
  return { ...result, ...both(metricsOfRanks, meanLoss), standardErrors: both(standardErrors, lossError) };
}

/** Part, history and plain name of a metric as observations name it: `ndcg@10`, `validation:hr@5`, `unmasked:mrr@20`. */
export function metricPlace(
  metric: string,
  { evaluation }: Pick<TrialConfig, 'evaluation'>,
): { part: 'validation' | 'test'; history: 'masked' | 'unmasked'; name: string } {
  const [, before, name] = /^(?:(validation|masked|unmasked):)?(.*)$/.exec(metric)!;
  return {
    part: before === 'validation' ? 'validation' : 'test',
    history: before === 'masked' || before === 'unmasked' ? before : evaluation.history,
    name: name!,
  };
}

/** What every user adds to a metric (`loss` too), in the order of the ranks' users. @throws UserError for a name that is no metric of ranks. */
export function userValues(ranks: UserRanks, history: 'masked' | 'unmasked', name: string): Float64Array {
  return name === 'loss' ? Float64Array.from(ranks.losses) : Float64Array.from(ranks[history], gainOf(name));
}
