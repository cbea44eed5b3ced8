/** Parts that the models share: the Mamba-1 block, the feed-forward block, dropout by site. */
import * as tf from '@tensorflow/tfjs';
import { gelu } from '../../kernels/activation/gelu.js';
import { causalConv } from '../../kernels/causal-conv/op.js';
import { dropout } from '../../kernels/dropout/op.js';
import { dropoutMask } from '../../kernels/dropout/reference.js';
import { layerNorm } from '../../kernels/layer-norm/op.js';
import { linear } from '../../kernels/matmul/op.js';
import { splitLinear } from '../../kernels/matmul/split.js';
import { selectiveScan } from '../../kernels/selective-scan/op.js';
import type { ModelConfig } from '../config.js';
import type { Initialiser, Weights } from '../weights.js';

/** LayerNorm's epsilon in the published code of Mamba4Rec and TiM4Rec. */
export const EPSILON = 1e-12;

/** Dropout for one pass: every call has a seed of its own, derived from the step's. */
export interface DropoutSite {
  <T extends tf.Tensor>(x: T): T;
  /** What the next call would multiply n elements by, for inputs that are no tensors; undefined where nothing is dropped. */
  mask(n: number): Float32Array | undefined;
}

/** @param seed of the step; undefined switches dropout off. */
export function dropoutSites(rate: number, seed: number | undefined): DropoutSite {
  let site = 0;
  const off = seed === undefined || rate === 0;
  return Object.assign(<T extends tf.Tensor>(x: T): T => (off ? x : dropout(x, rate, mix(seed, ++site))), {
    mask: (n: number) => (off ? undefined : dropoutMask(n, rate, mix(seed, ++site))),
  });
}

function mix(seed: number, site: number): number {
  const h = Math.imul(seed ^ Math.imul(site, 0x9e3779b1), 0x85ebca6b);
  return Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
}

export function addLayerNorm(weights: Weights, name: string, width: number): void {
  weights.add(`${name}.weight`, [width], () => 1);
  weights.add(`${name}.bias`, [width], () => 0);
}

export function applyLayerNorm<T extends tf.Tensor>(weights: Weights, name: string, x: T): T {
  return layerNorm(x, weights.get(`${name}.weight`), weights.get(`${name}.bias`), EPSILON);
}

/** Ranks of the time step's projection: ceil(dim / 16). */
export function dtRank(dim: number): number {
  return Math.ceil(dim / 16);
}

/**
 * The Mamba-1 block's weights under `prefix` (Gu and Dao 2023). `init: mamba` draws as the library does: time steps
 * log-uniform on [0.001, 0.1], projections uniform on +-1/sqrt(inputs). `init: mamba4rec` is what the released Mamba4Rec
 * ends up with after it redraws every Linear from N(0, 0.02) and zeroes every Linear bias, the time step's too.
 */
export function addMambaBlock(
  weights: Weights,
  prefix: string,
  config: ModelConfig,
  from: Initialiser,
): void {
  const { dim, dState, dConv, expand } = config;
  const inner = expand * dim;
  const rank = dtRank(dim);
  const asLibrary = config.init === 'mamba';
  const projection = (name: string, outputs: number, inputs: number) => {
    const full = `${prefix}.${name}`;
    const fill = asLibrary ? from.uniform(full, 1 / Math.sqrt(inputs)) : from.normal(full, 0.02);
    weights.add(full, [outputs, inputs], fill);
  };
  weights.add(`${prefix}.A_log`, [inner, dState], (i) => Math.log((i % dState) + 1));
  weights.add(`${prefix}.D`, [inner], () => 1);
  projection('in_proj.weight', 2 * inner, dim);
  for (const [name, shape] of [
    ['conv1d.weight', [inner, 1, dConv]],
    ['conv1d.bias', [inner]],
  ] as const)
    weights.add(`${prefix}.${name}`, [...shape], from.uniform(`${prefix}.${name}`, 1 / Math.sqrt(dConv)));
  projection('x_proj.weight', rank + 2 * dState, inner);
  const dt = `${prefix}.dt_proj`;
  const spread = asLibrary
    ? from.uniform(`${dt}.weight`, 1 / Math.sqrt(rank))
    : from.normal(`${dt}.weight`, 0.02);
  weights.add(`${dt}.weight`, [inner, rank], spread);
  weights.add(`${dt}.bias`, [inner], asLibrary ? timeStepBias(from, `${dt}.bias`) : () => 0);
  projection('out_proj.weight', dim, inner);
}

