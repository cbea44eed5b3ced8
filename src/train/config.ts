/** Everything that decides a trial's result: its hash is the trial's identity. */
import type { SliceSpec } from '../data/slice.js';
import type { SplitSpec } from '../data/split.js';
import type { ModelConfig } from '../model/config.js';

/** How negatives are sampled: each item alike, or by how often the training histories hold it. */
export type Proposal = 'uniform' | 'popularity';

/** Which prefixes of a history are examples in an epoch: all, one, or so many, drawn anew in every epoch. */
export type Prefixes = 'every' | 'random' | number;

/** A rate that follows the width d: base * (d / dim)^power. */
export interface WidthRate {
  /** The rate at `dim`. */
  base: number;
  dim: number;
  power: number;
  /** Whose rate follows: that of all weights, or that of the hidden matrices alone, in the manner of muP. */
  parts: 'all' | 'hidden';
}

/** One rate whatever the size, or one that follows the width. */
export type LearningRate = number | WidthRate;

/** How a model is trained: loss, optimiser, length, stopping. */
export interface TrainingConfig {
  epochs: number;
  /** Evaluations without a better selection metric before training stops; 0 switches early stopping off. */
  patience: number;
  /** Packed rows of `maxLength` tokens a step. */
  rows: number;
  /** `all`: every position predicts the next item (causal models); `last`: the last position of a prefix. */
  loss: 'all' | 'last';
  /**
   * With `loss: last`: `every` prefix of a history once an epoch (the published protocol), one `random` prefix of each, or so
   * many different ones of each. Absent: `every` for mamba4rec, 16 for the other models.
   */
  prefixes?: Prefixes;
  /**
   * Items sampled a step to stand for all others in the cross-entropy, shared by the positions of the step and corrected by
   * their chance of being in the sample. Absent: all items.
   */
  negatives?: number;
  proposal?: Proposal;
  learningRate: LearningRate;
  /** After the linear warm-up: held, or lowered along half a cosine to a tenth over `epochs`. */
  schedule: 'constant' | 'cosine';
  /** Steps of linear warm-up. */
  warmup: number;
  /** Decoupled, of matrices, convolutions and tables; A_log, D, biases and norms are left alone. */
  weightDecay: number;
  /** Global gradient norm above which gradients are scaled down; 0 switches it off. */
  clipNorm: number;
  /** Epochs between evaluations on the validation items. */
  evaluateEvery: number;
  /** Optimiser steps between further evaluations, within epochs too; absent: none. */
  evaluateSteps?: number;
}

/** What is measured, and on what a model is chosen. */
export interface EvaluationConfig {
  /** Cut-offs K. */
  ks: number[];
  /** The metric that early stopping and selection use, e.g. `ndcg@10`. */
  select: string;
  /** Whether selection looks at rankings without (`masked`) or with (`unmasked`) the user's history among the candidates. */
  history: 'masked' | 'unmasked';
  /** Users that are evaluated: a fixed sample of so many, the same in every trial on the data; absent: all. */
  users?: number;
  /** Users of the test: all, or another sample of so many; absent: those of the validation. */
  testUsers?: number | 'all';
}

/** Fully resolved; JSON-serialisable; no field without meaning for the numbers. */
export interface TrialConfig {
  data: { name: string; hash: string };
  slice: SliceSpec;
  /** Leave-one-out where absent. */
  split?: SplitSpec;
  model: ModelConfig;
  training: TrainingConfig;
  evaluation: EvaluationConfig;
  seed: number;
  /** SHA-256 of the weights file that training starts from; absent: initial weights drawn from the seed. */
  startFrom?: string;
  /** `wasm`, `composed`, `webgpu`, `tensorflow`: results are equal bit for bit only on the same backend. */
  backend: string;
}

/** What a training does where nothing else is said. */
export const DEFAULT_TRAINING: TrainingConfig & { learningRate: number } = {
  epochs: 20,
  patience: 10,
  rows: 8,
  loss: 'all',
  learningRate: 1e-3,
  schedule: 'constant',
  warmup: 0,
  weightDecay: 0,
  clipNorm: 0,
  evaluateEvery: 1,
};

/** Full ranking at 5, 10 and 20, chosen on NDCG@10 with the history left out. */
export const DEFAULT_EVALUATION: EvaluationConfig = { ks: [5, 10, 20], select: 'ndcg@10', history: 'masked' };
