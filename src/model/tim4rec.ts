/**
 * TiM4Rec (Fan et al. 2024, arXiv 2409.16182): Mamba4Rec with Mamba-2 blocks whose time steps are multiplied by a signal
 * made of the time between items (time-signal.ts). Projections carry biases; feed-forward blocks have Hardswish.
 *
 * The published size, for L items of history, H heads and E = expand d: 593,498 on KuaiRand, 508,818 on ML-1M (size.ts).
 */
import * as tf from '@tensorflow/tfjs';
import { hardswish } from '../kernels/activation/hardswish.js';
import { embedding } from '../kernels/embedding/op.js';
import type { ModelConfig } from './config.js';
import { hasResidual } from './kinds.js';
import {
  addFeedForward,
  addLayerNorm,
  applyLayerNorm,
  type DropoutSite,
  dropoutSites,
  EPSILON,
  type FeedForwardForm,
  feedForward,
} from './parts/layers.js';
import { addSsdBlock, type SsdForm, ssdBlock } from './parts/ssd-block.js';
import { addTimeLayer, addTimeStem, startTimeSignal } from './parts/time-signal.js';
import type { PackedBatch, SequenceModel } from './sequence-model.js';
import { headCount } from './size.js';
import { createInitialiser, Weights } from './weights.js';

const ITEMS = 'item_embedding.weight';
const FFN: FeedForwardForm = {
  first: 'fc1',
  second: 'fc2',
  norm: 'layer_norm',
  activation: hardswish,
  dropout: 'before residual',
};

/** @param config whose `time` is `causal` where it is left open. */
export function createTim4Rec(config: ModelConfig, numItems: number, seed: number): SequenceModel {
  const { dim, layers } = config;
  const mode = config.time ?? 'causal';
  const form: SsdForm = {
    bias: true,
    // The released code falls back from its fused convolution, and then to this activation, unless the heads come in eights.
    activation: headCount(config) % 8 === 0 ? 'silu' : 'hardswish',
    epsilon: EPSILON,
  };
  const weights = new Weights();
  const from = createInitialiser(seed);
  weights.add(ITEMS, [numItems + 1, dim], from.normal(ITEMS, 0.02));
  addLayerNorm(weights, 'in_layer_norm', dim);
  if (mode !== 'none') addTimeStem(weights, config);
  for (let l = 0; l < layers; l++) {
    const layer = `ssd_layers.${l}`;
    addSsdBlock(weights, `${layer}.ssd`, config, form, from);
    if (mode !== 'none') addTimeLayer(weights, `${layer}.ssd`, config, from);
    addLayerNorm(weights, `${layer}.layer_norm`, dim);
    addFeedForward(weights, `${layer}.ffn`, dim, from, FFN);
  }

  function hidden(batch: PackedBatch, dropoutSeed?: number): tf.Tensor2D {
    const drop = dropoutSites(config.dropout, dropoutSeed);
    const reset = tf.tensor2d(batch.reset, [batch.rows, batch.length], 'int32');
    const embedded = embedding(weights.get(ITEMS), tf.tensor1d(batch.items, 'int32'));
    let x = applyLayerNorm(weights, 'in_layer_norm', drop(embedded));
    const timeDrop = timeDropout(config, drop, dropoutSeed);
    const time =
      mode === 'none'
        ? undefined
        : startTimeSignal(weights, config, mode, form.activation, batch, drop, timeDrop);
    for (let l = 0; l < layers; l++) {
      const layer = `ssd_layers.${l}`;
      const factor = time?.factor(`${layer}.ssd`, l === layers - 1);
      const mixed = drop(ssdBlock(weights, `${layer}.ssd`, config, form, x, reset, factor));
      x = applyLayerNorm(weights, `${layer}.layer_norm`, hasResidual(config) ? tf.add(mixed, x) : mixed);
      x = feedForward(weights, `${layer}.ffn`, x, drop, FFN);
    }
    return x;
  }

  return { config, numItems, weights, hidden, itemTable: () => weights.get(ITEMS) };
}

/** Dropout within the time path: the model's own, or at a rate of its own with seeds of its own. */
function timeDropout(config: ModelConfig, drop: DropoutSite, seed: number | undefined): DropoutSite {
  if (config.timeDropout === undefined) return drop;
  return dropoutSites(config.timeDropout, seed === undefined ? undefined : ~seed);
}