/** Inverse softplus of a time step that is log-uniform on [0.001, 0.1], at least 1e-4. */
export function timeStepBias(from: Initialiser, name: string): () => number {
  const random = from.stream(name);
  return () => {
    const dt = Math.max(Math.exp(Math.log(0.001) + random.uniform() * Math.log(100)), 1e-4);
    return dt + Math.log(-Math.expm1(-dt));
  };
}

/** The Mamba-1 block. u: [rows * length, dim] -> [rows * length, dim]. */
export function mambaBlock(
  weights: Weights,
  prefix: string,
  config: ModelConfig,
  u: tf.Tensor2D,
  reset: tf.Tensor2D,
): tf.Tensor2D {
  const [rows, length] = reset.shape;
  const inner = config.expand * config.dim;
  const rank = dtRank(config.dim);
  const weight = <T extends tf.Tensor>(name: string) => weights.get<T>(`${prefix}.${name}`);
  const byRow = (t: tf.Tensor2D) => tf.reshape(t, [rows, length, t.shape[1]]) as tf.Tensor3D;
  const [rawX, z] = splitLinear(u, weight('in_proj.weight'), undefined, [inner, inner]);
  const x = causalConv(
    {
      x: byRow(rawX!),
      weight: tf.reshape(weight('conv1d.weight'), [inner, config.dConv]),
      bias: weight('conv1d.bias'),
      reset,
    },
    'silu',
  );
  const [delta, B, C] = splitLinear(
    tf.reshape(x, [rows * length, inner]),
    weight('x_proj.weight'),
    undefined,
    [rank, config.dState, config.dState],
  );
  const y = selectiveScan(
    {
      x,
      delta: byRow(linear(delta!, weight<tf.Tensor2D>('dt_proj.weight'))),
      A: tf.neg(tf.exp(weight<tf.Tensor2D>('A_log'))),
      B: byRow(B!),
      C: byRow(C!),
      D: weight('D'),
      z: byRow(z!),
      deltaBias: weight('dt_proj.bias'),
      reset,
    },
    true,
  );
  return linear(tf.reshape(y, [rows * length, inner]) as tf.Tensor2D, weight<tf.Tensor2D>('out_proj.weight'));
}

/** A feed-forward block's names for its weights, and its activation. */
export interface FeedForwardForm {
  first: string;
  second: string;
  norm: string;
  activation: <T extends tf.Tensor>(x: T) => T;
  /** Where the second dropout stands. */
  dropout: 'before residual' | 'after norm';
}

const MAMBA4REC_FORM: FeedForwardForm = {
  first: 'w_1',
  second: 'w_2',
  norm: 'LayerNorm',
  activation: gelu,
  dropout: 'before residual',
};

/** Feed-forward block: W1 to 4 dim, activation (GELU), W2 back, residual, LayerNorm. */
export function addFeedForward(
  weights: Weights,
  prefix: string,
  dim: number,
  from: Initialiser,
  { first, second, norm }: FeedForwardForm = MAMBA4REC_FORM,
): void {
  const w1 = `${prefix}.${first}`;
  const w2 = `${prefix}.${second}`;
  weights.add(`${w1}.weight`, [4 * dim, dim], from.normal(`${w1}.weight`, 0.02));
  weights.add(`${w1}.bias`, [4 * dim], () => 0);
  weights.add(`${w2}.weight`, [dim, 4 * dim], from.normal(`${w2}.weight`, 0.02));
  weights.add(`${w2}.bias`, [dim], () => 0);
  addLayerNorm(weights, `${prefix}.${norm}`, dim);
}

export function feedForward(
  weights: Weights,
  prefix: string,
  x: tf.Tensor2D,
  drop: DropoutSite,
  form: FeedForwardForm = MAMBA4REC_FORM,
): tf.Tensor2D {
  const layer = (name: string, input: tf.Tensor2D) =>
    linear(input, weights.get(`${prefix}.${name}.weight`), weights.get(`${prefix}.${name}.bias`));
  const norm = (y: tf.Tensor2D) => applyLayerNorm(weights, `${prefix}.${form.norm}`, y);
  const back = layer(form.second, drop(form.activation(layer(form.first, x))));
  return form.dropout === 'after norm' ? drop(norm(tf.add(back, x))) : norm(tf.add(drop(back), x));
}
