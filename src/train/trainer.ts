/**
 * Trains one model on one slice: epochs of packed batches, evaluation on the validation items, early stopping, the best
 * weights kept and scored on the test items. Stopped at any moment, it goes on from its checkpoint with the same bits.
 */
import type { Interactions, Sequences } from '../data/interactions.js';
import { sliceSequences } from '../data/slice.js';
import { leaveOneOut, type Split } from '../data/split.js';
import { currentDevice, openBackend, simdVariant } from '../kernels/backend.js';
import { lateScalars } from '../kernels/late.js';
import { loadWeights } from '../model/files/weights-file.js';
import { kindOf } from '../model/kinds.js';
import { createModel } from '../model/model.js';
import { countParameters, trainingFlopsPerToken } from '../model/size.js';
import { UserError } from '../util/errors.js';
import { writeAtomic } from '../util/files.js';
import { sha256 } from '../util/hash.js';
import { createRandom } from '../util/random.js';
import { checkData, checkTrial, prefixesOf, resolveTrial } from './check.js';
import type { TrainingState } from './checkpoint.js';
import type { TrialConfig } from './config.js';
import { evaluateModel } from './evaluation/evaluate.js';
import { evaluationSet, leavesMoreThan } from './evaluation/evaluation-set.js';
import { NotANumberError, type TrainingHooks, TrainingInterrupted } from './hooks.js';
import type { EpochRecord, RankingMetrics, TrainingResult } from './result.js';
import { checkFinite, type ResumableTraining, restoreTraining, saveTraining } from './resume.js';
import { assemble, epochRows, epochWork } from './step/batches.js';
import { createLoss } from './step/loss.js';
import { createOptimizer } from './step/optimizer.js';
import { type Trained, trainStep } from './step/step.js';

const CHECKPOINT_SECONDS = 30;
/** An epoch ends with a checkpoint unless the last one is younger: a short one is trained again faster than it is kept. */
const FRESH_SECONDS = 5;

/** Everything of a running training in one place. */
interface Run extends ResumableTraining, Trained {
  /** When the last checkpoint was written, on this process's clock. */
  savedAt: number;
  data: Interactions;
  split: Split;
  sequences: Sequences;
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
  const split = leaveOneOut(data);
  if (split.evaluated.length === 0)
    throw new UserError('no user has three interactions, so nothing can be held out', { place: data.name });
  const sequences = sliceSequences(split.train, config.slice);
  const validation = evaluationSet(data, split, 'validation');
  checkData(config, data.name, epochWork(config, sequences).predicting, (k) =>
    leavesMoreThan(validation, data.numItems, k),
  );
  const model = createModel(config.model, data.numItems, config.seed);
  const optimizer = createOptimizer(model.weights, config.training, config.model.dim);
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
      sequences,
      state,
      bestWeights: undefined,
      hooks,
      savedAt: performance.now(),
    };
    restoreTraining(run);
    return await train(run);
  } finally {
    model.weights.dispose();
    optimizer.dispose();
  }
}

