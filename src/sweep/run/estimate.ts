/** What a sweep costs before and while it runs: parameters, FLOPs and memory of a trial, and its time by the speed of those that finished. */
import { kindOf } from '../../model/kinds.js';
import { countParameters, trainingFlopsPerToken } from '../../model/size.js';
import type { TrialConfig } from '../../train/config.js';
import type { TrainingProgress } from '../../train/hooks.js';
import { hasThreads } from '../../train/threads/worth.js';
import type { CostModel } from '../file/plan.js';
import type { RankedUsers, StoredTrial } from '../store/layout.js';
import type { TrialRecord } from '../store/record.js';

/** Node, tfjs, what a training leaves to be collected and a small data set, without a model. */
const BASE_BYTES = 170 * 2 ** 20;
/** A thread besides the first: its engine and its scratch; weights and activations are shared. */
export const THREAD_BYTES = 12 * 2 ** 20;

/**
 * Bytes of a training process, roughly: weights with gradients, Adam's two moments and three times as much again for the best
 * weights and checkpoints; activations kept for the backward pass; the scores of all items. States of the scan hardly count,
 * since kernels keep those between blocks alone. The factors are fitted to measured peaks (docs/log.md), met within a fifth.
 */
export function estimateMemory(config: TrialConfig, numItems: number, threads = 1): number {
  const { model, training } = config;
  const tokens = training.rows * model.maxLength;
  const inner = model.expand * model.dim;
  const directions = kindOf(model).bidirectional ? 2 : 1;
  const layer = 1.5 * directions * (10 * inner + 22 * model.dim);
  const predicting = training.loss === 'last' ? training.rows : tokens;
  const scored = training.negatives ? Math.min(training.negatives, numItems) + 1 : numItems + 1;
  const weights = 16 * countParameters(model, numItems).total;
  return (
    BASE_BYTES +
    THREAD_BYTES * (threads - 1) +
    4 * (weights + tokens * model.layers * layer + predicting * scored)
  );
}

/** @param threads of a trial. */
export async function realCost(threads = 1): Promise<CostModel> {
  const { NUMERIC_VERSION } = await import('../../train/version.js');
  return {
    numericVersion: NUMERIC_VERSION,
    sizeOf: (config, numItems, predicting) => ({
      parameters: countParameters(config.model, numItems).total,
      flopsPerToken: trainingFlopsPerToken(config.model, numItems, { ...config.training, predicting }),
    }),
    memoryOf: (config, numItems) => estimateMemory(config, numItems, hasThreads(config) ? threads : 1),
  };
}

/** Assumed where nothing can be measured: work a second of one process on one core, about what trials on MovieLens 100K had. */
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

/** FLOPs that take as long as the update of a parameter: reading and writing it, its gradient and its moments. */
const UPDATE_FLOPS = 30;

/** What a trial says of its work. */
export type Worked = Pick<StoredTrial, 'config' | 'parameters' | 'flops' | 'tokens'>;

/**
 * Work of a trial with what its plan does not count: evaluations, each of which goes forward over the history of every evaluated user (a
 * third of a training step) and scores all items, and what every step costs the whole table.
 * @param epochs that are run.
 */
export function wholeWork(
  trial: Worked,
  numItems: number,
  ranked: RankedUsers | undefined,
  epochs = trial.config.training.epochs,
): number {
  const { training, model } = trial.config;
  const work = workOf(trial);
  const steps = (epochs * trial.tokens) / (training.rows * model.maxLength);
  const updates = Math.ceil(steps) * UPDATE_FLOPS * trial.parameters;
  if (!ranked) return work + updates;
  const anEvent = work / Math.max(1, epochs * trial.tokens);
  const within = training.evaluateSteps === undefined ? 0 : steps / training.evaluateSteps;
  // the last one is the test
  const times = epochs / training.evaluateEvery + within + 1;
  const events = Math.min(ranked.events, ranked.users * model.maxLength);
  return work + updates + times * ((events * anEvent) / 3 + 2 * ranked.users * model.dim * numItems);
}

/** Those that take longest first; equal ones as they come. */
export function longestFirst<T extends Pick<StoredTrial, 'config' | 'parameters' | 'flops'>>(
  trials: readonly T[],
): T[] {
  return [...trials].sort((a, b) => workOf(b) - workOf(a));
}

/** Share of a trial's planned epochs that is done. */
export function shareDone(progress: TrainingProgress | undefined): number {
  if (!progress) return 0;
  return (progress.epoch - 1 + progress.step / progress.stepsPerEpoch) / progress.epochs;
}

/** Seconds of compute a trial took, of one core; of a failed one, those from its last start to its end. */
export function trialSeconds(record: TrialRecord): number {
  if (record.status === 'done') {
    const { training, evaluation, cores } = record.result.seconds;
    return cores ?? training + evaluation;
  }
  const milliseconds = Date.parse(record.finishedAt) - Date.parse(record.startedAt);
  return milliseconds > 0 ? milliseconds / 1000 : 0;
}

/** Wall seconds that a trial kept a worker busy, its start and attempts that were killed included. */
export function occupiedSeconds(record: TrialRecord): number {
  if (record.occupied !== undefined) return record.occupied;
  // results of before it was counted
  const passed = (Date.parse(record.finishedAt) - Date.parse(record.startedAt)) / 1000;
  if (record.status === 'failed') return Math.max(0, passed);
  const { training, evaluation } = record.result.seconds;
  return Math.max(training + evaluation, passed);
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
