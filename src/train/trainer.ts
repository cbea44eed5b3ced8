/**
 * Trains one model on one slice: epochs of packed batches, evaluation on the validation items, early stopping, the best
 * weights kept and scored on the test items. Stopped at any moment, it goes on from its checkpoint with the same bits.
 */
import type { Interactions } from '../data/interactions.js';
import { sliceSequences } from '../data/slice.js';
import { splitInteractions } from '../data/split.js';
import { openBackend } from '../kernels/backend.js';
import { lateScalars } from '../kernels/late.js';
import { loadWeights } from '../model/files/weights-file.js';
import { kindOf } from '../model/kinds.js';
import { createModel } from '../model/model.js';
import { UserError } from '../util/errors.js';
import { createRandom } from '../util/random.js';
import { checkData, checkTrial, prefixesOf, resolveTrial } from './check.js';
import type { TrainingState } from './checkpoint.js';
import type { TrialConfig } from './config.js';
import { rankingMetrics, rankTargets } from './evaluation/evaluate.js';
import { evaluationSet, leavesMoreThan } from './evaluation/evaluation-set.js';
import { finishTraining, type TrainedRun } from './finish.js';
import { NotANumberError, type TrainingHooks, TrainingInterrupted } from './hooks.js';
import type { EpochRecord, RankingMetrics, TrainingResult } from './result.js';
import { checkFinite, restoreTraining, saveTraining } from './resume.js';
import { assemble, epochRows, epochWork } from './step/batches.js';
import { createLoss } from './step/loss.js';
import { createOptimizer } from './step/optimizer.js';
import { type Trained, trainStep } from './step/step.js';
import { RunThreads } from './threads/run-threads.js';

const CHECKPOINT_SECONDS = 30;
/** An epoch ends with a checkpoint unless the last one is younger: a short one is trained again faster than it is kept. */
const FRESH_SECONDS = 5;

/** Everything of a running training in one place. */
interface Run extends TrainedRun, Trained {
  /** When the last checkpoint was written, on this process's clock. */
  savedAt: number;
}

/**
 * Trains `trial` on `data` and scores the best epoch on validation and test.
 * @throws TrainingInterrupted, NotANumberError, UserError (bad configuration, damaged checkpoint, unwritable folder).
 */
export async function trainModel(
  trial: TrialConfig,
  data: Interactions,
  hooks: TrainingHooks = {},
): Promise<TrainingResult> {
  const config = resolveTrial(trial);
  checkTrial(config, { ...data, timed: data.timestamps !== null });
  await openBackend(config.backend, hooks.onNote);
  const split = splitInteractions(data, config.split);
  if (split.heldOut.test.users.length === 0)
    throw new UserError('no user has three interactions, so nothing can be held out', { place: data.name });
  const sequences = sliceSequences(split.train, config.slice);
  const validation = evaluationSet(data, split, 'validation', config.evaluation);
  const test = evaluationSet(data, split, 'test', config.evaluation);
  checkData(config, data.name, epochWork(config, sequences).predicting, (k) =>
    leavesMoreThan(validation, data.numItems, k),
  );
  const model = createModel(config.model, data.numItems, config.seed);
  const optimizer = createOptimizer(model.weights, config.training, config.model.dim);
  const threads = new RunThreads(hooks);
  try {
    if (config.startFrom !== hooks.initialWeights?.sha256)
      throw new Error('startFrom of the configuration is not the hash of the weights that were given');
    if (hooks.initialWeights) loadWeights(model, hooks.initialWeights);
    const state: TrainingState = {
      epoch: 1,
      stepInEpoch: 0,
      step: 0,
      lossSum: 0,
      predicted: 0,
      epochTokens: 0,
      tokensSeen: 0,
      curve: [],
      best: null,
      stale: 0,
      seconds: { training: 0, evaluation: 0, epoch: 0 },
    };
    const run: Run = {
      config,
      model,
      loss: createLoss(config, model, sequences),
      optimizer,
      data,
      split,
      sets: { validation, test },
      sequences,
      state,
      bestWeights: undefined,
      hooks,
      threads,
      savedAt: performance.now(),
    };
    restoreTraining(run);
    return await train(run);
  } finally {
    model.weights.dispose();
    optimizer.dispose();
    await threads.close();
  }
}

