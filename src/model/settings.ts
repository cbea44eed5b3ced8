/** The settings that a model may have, whichever model it is. A setting that only some models know is named in their rows (kinds.ts). */

/** Where the loss is taken: at all positions, or at the last one of a prefix. */
export type LossPlace = 'all' | 'last';

/**
 * How TiM4Rec sees time. `paper`: as published, normalised and mixed over the whole row length, the padding's huge negative
 * difference included. `masked`: over the history alone, without its padding. Both look along the whole history, so they are
 * for a loss at the last position. `causal`: normalised by the past alone, no mixing over later positions: for a loss at all
 * positions. `none`: without the time path (the ablation; data needs no timestamps).
 */
export type TimeMode = 'paper' | 'masked' | 'causal' | 'none';

/** A model's architecture without its name: with the number of items it fixes every tensor's shape. */
export interface ModelSettings {
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
  /**
   * Mamba4Rec and TiM4Rec: whether the block of a model with one layer has the residual that every deeper model's blocks have.
   * The published code leaves it out there (`published`), so that one layer is another architecture and not the small end of
   * an axis; `always` keeps it. Absent: `published`.
   */
  residual?: 'published' | 'always';
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
