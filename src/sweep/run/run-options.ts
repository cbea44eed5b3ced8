/** What a run is told, what it tells while it goes on, and what it answers at its end. */
import type { DatasetReference } from '../../data/dataset.js';
import type { TrainingProgress } from '../../train/hooks.js';
import type { Halving } from '../file/schema.js';
import type { LaunchLimits } from '../launch/launcher.js';
import type { ClaimWatch } from '../store/claim.js';
import type { StoredDecision } from '../store/decisions.js';
import type { StoredTrial } from '../store/layout.js';
import type { TrialRecord } from '../store/record.js';

/** What people see of a run while it goes on. */
export interface RunObserver {
  started?(trial: StoredTrial): void;
  progress?(trial: StoredTrial, progress: TrainingProgress): void;
  /** A trial has a result: just now, or (`kept`) from before. */
  finished?(trial: StoredTrial, record: TrialRecord, kept: boolean): void;
  /** A process ended without a result, and the trial will go on or is left open. */
  stopped?(trial: StoredTrial): void;
  note?(text: string): void;
  /** Of a sweep with a goal: what a round found, and the trials that it adds; again on resuming. */
  decided?(decision: StoredDecision, round: number): void;
}

export interface RunOptions {
  numericVersion: number;
  data: DatasetReference;
  limits?: LaunchLimits;
  /** Whether trials keep their best weights; they do where absent. */
  keepWeights?: boolean;
  /** Only the best of a slice are trained to their end. */
  halving?: Halving;
  /** Settings that are tuned: halving then compares the settings of each configuration, not configurations. */
  tuned?: readonly string[];
  retryFailed?: boolean;
  /** Compute hours of all trials together; no trial is started that is expected to pass it. */
  hours?: number;
  /** Start what is missing and leave, where the launcher's trials run on alone. */
  detach?: boolean;
  /** Aborted: checkpoint and stop; trials that run on without a command are left alone. */
  signal?: AbortSignal;
  /** Aborted: stop at once. */
  killSignal?: AbortSignal;
  watch?: ClaimWatch;
  /** Milliseconds between looks at trials that others work on. */
  pollMs?: number;
}

export interface RunSummary {
  records: Map<string, TrialRecord>;
  /** Trials that had their result before this run. */
  kept: number;
  done: number;
  failed: number;
  /** Of those done: ended early by successive halving. */
  halved: number;
  /** Trials without a result: interrupted, or past the budget of hours. */
  open: number;
  overBudget: number;
  /** Of the open ones, those that wait or run without this command. */
  left: number;
  interrupted: boolean;
  seconds: number;
}
