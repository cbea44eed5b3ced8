/**
 * TiM4Rec's time path (arXiv 2409.16182): the time between items becomes a factor on every head's time steps.
 *
 *   tau_0 = LN(dropout(differences)), copied to the heads
 *   s = W2 SiLU(W1 dropout(tau)), v = act(conv_b(act(conv_a(tau s)))), g = sigmoid(W_g dropout(tau))
 *   dt is multiplied by v;  tau_next = LN(g tau + (1 - g) v)
 *
 * W1, W2, W_g and the LNs act along the length, so v at a position knows later timestamps. That is right for a loss at the
 * last position (`paper`, `masked`) and a leak for a loss at all positions; `causal` has the same weights, but W1 and W2
 * reach back only, the gate sums over the past, and the LNs take mean and deviation of the past. The path runs on one
 * history a line, [histories, heads, width], whatever the packing.
 */
import * as tf from '@tensorflow/tfjs';
import { causalConv } from '../../kernels/causal-conv/op.js';
import { embedding } from '../../kernels/embedding/op.js';
import { layerNorm } from '../../kernels/layer-norm/op.js';
import { linear } from '../../kernels/matmul/op.js';
import type { ModelConfig } from '../config.js';
import { type Histories, historiesOf, lineIndices, timeGaps } from '../histories.js';
import type { PackedBatch } from '../sequence-model.js';
import type { TimeMode } from '../settings.js';
import { headCount } from '../size.js';
import type { Initialiser, Weights } from '../weights.js';
import { addLayerNorm, type DropoutSite, EPSILON } from './layers.js';
import { addConv, addLinear, type SsdForm } from './ssd-block.js';
import { causalNorm, maskedNorm, normaliseGaps } from './time-norm.js';

type Sighted = Exclude<TimeMode, 'none'>;

export function addTimeStem(weights: Weights, config: ModelConfig): void {
  addLayerNorm(weights, 'layer_norm_time', config.maxLength);
}

/** The time path's weights of one layer, under the layer's SSD block. */
export function addTimeLayer(weights: Weights, prefix: string, config: ModelConfig, from: Initialiser): void {
  const { maxLength } = config;
  const heads = headCount(config);
  addConv(weights, `${prefix}.conv1d4time_1`, heads, config, from);
  addConv(weights, `${prefix}.conv1d4time_2`, heads, config, from);
  addLinear(weights, `${prefix}.mlp4time_scale.1`, [maxLength, maxLength], true, config, from);
  addLinear(weights, `${prefix}.mlp4time_scale.3`, [maxLength, maxLength], true, config, from);
  const gates = config.timeGate === 'position' ? maxLength : 1;
  addLinear(weights, `${prefix}.time_gate_residual.1`, [gates, maxLength], true, config, from);
  addLayerNorm(weights, `${prefix}.time_layer_norm`, maxLength);
}

/** The time signal of one pass through the layers. */
export interface TimeSignal {
  /**
   * The factor on the next layer's time steps, [rows * length, heads]; 0 where padded.
   * @param last whether no layer follows, so that the signal need not be carried on.
   */
  factor(prefix: string, last: boolean): tf.Tensor2D;
}

/**
 * @param drop for the differences, @param timeDrop for the signal between the layers.
 * @throws Error when the batch has no timestamps, or a history longer than the model's.
 */
export function startTimeSignal(
  weights: Weights,
  config: ModelConfig,
  mode: Sighted,
  activation: SsdForm['activation'],
  batch: PackedBatch,
  drop: DropoutSite,
  timeDrop: DropoutSite,
): TimeSignal {
  if (!batch.timestamps) throw new Error('the time path needs timestamps in the batch');
  const heads = headCount(config);
  const histories = historiesOf(batch);
  if (histories.longest > config.maxLength)
    throw new Error(`a history of ${histories.longest} items in a model for ${config.maxLength}`);
  const count = histories.starts.length;
  // As published, every history is padded to the full length; elsewhere what lies behind the longest changes nothing.
  const width = mode === 'paper' ? config.maxLength : Math.max(1, histories.longest);
  const gaps = timeGaps(histories, batch.timestamps, width, mode === 'paper');
  drop.mask(gaps.length)?.forEach((factor, i) => {
    gaps[i]! *= factor;
  });
  const norm = normOf(mode, histories, width);
  const narrow = <T extends tf.Tensor1D>(name: string) => tf.slice(weights.get<T>(name), 0, width);
  const start = tf.tensor3d(normaliseGaps(gaps, histories.lengths, width, mode), [count, 1, width]);
  const scaled = tf.add(tf.mul(start, narrow('layer_norm_time.weight')), narrow('layer_norm_time.bias'));
  let tau = tf.tile(norm.kept ? tf.mul(scaled, norm.kept) : scaled, [1, heads, 1]) as tf.Tensor3D;
  const indices = tf.tensor1d(lineIndices(histories, width, batch.rows * batch.length), 'int32');

  const conv = (prefix: string, x: tf.Tensor3D) =>
    causalConv(
      {
        x,
        weight: tf.reshape(weights.get(`${prefix}.weight`), [heads, config.dConv]),
        bias: weights.get(`${prefix}.bias`),
      },
      activation,
    );

  function factor(prefix: string, last: boolean): tf.Tensor2D {
    const mixed = mix(weights, `${prefix}.mlp4time_scale`, timeDrop(tau), mode);
    const bySteps = tf.transpose(tf.mul(tau, mixed), [0, 2, 1]) as tf.Tensor3D;
    const v = conv(`${prefix}.conv1d4time_2`, conv(`${prefix}.conv1d4time_1`, bySteps));
    if (!last) {
      const g = gate(weights, `${prefix}.time_gate_residual.1`, timeDrop(tau), mode);
      const carried = tf.add(tf.mul(g, tau), tf.mul(tf.sub(1, g), tf.transpose(v, [0, 2, 1])));
      tau = norm.apply(
        carried as tf.Tensor3D,
        narrow(`${prefix}.time_layer_norm.weight`),
        narrow(`${prefix}.time_layer_norm.bias`),
      );
    }
    const lines = tf.concat([tf.reshape(v, [count * width, heads]), tf.zeros([1, heads])]) as tf.Tensor2D;
    return embedding(lines, indices);
  }
  return { factor };
}

