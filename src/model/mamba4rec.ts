/**
 * Mamba4Rec (Liu et al. 2024, arXiv 2403.03900): item embedding, dropout, LayerNorm; layers of a Mamba block and a
 * feed-forward block; scores against the tied item table. No positions.
 *
 * Parameters with n items, hidden size d, E = expand d, N states, convolution width k, R = ceil(d / 16):
 *   (n + 1) d + 2 d + layers [3 d E + (k + 1) E + E (R + 2 N) + R E + E + E N + E + 2 d + 8 d^2 + 7 d]
 */
import * as tf from '@tensorflow/tfjs';
import { embedding } from '../kernels/embedding/op.js';
import type { ModelConfig } from './config.js';
import { hasResidual } from './kinds.js';
import {
  addFeedForward,
  addLayerNorm,
  addMambaBlock,
  applyLayerNorm,
  dropoutSites,
  feedForward,
  mambaBlock,
} from './parts/layers.js';
import type { PackedBatch, SequenceModel } from './sequence-model.js';
import { createInitialiser, Weights } from './weights.js';

const ITEMS = 'item_embedding.weight';

export function createMamba4Rec(config: ModelConfig, numItems: number, seed: number): SequenceModel {
  const { dim, layers } = config;
  const weights = new Weights();
  const from = createInitialiser(seed);
  weights.add(ITEMS, [numItems + 1, dim], from.normal(ITEMS, 0.02));
  addLayerNorm(weights, 'LayerNorm', dim);
  for (let l = 0; l < layers; l++) {
    addMambaBlock(weights, `mamba_layers.${l}.mamba`, config, from);
    addLayerNorm(weights, `mamba_layers.${l}.LayerNorm`, dim);
    addFeedForward(weights, `mamba_layers.${l}.ffn`, dim, from);
  }

  function hidden({ rows, length, items, reset }: PackedBatch, dropoutSeed?: number): tf.Tensor2D {
    const drop = dropoutSites(config.dropout, dropoutSeed);
    const resets = tf.tensor2d(reset, [rows, length], 'int32');
    const embedded = embedding(weights.get(ITEMS), tf.tensor1d(items, 'int32'));
    let x = applyLayerNorm(weights, 'LayerNorm', drop(embedded));
    for (let l = 0; l < layers; l++) {
      const layer = `mamba_layers.${l}`;
      const mixed = drop(mambaBlock(weights, `${layer}.mamba`, config, x, resets));
      x = applyLayerNorm(weights, `${layer}.LayerNorm`, hasResidual(config) ? tf.add(mixed, x) : mixed);
      x = feedForward(weights, `${layer}.ffn`, x, drop);
    }
    return x;
  }

  return { config, numItems, weights, hidden, itemTable: () => weights.get(ITEMS) };
}
