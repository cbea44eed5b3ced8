/** What fixes a model's shape: everything `model/size.ts` needs to count its parameters and FLOPs exactly. */

export const MODEL_NAMES = ['mamba4rec', 'tim4rec', 'ssd4rec'] as const;
/** One of MODEL_NAMES. */
export type ModelName = (typeof MODEL_NAMES)[number];

/** Models that read a history in both directions: a loss at all positions would show them what they predict. */
export const BIDIRECTIONAL: readonly ModelName[] = ['ssd4rec'];

/** Where the loss is taken if nothing is said: at all positions, or at the last of a prefix. */
export function defaultLoss(model: ModelName): 'all' | 'last' {
  return BIDIRECTIONAL.includes(model) ? 'last' : 'all';
}

/**
 * How TiM4Rec sees time. `paper`: as published, normalised and mixed over the whole row length, the padding's huge negative
 * difference included. `masked`: over the history alone, without its padding. Both look along the whole history, so they are
 * for a loss at the last position. `causal`: normalised by the past alone, no mixing over later positions: for a loss at all
 * positions. `none`: without the time path (the ablation; data needs no timestamps).
 */
export type TimeMode = 'paper' | 'masked' | 'causal' | 'none';

/** A model's architecture: with the number of items it fixes every tensor's shape. */
export interface ModelConfig {
  name: ModelName;
  /** Hidden and embedding size d. */
  dim: number;
  layers: number;
  /** States a channel, N. */
  dState: number;
  /** Width of the causal convolution, k. */
  dConv: number;
  /** Inner width over hidden size, E = expand * d. */
  expand: number;
  /** Channels a head (Mamba-2 models only). */
  headDim?: number;
  /** Longest history the model looks at, in items. */
  maxLength: number;
  dropout: number;
  /** `mamba`: the library's initial values (long memory); `mamba4rec`: the paper's released code, which overwrites them. */
  init: 'mamba' | 'mamba4rec';
  /** TiM4Rec only. Absent: `causal` with a loss at all positions, `masked` with a loss at the last (see timeMode). */
  time?: TimeMode;
  /** TiM4Rec only: the gate that carries the time signal on is one number a history (`one`) or one a position (`position`). */
  timeGate?: 'one' | 'position';
  /** TiM4Rec only: dropout inside its time path; the same as `dropout` where absent. */
  timeDropout?: number;
  /**
   * TiM4Rec only: initial values of the convolutions, `uniform` as PyTorch draws them or `kaiming` as the released code does
   * on ML-1M (normal, deviation sqrt(2 / (channels k)), biases 0). Absent: `uniform`.
   */
  convInit?: 'uniform' | 'kaiming';
  /** SSD4Rec only: weight of the reversed direction (0.1). */
  beta?: number;
  /** SSD4Rec only: the reversed direction's output is added as it comes (`released`), or turned back first (`aligned`). */
  reverseOutput?: 'released' | 'aligned';
  /** SSD4Rec only: share of the items of a history that training hides (0.1). */
  hiddenShare?: number;
  /** SSD4Rec only: whether dropout and LayerNorm follow the embedding; published `off` on Amazon data. Absent: `on`. */
  embeddingNorm?: 'on' | 'off';
}

/** The time mode of a configuration that may leave it open, for a loss at these positions. */
export function timeMode(config: ModelConfig, loss: 'all' | 'last'): TimeMode {
  return config.time ?? (loss === 'all' ? 'causal' : 'masked');
}

/** What a configuration holds where nothing else is said: one layer of the published Mamba4Rec with the library's initial values. */
export const DEFAULT_MODEL: ModelConfig = {
  name: 'mamba4rec',
  dim: 64,
  layers: 1,
  dState: 32,
  dConv: 4,
  expand: 2,
  maxLength: 200,
  dropout: 0.2,
  init: 'mamba',
};

/** SSD4Rec's published settings, used where a configuration leaves them open. */
export const SSD4REC_DEFAULTS = { beta: 0.1, hiddenShare: 0.1, reverseOutput: 'released' } as const;

/** Settings that mean something to some models only; every other setting means something to all. */
export const MEANT_FOR: Partial<Record<keyof ModelConfig, readonly ModelName[]>> = {
  headDim: ['tim4rec', 'ssd4rec'],
  time: ['tim4rec'],
  timeGate: ['tim4rec'],
  timeDropout: ['tim4rec'],
  convInit: ['tim4rec'],
  beta: ['ssd4rec'],
  reverseOutput: ['ssd4rec'],
  hiddenShare: ['ssd4rec'],
  embeddingNorm: ['ssd4rec'],
};