/** W2 SiLU(W1 tau) along the last axis; lower triangles only where the mode is causal. */
function mix(weights: Weights, prefix: string, tau: tf.Tensor3D, mode: Sighted): tf.Tensor3D {
  const width = tau.shape[2];
  const full = weights.get<tf.Tensor2D>(`${prefix}.1.weight`).shape[0];
  // The hidden units lie along the length as well; those behind the longest history still mix where nothing is masked.
  const units = mode === 'causal' ? width : full;
  const part = (name: string, rows: number, columns: number) => {
    const w = tf.slice(weights.get<tf.Tensor2D>(`${prefix}.${name}.weight`), [0, 0], [rows, columns]);
    return mode === 'causal' ? tf.mul(w, lowerTriangle(width)) : w;
  };
  const bias = (name: string, n: number) =>
    tf.slice(weights.get<tf.Tensor1D>(`${prefix}.${name}.bias`), 0, n);
  const hidden = linear(tau, part('1', units, width) as tf.Tensor2D, bias('1', units));
  const active = tf.mul(hidden, tf.sigmoid(hidden)) as tf.Tensor3D;
  return linear(active, part('3', width, units) as tf.Tensor2D, bias('3', width));
}

/** One gate a history, [histories, heads, 1], or one a position; over the past alone where the mode is causal. */
function gate(weights: Weights, prefix: string, tau: tf.Tensor3D, mode: Sighted): tf.Tensor {
  const width = tau.shape[2];
  const w = weights.get<tf.Tensor2D>(`${prefix}.weight`);
  const gates = Math.min(w.shape[0], width);
  const bias = tf.slice(weights.get<tf.Tensor1D>(`${prefix}.bias`), 0, gates);
  const used = tf.slice(w, [0, 0], [gates, width]);
  if (mode !== 'causal') return tf.sigmoid(linear(tau, used, bias));
  if (w.shape[0] > 1) return tf.sigmoid(linear(tau, tf.mul(used, lowerTriangle(width)), bias));
  return tf.sigmoid(tf.add(tf.cumsum(tf.mul(tau, tf.reshape(used, [1, 1, width])), 2), bias));
}

/** Ones up to and on the diagonal. Made here: tfjs compares [width] with [width, 1] a number at a time. */
function lowerTriangle(width: number): tf.Tensor2D {
  const ones = new Float32Array(width * width);
  for (let row = 0; row < width; row++) ones.fill(1, row * width, row * width + row + 1);
  return tf.tensor2d(ones, [width, width]);
}

interface Norm {
  /** [histories, 1, width]: 1 where an item is, 0 behind; absent where padding takes part. */
  kept?: tf.Tensor3D;
  apply(x: tf.Tensor3D, gamma: tf.Tensor1D, beta: tf.Tensor1D): tf.Tensor3D;
}

function normOf(mode: Sighted, { lengths }: Histories, width: number): Norm {
  if (mode === 'paper') return { apply: (x, gamma, beta) => layerNorm(x, gamma, beta, EPSILON) };
  if (mode === 'causal') return { apply: causalNorm };
  const mask = new Float32Array(lengths.length * width);
  lengths.forEach((n, h) => {
    mask.fill(1, h * width, h * width + n);
  });
  const kept = tf.tensor3d(mask, [lengths.length, 1, width]);
  return { kept, apply: (x, gamma, beta) => maskedNorm(x, gamma, beta, kept) };
}