async function train(run: Run): Promise<TrainingResult> {
  const { config, state, sequences } = run;
  const { epochs, rows: rowsPerStep, loss } = config.training;
  const length = config.model.maxLength;
  let stopped: TrainingResult['stopped'] = 'epochs';
  for (; state.epoch <= epochs; ) {
    if (isStale(run) && state.stepInEpoch === 0) {
      stopped = 'patience';
      break;
    }
    if (state.best && state.epoch > (run.hooks.untilEpoch ?? epochs)) {
      stopped = 'halving';
      break;
    }
    const rows = epochRows(
      sequences,
      length,
      loss,
      createRandom(config.seed, 'epoch', state.epoch),
      prefixesOf(config),
    );
    const steps = Math.ceil(rows.length / rowsPerStep);
    await runEpoch(run, rows, steps);
    finishEpoch(run, steps);
  }
  return finishTraining(run, stopped);
}

/** The remaining steps of the current epoch. */
async function runEpoch(run: Run, rows: ReturnType<typeof epochRows>, steps: number): Promise<void> {
  const { config, state, sequences, hooks } = run;
  const { rows: rowsPerStep, loss } = config.training;
  const losses = await lateScalars();
  const open: OpenStep[] = [];
  // A checkpoint, an evaluation and an epoch's record hold the losses of all steps, so they wait for them.
  const settle = async () => {
    const waited = performance.now();
    const rest = await losses.all();
    count(run, waited);
    addLosses(run, open, rest);
  };
  try {
    while (state.stepInEpoch < steps && !(isStale(run) && state.stepInEpoch > 0)) {
      await run.threads.follow();
      const begun = performance.now();
      const from = state.stepInEpoch * rowsPerStep;
      const batch = assemble(
        sequences.items,
        rows.slice(from, from + rowsPerStep),
        config.model.maxLength,
        loss,
        kindOf(config.model).time?.used(config.model) ? sequences.timestamps : null,
      );
      const place = {
        step: state.step,
        totalSteps: config.training.epochs * steps,
        dropoutSeed: createRandom(config.seed, 'dropout', state.step).bits(),
      };
      trainStep(run, batch, place, losses);
      state.step++;
      state.stepInEpoch++;
      state.epochTokens += batch.tokens;
      state.tokensSeen += batch.tokens;
      open.push({ step: state.step, predicted: batch.predicted });
      const arrived = await losses.arrived();
      count(run, begun);
      addLosses(run, open, arrived);
      if (isDue(run) && state.stepInEpoch < steps) {
        await settle();
        evaluateWithin(run);
      }
      report(run, steps);
      // Lets messages, signals and timers in.
      await new Promise(setImmediate);
      const stopping = hooks.signal?.aborted;
      if (!stopping && secondsSinceSaved(run) <= (hooks.checkpointSeconds ?? CHECKPOINT_SECONDS)) continue;
      await settle();
      save(run);
      if (stopping) throw new TrainingInterrupted();
    }
    await settle();
  } finally {
    losses.dispose();
  }
}

/** Counts the time since `begun` (performance.now()) as training. */
function count({ state, threads }: Run, begun: number): void {
  state.seconds.epoch += threads.count(state, 'training', begun);
}

/** A step whose loss has not come yet. */
interface OpenStep {
  /** From 1. */
  step: number;
  predicted: number;
}

/** @throws NotANumberError, naming the step, at the first loss that is no finite number. */
function addLosses({ state, config }: Run, open: OpenStep[], losses: readonly number[]): void {
  for (const value of losses) {
    const { step, predicted } = open.shift()!;
    if (!Number.isFinite(value))
      throw new NotANumberError(state.epoch, step, `the loss became ${value}`, config.training);
    state.lossSum += value * predicted;
    state.predicted += predicted;
  }
}

