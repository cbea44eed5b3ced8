/** The end of a training: the best weights scored on the test items, what is kept of them, and the result. */
import type { Interactions, Sequences } from '../data/interactions.js';
import type { Split } from '../data/split.js';
import { currentDevice, simdVariant } from '../kernels/backend.js';
import { countParameters, trainingFlopsPerToken } from '../model/size.js';
import { writeAtomic } from '../util/files.js';
import { sha256 } from '../util/hash.js';
import { rankingMetrics, rankTargets, type TargetRanks } from './evaluation/evaluate.js';
import type { EvaluationSet } from './evaluation/evaluation-set.js';
import { keepRanks } from './evaluation/keep-ranks.js';
import type { TrainingResult } from './result.js';
import type { ResumableTraining } from './resume.js';
import { epochWork } from './step/batches.js';
import type { RunThreads } from './threads/run-threads.js';

/** A training that has a best epoch. */
export interface TrainedRun extends ResumableTraining {
  data: Interactions;
  split: Split;
  sets: { validation: EvaluationSet; test: EvaluationSet };
  sequences: Sequences;
  threads: RunThreads;
  /** Validation ranks of the best epoch, where this process saw it. */
  bestRanks?: TargetRanks;
}

/** Scores the best weights on the test items and puts the result together. */
export function finishTraining(run: TrainedRun, stopped: TrainingResult['stopped']): TrainingResult {
  const { config, state, model, data, split, sets, bestWeights, hooks } = run;
  const best = state.best!;
  model.weights.write(bestWeights!);
  const weights = keepWeights(run);
  const begun = performance.now();
  // After a resumption the best epoch may lie before this process: its weights rank as they did then.
  const validation = run.bestRanks ?? rankTargets(model, sets.validation);
  const test = rankTargets(model, sets.test);
  run.threads.count(state, 'evaluation', begun);
  const { steps, predicting } = epochWork(config, run.sequences);
  const perToken = trainingFlopsPerToken(config.model, data.numItems, { ...config.training, predicting });
  return {
    validation: best.validation,
    test: rankingMetrics(test, config.evaluation),
    ...keepRanks({ validation, test }, sets, { data, train: split.train, config, path: hooks.ranksPath }),
    bestEpoch: best.epoch,
    ...(best.step === undefined ? {} : { bestStep: best.step }),
    epochsRun: state.curve.length,
    stopped,
    curve: state.curve,
    parameters: countParameters(config.model, data.numItems),
    flops: { perToken, total: perToken * state.tokensSeen },
    tokens: {
      perEpoch: steps,
      total: state.tokensSeen,
    },
    seconds: secondsOf(state),
    tokensPerSecond: state.tokensSeen / state.seconds.training,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    backend: config.backend,
    ...(currentDevice() ? { device: currentDevice()!.name } : {}),
    ...(weights ? { weights } : {}),
    ...(simdVariant() ? { simd: simdVariant() } : {}),
  };
}

function secondsOf({ seconds: { training, evaluation, cores } }: TrainedRun['state']) {
  return { training, evaluation, ...(cores === undefined ? {} : { cores }) };
}

/** Writes the model's weights where the caller wants them; they are as large as the model, no more. */
function keepWeights({ model, config, hooks }: TrainedRun): TrainingResult['weights'] {
  if (!hooks.weightsPath) return undefined;
  const bytes = model.weights.encode({ config: JSON.stringify(config) });
  writeAtomic(hooks.weightsPath, bytes);
  return { sha256: sha256(bytes), bytes: bytes.length };
}
