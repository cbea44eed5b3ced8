/** How long things take: FLOPs over the speed that finished trials had, per process. */
import type { TrialRecord } from './record.js';
import type { StoredTrial } from './stored.js';

/** Assumed before anything was measured: FLOPs a second of one process on one core, about the median that trials on MovieLens 100K had. */
export const ASSUMED_SPEED = 7e9;

/** Seconds of compute a finished trial took. */
export function trialSeconds(record: TrialRecord): number {
  return record.status === 'done' ? record.result.seconds.training + record.result.seconds.evaluation : 0;
}

/**
 * FLOPs a second of one process over the given trials, evaluation included; undefined when none was measured.
 * Small models are slower by FLOP, so a sweep that goes from small to large measures itself.
 */
export function measuredSpeed(records: Iterable<TrialRecord>): number | undefined {
  let flops = 0;
  let seconds = 0;
  for (const record of records)
    if (record.status === 'done') {
      flops += record.result.flops.total;
      seconds += trialSeconds(record);
    }
  return flops > 0 && seconds > 0 ? flops / seconds : undefined;
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
  const own = trial.flops * Math.min(share, (untilEpoch ?? epochs) / epochs);
  const ahead = others.reduce((sum, { flops }) => sum + flops * share, own) / speed;
  return records.reduce((sum, record) => sum + trialSeconds(record), ahead);
}
