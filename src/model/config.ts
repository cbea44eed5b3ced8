/** What fixes a model's shape: everything `model/size.ts` needs to count its parameters and FLOPs exactly. */

export type ModelName = 'mamba4rec' | 'tim4rec' | 'ssd4rec';

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