function secondsSinceSaved({ savedAt }: Run): number {
  return (performance.now() - savedAt) / 1000;
}

/** Whether nothing has improved for as many evaluations as patience allows. */
function isStale({ config: { training }, state }: Run): boolean {
  return training.patience > 0 && state.stale >= training.patience;
}

/** Whether the step that was just done is one after which to evaluate. */
function isDue({ config: { training }, state }: Run): boolean {
  return training.evaluateSteps !== undefined && state.step % training.evaluateSteps === 0;
}

/** Evaluation within an epoch, noted for its record. */
function evaluateWithin(run: Run): void {
  const { state } = run;
  checkFinite(run);
  const validation = evaluate(run);
  const loss = state.lossSum / state.predicted;
  state.within = [...(state.within ?? []), { step: state.step, loss, validation }];
}

/** Ranks the validation items, and keeps the weights where they are the best so far. */
function evaluate(run: Run): RankingMetrics {
  const { config, state, model, sets } = run;
  const begun = performance.now();
  const ranks = rankTargets(model, sets.validation);
  const validation = rankingMetrics(ranks, config.evaluation);
  run.threads.count(state, 'evaluation', begun);
  const value = selected(validation, config);
  if (!state.best || value > state.best.value) {
    const step = config.training.evaluateSteps === undefined ? {} : { step: state.step };
    state.best = { epoch: state.epoch, ...step, value, validation };
    state.stale = 0;
    run.bestWeights = model.weights.read();
    run.bestRanks = ranks;
  } else state.stale++;
  return validation;
}

function save(run: Run): void {
  saveTraining(run);
  run.savedAt = performance.now();
}

/** Writes a checkpoint when the last one is so many seconds old. */
function saveAfter(run: Run, seconds: number): void {
  if (secondsSinceSaved(run) > seconds) save(run);
}

/** Evaluation at the end of an epoch, bookkeeping, a checkpoint. */
function finishEpoch(run: Run, steps: number): void {
  const { config, state } = run;
  const { evaluateEvery, epochs } = config.training;
  checkFinite(run);
  const record: EpochRecord = {
    epoch: state.epoch,
    step: state.step,
    loss: state.lossSum / state.predicted,
    seconds: state.seconds.epoch,
    tokensPerSecond: state.epochTokens / state.seconds.epoch,
  };
  const before = state.within?.at(-1);
  // Patience may end an epoch right after an evaluation within it.
  if (before?.step === state.step) record.validation = before.validation;
  else if (state.epoch % evaluateEvery === 0 || state.epoch === epochs || isDue(run))
    record.validation = evaluate(run);
  if (state.within) record.within = state.within;
  state.curve.push(record);
  report(run, steps, record);
  Object.assign(state, {
    epoch: state.epoch + 1,
    stepInEpoch: 0,
    lossSum: 0,
    predicted: 0,
    epochTokens: 0,
  });
  delete state.within;
  state.seconds.epoch = 0;
  const { untilEpoch = epochs, checkpointSeconds = CHECKPOINT_SECONDS } = run.hooks;
  // What halving ends here may go on later.
  if (state.epoch > untilEpoch && untilEpoch < epochs) save(run);
  else saveAfter(run, Math.min(FRESH_SECONDS, checkpointSeconds));
}

function selected(metrics: RankingMetrics, { evaluation }: TrialConfig): number {
  return metrics[evaluation.history][evaluation.select]!;
}

function report({ config, state, hooks, threads }: Run, stepsPerEpoch: number, finished?: EpochRecord): void {
  hooks.onProgress?.({
    epoch: state.epoch,
    epochs: config.training.epochs,
    step: state.stepInEpoch,
    stepsPerEpoch,
    loss: state.lossSum / state.predicted,
    best: state.best?.value ?? null,
    tokensPerSecond: state.epochTokens / state.seconds.epoch,
    ...(threads.number > 1 ? { threads: threads.number } : {}),
    ...(finished ? { finished } : {}),
  });
}
