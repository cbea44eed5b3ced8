/** A trial as it lies in the store: one JSON file a trial, whole or absent. */
import type { SequenceMeasures } from '../../data/entropy/measures.js';
import type { TrialConfig } from '../../train/config.js';
import type { Metrics, RankingMetrics, TrainingResult } from '../../train/result.js';

export const RECORD_SCHEMA = 1;

/** Measures of the training sequences of a slice, computed once a slice. Entropies in nats unless a name says otherwise. */
export interface SliceMeasures extends SequenceMeasures {
  label: string;
  /** Further measures by name. */
  [measure: string]: number | string;
}

export interface Environment {
  perflaw: string;
  node: string;
  platform: string;
  host: string;
}

interface RecordBase {
  schema: typeof RECORD_SCHEMA;
  /** Ten hexadecimal digits: hash of the configuration, the data's content and the numeric version of the code. */
  id: string;
  config: TrialConfig;
  environment: Environment;
  startedAt: string;
  finishedAt: string;
  /**
   * Wall seconds that workers were busy with it: from the start of its process (or from when a process that runs several turned to it) to
   * this record, and those of earlier attempts to their last sign of life. Absent in records of before it was counted.
   */
  occupied?: number;
}

/** A trial that finished. */
export interface DoneRecord extends RecordBase {
  status: 'done';
  slice: SliceMeasures;
  result: TrainingResult;
  /** The popularity baseline on the same users. */
  popularity: { validation: RankingMetrics; test: RankingMetrics };
}

/** A trial that did not: why, in one word and in a sentence. */
export interface FailedRecord extends RecordBase {
  status: 'failed';
  reason:
    | 'error'
    | 'out-of-memory'
    | 'not-a-number'
    | 'device-lost'
    | 'time-limit'
    | 'killed'
    | 'cancelled'
    | 'disk-full';
  message: string;
}

/** A trial as the store holds it. */
export type TrialRecord = DoneRecord | FailedRecord;
export type { Metrics, RankingMetrics };

/** Whether a trial's test metric is above the popularity baseline's: one that is not has learnt nothing of use. */
export function beatsPopularity({ config, result, popularity }: DoneRecord): boolean {
  const { select, history } = config.evaluation;
  return result.test[history][select]! > popularity.test[history][select]!;
}

/** Whether a result was cut short by halving. */
export function isHalved(record: TrialRecord | undefined): boolean {
  return record?.status === 'done' && record.result.stopped === 'halving';
}
