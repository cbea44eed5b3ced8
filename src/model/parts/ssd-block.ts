/**
 * The Mamba-2 block (Dao and Gu 2024), on the selective scan with one decay a head; TiM4Rec and SSD4Rec share it.
 *
 *   [z, x, B, C, dt] = W_in u;  x, B, C = act(causal conv);  dt = softplus(dt f + dt_bias), f the time path's factor or 1
 *   out = W_out (RMSNorm(scan(x, dt, A, B, C) + D x) SiLU(z)) w), the gate inside the norm
 */
import * as tf from '@tensorflow/tfjs';
import { causalConv } from '../../kernels/causal-conv/op.js';
import { linear } from '../../kernels/matmul/op.js';
import { splitLinear } from '../../kernels/matmul/split.js';
import { rmsNorm } from '../../kernels/rms-norm/op.js';
import { selectiveScan } from '../../kernels/selective-scan/op.js';
import type { ModelConfig } from '../config.js';
import { headCount } from '../size.js';
import type { Initialiser, Weights } from '../weights.js';
import { timeStepBias } from './layers.js';

/** How the models' blocks differ. */
export interface SsdForm {
  /** Whether the projections carry a bias. */
  bias: boolean;
  activation: 'silu' | 'hardswish';
  /** Of the gated norm. */
  epsilon: number;
}

/** Linear layer: uniform on +-1/sqrt(inputs) as PyTorch draws it, or, for `init: mamba4rec`, N(0, 0.02) with bias 0. */
export function addLinear(
  weights: Weights,
  name: string,
  [outputs, inputs]: [number, number],
  bias: boolean,
  config: ModelConfig,
  from: Initialiser,
): void {
  const asLibrary = config.init === 'mamba';
  const bound = 1 / Math.sqrt(inputs);
  const of = (part: string) => `${name}.${part}`;
  const fill = asLibrary ? from.uniform(of('weight'), bound) : from.normal(of('weight'), 0.02);
  weights.add(of('weight'), [outputs, inputs], fill);
  if (bias) weights.add(of('bias'), [outputs], asLibrary ? from.uniform(of('bias'), bound) : () => 0);
}

/** Depthwise convolution as PyTorch draws it, or for `convInit: kaiming` normal by the outputs (He et al. 2015), biases 0. */
export function addConv(
  weights: Weights,
  name: string,
  channels: number,
  { dConv, convInit }: ModelConfig,
  from: Initialiser,
): void {
  const kaiming = convInit === 'kaiming';
  const bound = 1 / Math.sqrt(dConv);
  const of = (part: string) => `${name}.${part}`;
  const fill = kaiming
    ? from.normal(of('weight'), Math.sqrt(2 / (channels * dConv)))
    : from.uniform(of('weight'), bound);
  weights.add(of('weight'), [channels, 1, dConv], fill);
  weights.add(of('bias'), [channels], kaiming ? () => 0 : from.uniform(of('bias'), bound));
}

/** The block's weights under `prefix`, with the library's initial values: A uniform on [1, 16], dt log-uniform on [0.001, 0.1]. */
export function addSsdBlock(
  weights: Weights,
  prefix: string,
  config: ModelConfig,
  form: SsdForm,
  from: Initialiser,
): void {
  const { dim, dState, expand } = config;
  const inner = expand * dim;
  const heads = headCount(config);
  const decay = from.stream(`${prefix}.A_log`);
  weights.add(`${prefix}.dt_bias`, [heads], timeStepBias(from, `${prefix}.dt_bias`));
  weights.add(`${prefix}.A_log`, [heads], () => Math.log(1 + 15 * decay.uniform()));
  weights.add(`${prefix}.D`, [heads], () => 1);
  addLinear(weights, `${prefix}.in_proj`, [2 * inner + 2 * dState + heads, dim], form.bias, config, from);
  addConv(weights, `${prefix}.conv1d`, inner + 2 * dState, config, from);
  weights.add(`${prefix}.norm.weight`, [inner], () => 1);
  addLinear(weights, `${prefix}.out_proj`, [dim, inner], form.bias, config, from);
}

/**
 * u: [rows * length, dim] -> [rows * length, dim]. Filters are split by their weights, not by their outputs: weights are
 * small, activations are not.
 * @param factor [rows * length, heads]: multiplies the time steps before bias and softplus.
 */
export function ssdBlock(
  weights: Weights,
  prefix: string,
  config: ModelConfig,
  form: SsdForm,
  u: tf.Tensor2D,
  reset: tf.Tensor2D,
  factor?: tf.Tensor2D,
): tf.Tensor2D {
  const [rows, length] = reset.shape;
  const { dState, dConv } = config;
  const inner = config.expand * config.dim;
  const heads = headCount(config);
  const weight = <T extends tf.Tensor>(name: string) => weights.get<T>(`${prefix}.${name}`);
  const byRow = (t: tf.Tensor2D) => tf.reshape(t, [rows, length, t.shape[1]]) as tf.Tensor3D;
  const parts = [inner, inner, dState, dState, heads];
  const bias = form.bias ? weight<tf.Tensor1D>('in_proj.bias') : undefined;
  const [z, rawX, rawB, rawC, rawDelta] = splitLinear(u, weight('in_proj.weight'), bias, parts);
  const filterOf = tf.reshape(weight('conv1d.weight'), [inner + 2 * dState, dConv]) as tf.Tensor2D;
  const filters = tf.split(filterOf, parts.slice(1, 4), 0) as tf.Tensor2D[];
  const shifts = tf.split(weight<tf.Tensor1D>('conv1d.bias'), parts.slice(1, 4)) as tf.Tensor1D[];
  const [x, B, C] = [rawX!, rawB!, rawC!].map((t, i) =>
    causalConv({ x: byRow(t), weight: filters[i]!, bias: shifts[i]!, reset }, form.activation),
  );
  const y = selectiveScan(
    {
      x: x!,
      delta: byRow(factor ? tf.mul(rawDelta!, factor) : rawDelta!),
      A: tf.neg(tf.exp(weight<tf.Tensor1D>('A_log'))),
      B: B!,
      C: C!,
      D: weight('D'),
      z: byRow(z!),
      deltaBias: weight('dt_bias'),
      reset,
    },
    true,
  );
  const normed = rmsNorm(
    tf.reshape(y, [rows * length, inner]) as tf.Tensor2D,
    weight('norm.weight'),
    form.epsilon,
  );
  return linear(
    normed,
    weight<tf.Tensor2D>('out_proj.weight'),
    form.bias ? weight('out_proj.bias') : undefined,
  );
}
