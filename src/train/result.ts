/** What a finished training reports; the sweep stores it, fit and report read it. Plain data, no tfjs. */

/** Metric names are `hr@K`, `ndcg@K`, `mrr@K`. */
export type Metrics = Record<string, number>;

/** Full ranking over all items, without (`masked`) and with (`unmasked`) the user's history among the candidates. */
export interface RankingMetrics {
  masked: Metrics;
  unmasked: Metrics;
  /** Mean cross-entropy of the targets over all items, nats: lower is better. Absent in results of before it was measured. */
  loss?: number;
}

/** A point of the learning curve. */
export interface EpochRecord {
  epoch: number;
  /** Optimiser steps so far. */
  step: number;
  /** Mean training cross-entropy of the epoch, nats a predicted item. */
  loss: number;
  /** Absent in epochs without evaluation. */
  validation?: RankingMetrics;
  /** Evaluations within the epoch (`evaluateSteps`), in order; absent where there were none. */
  within?: StepRecord[];
  /** Seconds of training alone (evaluation not counted). */
  seconds: number;
  /** Real (not padded) tokens a second of training. */
  tokensPerSecond: number;
}

/** An evaluation within an epoch. */
export interface StepRecord {
  /** Optimiser steps so far. */
  step: number;
  /** Mean training cross-entropy of the epoch so far. */
  loss: number;
  validation: RankingMetrics;
}

/** A finished training: metrics at the chosen epoch, and what it cost. */
export interface TrainingResult {
  /** At the epoch chosen on validation. */
  validation: RankingMetrics;
  test: RankingMetrics;
  /** Standard errors of both over their users; absent in results of before ranks were kept. */
  standardErrors?: { validation: RankingMetrics; test: RankingMetrics };
  bestEpoch: number;
  /** Optimiser steps done by then, where evaluations were asked for within epochs. */
  bestStep?: number;
  epochsRun: number;
  /** `halving`: cut short because others were better, see sweep/run/halving.ts. */
  stopped: 'epochs' | 'patience' | 'halving';
  curve: EpochRecord[];
  parameters: { total: number; nonEmbedding: number };
  /** Training FLOPs: of one real token (forward and backward) and of the whole run. */
  flops: { perToken: number; total: number };
  /** Real tokens: in the training set once, and seen over the whole run. */
  tokens: { perEpoch: number; total: number };
  /** `cores`: both times the threads that they ran on, where those were more than one. */
  seconds: { training: number; evaluation: number; cores?: number };
  tokensPerSecond: number;
  /** Most memory of the process since the training began; in a process that ran short trials before, what they left counts too. */
  peakMemoryBytes: number;
  backend: string;
  /** The GPU, where the backend is `webgpu`. */
  device?: string;
  /** The best weights' file, where one was asked for. */
  weights?: { sha256: string; bytes: number };
  /** The file of every user's ranks, where one was asked for. */
  ranks?: { sha256: string; bytes: number };
  /** The wasm kernels' instructions: `relaxed` (fused multiply-add) and `baseline` agree to rounding, not bit for bit. */
  simd?: string;
}