async function train(run: Run): Promise<TrainingResult> {
  const { config, state, sequences } = run;
  const { epochs, patience, rows: rowsPerStep, loss } = config.training;
  const length = config.model.maxLength;
  let stopped: TrainingResult['stopped'] = 'epochs';
  for (; state.epoch <= epochs; ) {
    if (patience > 0 && state.stale >= patience) {
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
  return finish(run, stopped);
}

/** The remaining steps of the current epoch. */
async function runEpoch(run: Run, rows: ReturnType<typeof epochRows>, steps: number): Promise<void> {
  const { config, state, sequences, hooks } = run;
  const { rows: rowsPerStep, loss } = config.training;
  const losses = await lateScalars();
  const open: OpenStep[] = [];
  try {
    while (state.stepInEpoch < steps) {
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
      count(state, begun);
      addLosses(run, open, arrived);
      report(run, steps);
      // Lets messages, signals and timers in.
      await new Promise(setImmediate);
      const stopping = hooks.signal?.aborted;
      const due = secondsSinceSaved(run) > (hooks.checkpointSeconds ?? CHECKPOINT_SECONDS);
      if (!stopping && !due && state.stepInEpoch < steps) continue;
      // A checkpoint and an epoch's record hold the losses of all steps, so they wait for them.
      const waited = performance.now();
      const rest = await losses.all();
      count(state, waited);
      addLosses(run, open, rest);
      if (stopping || due) save(run);
      if (stopping) throw new TrainingInterrupted();
    }
  } finally {
    losses.dispose();
  }
}

/** Counts the time since `begun` (performance.now()) as training. */
function count({ seconds }: TrainingState, begun: number): void {
  const spent = (performance.now() - begun) / 1000;
  seconds.training += spent;
  seconds.epoch += spent;
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
  const { config, state, model, data, split } = run;
  const { evaluateEvery, epochs } = config.training;
  checkFinite(run);
  const record: EpochRecord = {
    epoch: state.epoch,
    step: state.step,
    loss: state.lossSum / state.predicted,
    seconds: state.seconds.epoch,
    tokensPerSecond: state.epochTokens / state.seconds.epoch,
  };
  if (state.epoch % evaluateEvery === 0 || state.epoch === epochs) {
    const begun = performance.now();
    record.validation = evaluateModel(model, evaluationSet(data, split, 'validation'), config.evaluation);
    state.seconds.evaluation += (performance.now() - begun) / 1000;
    const value = selected(record.validation, config);
    if (!state.best || value > state.best.value) {
      state.best = { epoch: state.epoch, value, validation: record.validation };
      state.stale = 0;
      run.bestWeights = model.weights.read();
    } else state.stale++;
  }
  state.curve.push(record);
  report(run, steps, record);
  Object.assign(state, {
    epoch: state.epoch + 1,
    stepInEpoch: 0,
    lossSum: 0,
    predicted: 0,
    epochTokens: 0,
  });
  state.seconds.epoch = 0;
  const { untilEpoch = epochs, checkpointSeconds = CHECKPOINT_SECONDS } = run.hooks;
  // What halving ends here may go on later.
  if (state.epoch > untilEpoch && untilEpoch < epochs) save(run);
  else saveAfter(run, Math.min(FRESH_SECONDS, checkpointSeconds));
}

function selected(metrics: RankingMetrics, { evaluation }: TrialConfig): number {
  return metrics[evaluation.history][evaluation.select]!;
}

/** Scores the best weights on the test items and puts the result together. */
function finish(run: Run, stopped: TrainingResult['stopped']): TrainingResult {
  const { config, state, model, data, split, bestWeights } = run;
  const best = state.best!;
  model.weights.write(bestWeights!);
  const weights = keepWeights(run);
  const begun = performance.now();
  const test = evaluateModel(model, evaluationSet(data, split, 'test'), config.evaluation);
  state.seconds.evaluation += (performance.now() - begun) / 1000;
  const { steps, predicting } = epochWork(config, run.sequences);
  const perToken = trainingFlopsPerToken(config.model, data.numItems, { ...config.training, predicting });
  return {
    validation: best.validation,
    test,
    bestEpoch: best.epoch,
    epochsRun: state.curve.length,
    stopped,
    curve: state.curve,
    parameters: countParameters(config.model, data.numItems),
    flops: { perToken, total: perToken * state.tokensSeen },
    tokens: {
      perEpoch: steps,
      total: state.tokensSeen,
    },
    seconds: { training: state.seconds.training, evaluation: state.seconds.evaluation },
    tokensPerSecond: state.tokensSeen / state.seconds.training,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    backend: config.backend,
    ...(currentDevice() ? { device: currentDevice()!.name } : {}),
    ...(weights ? { weights } : {}),
    ...(simdVariant() ? { simd: simdVariant() } : {}),
  };
}

/** Writes the model's weights where the caller wants them; they are as large as the model, no more. */
function keepWeights({ model, config, hooks }: Run): TrainingResult['weights'] {
  if (!hooks.weightsPath) return undefined;
  const bytes = model.weights.encode({ config: JSON.stringify(config) });
  writeAtomic(hooks.weightsPath, bytes);
  return { sha256: sha256(bytes), bytes: bytes.length };
}

function report({ config, state, hooks }: Run, stepsPerEpoch: number, finished?: EpochRecord): void {
  hooks.onProgress?.({
    epoch: state.epoch,
    epochs: config.training.epochs,
    step: state.stepInEpoch,
    stepsPerEpoch,
    loss: state.lossSum / state.predicted,
    best: state.best?.value ?? null,
    tokensPerSecond: state.epochTokens / state.seconds.epoch,
    ...(finished ? { finished } : {}),
  });
}
