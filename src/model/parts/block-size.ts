/**
 * Parameters and forward FLOPs of the blocks that models are made of. A row of kinds.ts adds them up; notation and conventions stand
 * at the head of size.ts.
 */

/** What counts depend on. */
export interface Shape {
  d: number;
  E: number;
  N: number;
  k: number;
  h: number;
  R: number;
  L: number;
}

/** One size of each kind of model: parameters outside the layers, of a layer, and forward FLOPs a token of a layer. */
export interface Counts {
  stem: number;
  layer: number;
  layerFlops: number;
}

export interface BlockSize {
  parameters: number;
  /** Forward, of one token. */
  flops: number;
}

/** The feed-forward block: W1 and W2 with biases, LayerNorm. */
export function feedForwardSize({ d }: Shape): BlockSize {
  return { parameters: 8 * d * d + 5 * d + 2 * d, flops: 16 * d * d };
}

/** The Mamba block. */
export function mambaBlockSize({ d, E, N, k, R }: Shape): BlockSize {
  return {
    // W_in (d x 2E) and W_out (E x d); conv with bias; W_x; W_dt with bias; A_log; D
    parameters: 3 * d * E + (k + 1) * E + E * (R + 2 * N) + R * E + E + E * N + E,
    flops: 6 * d * E + 2 * k * E + 2 * E * (R + 2 * N) + 2 * R * E + 6 * E * N + 2 * E,
  };
}

/** The Mamba-2 block; `bias` where the projections carry one. */
export function ssdBlockSize({ d, E, N, k, h }: Shape, bias: boolean): BlockSize {
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
