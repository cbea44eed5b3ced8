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
  /** Where it comes from, for error messages: `runs.csv:12`, or a trial's id. */
  source?: string;
}
