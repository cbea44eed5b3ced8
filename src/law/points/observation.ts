/** One measured point: a configuration, the data it was trained on, and what came out. The only input of every law. */

export interface Observation {
  /** Name of the data slice. */
  slice: string;
  layers: number;
  dim: number;
  /** `hr@10`, `ndcg@10`, ...: any metric of 0 or more; see `directionOf` for which way it is better. */
  metrics: Record<string, number>;
  /** Standard errors of the metrics over the evaluated users, by the same names; where known. */
  standardErrors?: Record<string, number>;
  /** Total trainable parameters. */
  params?: number;
  nonEmbeddingParams?: number;
  /** Training FLOPs of the whole run. */
  flops?: number;
  /** Tokens that the run trained on, over all its epochs, padding not counted: what `flops` was counted by. */
  trainingTokens?: number;
  /** Tokens of the slice. */
  tokens?: number;
  /** Measures of the slice's quality by name: `apen`, `lempelZiv`, `shannon`, `compression`, ... */
  quality?: Record<string, number>;
  seed?: number;
  seconds?: number;
  peakMemoryBytes?: number;
  tokensPerSecond?: number;
  /** Whatever else identifies the configuration (model, dState, maxLength, ...), for grouping and for counting parameters. */
  config?: Record<string, string | number>;
  /** Metrics that are percentages, also where all values lie below 1. */
  percentages?: string[];
  /** Name of the run: observations that share it, and all their numbers, are copies of one run. */
  id?: string;
  /** Of the best of several tuned settings: what the choice is expected to add to the fitted metric, and what spread it hides. */
  optimism?: { mean: number; spread: number };
  /** Where it comes from, for error messages: `runs.csv:12`, or a trial's id. */
  source?: string;
}
