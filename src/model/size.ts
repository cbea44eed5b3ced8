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

/** Channels a head where the configuration leaves it open: the published settings. */
export const PUBLISHED_HEAD_DIM = { mamba4rec: 1, tim4rec: 32, ssd4rec: 16 } as const;

interface Shape {
  d: number;
  E: number;
  N: number;
  k: number;
  h: number;
  R: number;
  L: number;
  /** Whether TiM4Rec has its time path. */
  timed: boolean;
  /** Gates of that path a history. */
  gates: number;
}

/** Heads of a Mamba-2 model. @throws UserError when headDim does not divide the inner width. */
export function headCount(config: ModelConfig): number {
  return shapeOf(config).h;
}

function shapeOf(config: ModelConfig): Shape {
  const E = config.expand * config.dim;
  const headDim = config.headDim ?? PUBLISHED_HEAD_DIM[config.name];
  const h = E / headDim;
  if (config.name !== 'mamba4rec' && !Number.isInteger(h))
    throw new UserError(
      `${config.name} with dim ${config.dim} has ${E} inner channels, which headDim ${headDim} does not divide`,
      { remedy: 'Choose a dim whose multiple by `expand` is a multiple of headDim.' },
    );
  return {
    d: config.dim,
    E,
    N: config.dState,
    k: config.dConv,
    h,
    R: Math.ceil(config.dim / 16),
    L: config.maxLength,
    timed: config.time !== 'none',
    gates: config.timeGate === 'position' ? config.maxLength : 1,
  };
}

/** One size of each kind of model: parameters outside the layers, of a layer, and forward FLOPs a token of a layer. */
interface Counts {
  stem: number;
  layer: number;
  layerFlops: number;
}

const feedForward = ({ d }: Shape) => 8 * d * d + 5 * d + 2 * d; // W1, W2 with biases, LayerNorm
const feedForwardFlops = ({ d }: Shape) => 16 * d * d;

/** The Mamba block. */
function mambaBlock({ d, E, N, k, R }: Shape): { parameters: number; flops: number } {
  return {
    // W_in (d x 2E) and W_out (E x d); conv with bias; W_x; W_dt with bias; A_log; D
    parameters: 3 * d * E + (k + 1) * E + E * (R + 2 * N) + R * E + E + E * N + E,
    flops: 6 * d * E + 2 * k * E + 2 * E * (R + 2 * N) + 2 * R * E + 6 * E * N + 2 * E,
  };
}

function mamba4rec(s: Shape): Counts {
  const block = mambaBlock(s);
  return {
    stem: 2 * s.d,
    layer: block.parameters + 2 * s.d + feedForward(s),
    layerFlops: block.flops + feedForwardFlops(s),
  };
}

/** The Mamba-2 block; `bias` where the projections carry one. */
function ssdBlock({ d, E, N, k, h }: Shape, bias: boolean): { parameters: number; flops: number } {
  const inner = 2 * E + 2 * N + h; // [z, x, B, C, dt]
  const parameters =
    d * inner +
    (E + 2 * N) * (k + 1) + // conv with bias on [x, B, C]
    3 * h + // dt_bias, A_log, D
    E + // RMSNorm
    E * d +
    (bias ? inner + d : 0);
  const flops = 2 * d * inner + 2 * k * (E + 2 * N) + 5 * E * N + 2 * E + 2 * E * d;
  return { parameters, flops };
}

function tim4rec(s: Shape): Counts {
  const { d, k, h, L } = s;
  const block = ssdBlock(s, true);
  if (!s.timed)
    return {
      stem: 2 * d,
      layer: block.parameters + 2 * d + feedForward(s),
      layerFlops: block.flops + feedForwardFlops(s),
    };
  // two depthwise convolutions over time, W1 and W2 over the length axis, one gate or L, the norm over the length
  const time = 2 * (h * k + h) + 2 * (L * L + L) + s.gates * (L + 1) + 2 * L;
  const timeFlops = 4 * h * k + 4 * h * L + 2 * h * s.gates;
  return {
    stem: 2 * d + 2 * L,
    layer: block.parameters + time + 2 * d + feedForward(s),
    layerFlops: block.flops + timeFlops + feedForwardFlops(s),
  };
}

function ssd4rec(s: Shape): Counts {
  const block = ssdBlock(s, false);
  return {
    stem: 2 * s.d,
    layer: block.parameters + 2 * s.d + feedForward(s),
    layerFlops: 2 * block.flops + feedForwardFlops(s), // forward and reversed, one set of weights
  };
}

const COUNTS = { mamba4rec, tim4rec, ssd4rec };

/**
 * Trainable parameters, exactly.
 * @param numItems items of the catalogue, n, without the padding row.
 * @throws UserError when headDim does not divide the inner width.
 */
export function countParameters(config: ModelConfig, numItems: number): ParameterCount {
  const { stem, layer } = COUNTS[config.name](shapeOf(config));
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
  const { layerFlops } = COUNTS[config.name](shapeOf(config));
  const loss = options.loss ?? defaultLoss(config.name);
  const scored = options.negatives ? Math.min(options.negatives, numItems) + 1 : numItems + 1;
  const predicting = loss === 'all' ? 1 : (options.predicting ?? 1 / config.maxLength);
  const scores = 2 * config.dim * scored * predicting;
  return 3 * (config.layers * layerFlops + scores);
}
