/**
 * Exact parameters and training FLOPs of a model from its configuration alone; no tensor is made.
 *
 * Notation: n items (id 0 is padding, so the table has n + 1 rows), d = dim, E = expand d, N = dState, k = dConv,
 * h = E / headDim heads, R = ceil(d / 16), L = maxLength.
 *
 * FLOP convention. A multiply-add counts 2; backward costs twice forward, so training costs 3 times forward. Per real
 * token (padding is not counted) these terms count: every matrix product (2 per weight), the causal convolutions (2k
 * per channel), the scan in its recurrent form (per channel and state: 6 for Mamba-1, whose decay differs by state, and
 * 5 for Mamba-2; plus 2 per channel for D u), the time path of TiM4Rec, and the scores at every position that predicts:
 * against all n + 1 rows, or against the target and the sampled negatives. These do not: look-ups, norms, activations, exponentials, softmax, dropout and the optimiser.
 *
 * Sources: Mamba4Rec arXiv 2403.03900, TiM4Rec arXiv 2409.16182, SSD4Rec arXiv 2409.01192.
 */
import { UserError } from '../util/errors.js';
import { defaultLoss, type ModelConfig } from './config.js';
import { kindOf } from './kinds.js';
import type { Shape } from './parts/block-size.js';

/** Trainable numbers of a configuration, by part. */
export interface ParameterCount {
  total: number;
  /** Without the item table of (n + 1) d, which scores share. */
  nonEmbedding: number;
}

export interface FlopOptions {
  /** `all`: every token predicts; `last`: the share below. Default `all`; `last` for SSD4Rec. */
  loss?: 'all' | 'last';
  /** Share of tokens that predict, with `loss: last`; 1 of `maxLength` where absent, as if every history were that long. */
  predicting?: number;
  /** Items sampled beside the target, for a sampled cross-entropy; all items where absent or 0. */
  negatives?: number;
}

/** Heads of a Mamba-2 model. @throws UserError when headDim does not divide the inner width. */
export function headCount(config: ModelConfig): number {
  return shapeOf(config).h;
}

/** @throws UserError where expand or headDim do not go with dim. */
function shapeOf(config: ModelConfig): Shape {
  const E = config.expand * config.dim;
  const { headDim: published } = kindOf(config);
  const headDim = published === undefined ? 1 : (config.headDim ?? published);
  const fault = !Number.isInteger(E)
    ? `expand ${config.expand} x dim ${config.dim} is not a whole number`
    : E % headDim !== 0
      ? `headDim ${headDim} does not divide expand x dim = ${E}`
      : undefined;
  if (fault)
    throw new UserError(`${fault} (${config.name}, ${config.layers} layers)`, {
      remedy: 'Change one of them; in a sweep, `exclude:` leaves the combination out.',
    });
  return {
    d: config.dim,
    E,
    N: config.dState,
    k: config.dConv,
    h: E / headDim,
    R: Math.ceil(config.dim / 16),
    L: config.maxLength,
  };
}

/**
 * Trainable parameters, exactly.
 * @param numItems items of the catalogue, n, without the padding row.
 * @throws UserError where expand or headDim do not go with dim.
 */
export function countParameters(config: ModelConfig, numItems: number): ParameterCount {
  const { stem, layer } = kindOf(config).counts(shapeOf(config), config);
  const nonEmbedding = stem + config.layers * layer;
  return { total: (numItems + 1) * config.dim + nonEmbedding, nonEmbedding };
}

/**
 * Training FLOPs (forward and backward) of one real token, by the convention at the head of this file.
 * @param numItems items of the catalogue, n, without the padding row.
 */
export function trainingFlopsPerToken(
  config: ModelConfig,
  numItems: number,
  options: FlopOptions = {},
): number {
  const { layerFlops } = kindOf(config).counts(shapeOf(config), config);
  const loss = options.loss ?? defaultLoss(config.name);
  const scored = options.negatives ? Math.min(options.negatives, numItems) + 1 : numItems + 1;
  const predicting = loss === 'all' ? 1 : (options.predicting ?? 1 / config.maxLength);
  const scores = 2 * config.dim * scored * predicting;
  return 3 * (config.layers * layerFlops + scores);
}
