/** How long things take: work over the speed that finished trials had, per process. */

import type { StoredTrial } from '../store/layout.js';
import type { TrialRecord } from '../store/record.js';

/** Assumed before anything was measured: work a second of one process on one core, about what trials on MovieLens 100K had. */
export const ASSUMED_SPEED = 10e9;

/**
 * What the small operations of a layer cost a token, in FLOPs of matrix products that take as long. Without it small models
 * seem several times as slow as large ones, and a sweep that begins with them is told to last as many times too long.
 */
const LAYER_OVERHEAD = 85e3;

/** FLOPs with the small operations counted in; a token takes about six FLOPs a parameter. */
export function workOf({
  config,
  parameters,
  flops,
}: Pick<StoredTrial, 'config' | 'parameters' | 'flops'>): number {
  return flops * (1 + (LAYER_OVERHEAD * config.model.layers) / (6 * parameters));
}

/** Seconds of compute a trial took; of a failed one, those from its last start to its end. */
export function trialSeconds(record: TrialRecord): number {
  if (record.status === 'done') return record.result.seconds.training + record.result.seconds.evaluation;
  const milliseconds = Date.parse(record.finishedAt) - Date.parse(record.startedAt);
  return milliseconds > 0 ? milliseconds / 1000 : 0;
}

/** Work a second of one process over the given trials, evaluation included; undefined when none was measured. */
export function measuredSpeed(records: Iterable<TrialRecord>): number | undefined {
  let work = 0;
  let seconds = 0;
  for (const record of records)
    if (record.status === 'done') {
      const { parameters, flops } = record.result;
      work += workOf({ config: record.config, parameters: parameters.total, flops: flops.total });
      seconds += trialSeconds(record);
    }
  return work > 0 && seconds > 0 ? work / seconds : undefined;
}

/** Of the epochs planned, the share that finished trials really ran: early stopping ends most before their time. */
export function measuredShareOfEpochs(records: Iterable<TrialRecord>): number {
  let planned = 0;
  let run = 0;
  for (const record of records)
    if (record.status === 'done') {
      planned += record.config.training.epochs;
      run += record.result.epochsRun;
    }
  return planned > 0 ? run / planned : 1;
}

/** Wall time of work that `workers` processes share: no less than its largest piece. */
export function wallSeconds(seconds: readonly number[], workers: number): number {
  const total = seconds.reduce((sum, s) => sum + s, 0);
  return Math.max(total / workers, ...seconds, 0);
}

/**
 * Compute seconds of a sweep with one more trial: those that its records took, and those expected of `others` and of `trial` (which
 * may end at an epoch), by the speed and the share of epochs that finished trials had.
 */
export function expectedSeconds(
  trial: StoredTrial,
  untilEpoch: number | undefined,
  others: readonly StoredTrial[],
  records: readonly TrialRecord[],
): number {
  const speed = measuredSpeed(records) ?? ASSUMED_SPEED;
  const share = measuredShareOfEpochs(records);
  const { epochs } = trial.config.training;
  const own = workOf(trial) * Math.min(share, (untilEpoch ?? epochs) / epochs);
  const ahead = others.reduce((sum, other) => sum + workOf(other) * share, own) / speed;
  return records.reduce((sum, record) => sum + trialSeconds(record), ahead);
}
