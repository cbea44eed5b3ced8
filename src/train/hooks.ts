/** What a training tells its caller, what the caller may ask of it, and how it ends early. */
import type { WeightsFile } from '../model/files/weights-file.js';
import { ExitCode, UserError } from '../util/errors.js';
import type { TrainingConfig } from './config.js';
import { rateSetting } from './rate.js';
import type { EpochRecord } from './result.js';

/** Where a training stands. */
export interface TrainingProgress {
  epoch: number;
  epochs: number;
  /** Steps done in this epoch, and steps it has. */
  step: number;
  stepsPerEpoch: number;
  /** Mean loss of this epoch so far, nats a predicted item; of a GPU that of the steps whose loss has come, NaN before the first. */
  loss: number;
  /** Best selection metric so far. */
  best: number | null;
  tokensPerSecond: number;
  /** Threads that it computes on, where those are more than one. */
  threads?: number;
  /** The epoch just finished and evaluated; absent in between. */
  finished?: EpochRecord;
}

/** Threads to compute on: so many, or up to so many, fewer as long as others use the cores. */
export type AskedThreads = number | { upTo: number };

/** What a caller of `trainModel` may watch, keep and stop. */
export interface TrainingHooks {
  /** Folder of the checkpoint; without one nothing is written. */
  checkpointDir?: string;
  /** Seconds of training between checkpoints (30); one is written after every epoch too, but not within 5 seconds of another. */
  checkpointSeconds?: number;
  /** Ends after that epoch with the result so far (`stopped: 'halving'`); its checkpoint lets it go on later. */
  untilEpoch?: number;
  /** Where the best weights go at the end (safetensors, upstream names); without it they are not kept. */
  weightsPath?: string;
  /** Where the ranks of every evaluated user go at the end (see `readRanks`); without it they are not kept. */
  ranksPath?: string;
  /** Weights to start from instead of drawn ones; `startFrom` of the configuration is their hash. */
  initialWeights?: WeightsFile;
  /** Receives what a person should know, for instance that a checkpoint was damaged. */
  onNote?(note: string): void;
  onProgress?(progress: TrainingProgress): void;
  /** How many threads to compute on, asked before every step; 1 where absent. No number depends on it. */
  threads?(): AskedThreads;
  /** When it fires the step is finished, a checkpoint written and TrainingInterrupted thrown. */
  signal?: AbortSignal;
}

/** Training stopped on request; its checkpoint is written. */
export class TrainingInterrupted extends Error {
  constructor() {
    super('training was interrupted; it goes on from its checkpoint');
    this.name = 'TrainingInterrupted';
  }
}

/**
 * The training diverged: a loss or a weight is not a finite number. Names the step and what to change, and leaves the last
 * good checkpoint as it is.
 */
export class NotANumberError extends UserError {
  /** @param what happened, to be followed by the step. */
  constructor(
    epoch: number,
    step: number,
    what: string,
    { learningRate, clipNorm, warmup }: Pick<TrainingConfig, 'learningRate' | 'clipNorm' | 'warmup'>,
  ) {
    const also = [
      ...(clipNorm === 0 ? ['clip the gradients (`clipNorm: 1`, `--clip-norm 1`)'] : []),
      ...(warmup === 0 ? ['warm up (`warmup: 100`, `--warmup 100`)'] : []),
    ];
    super(
      `the training diverged: ${what} at step ${step} (epoch ${epoch}), with a learning rate of ${rateSetting(learningRate)}`,
      {
        remedy: `Use a smaller rate (\`learningRate\`, \`--learning-rate\`)${also.map((way) => `, or ${way}`).join('')}.`,
        exitCode: ExitCode.trialsFailed,
      },
    );
    this.name = 'NotANumberError';
  }
}
