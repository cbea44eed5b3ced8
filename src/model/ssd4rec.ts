/**
 * SSD4Rec (Qu et al. 2024, arXiv 2409.01192): Mamba-2 blocks that read each history in both directions with one set of
 * weights. Histories of any length lie packed in rows; reset positions, which are the paper's sequence registers, keep
 * convolution and state within each.
 *
 *   h = dropout(LN(f(x) + beta f(reverse x) + x));  x = dropout(LN(W2 dropout(GELU(W1 h)) + h))
 *
 * The released code adds the reversed direction's output as it comes out, last item first (`reverseOutput: released`); the
 * paper's figure turns it back (`aligned`). Training hides random items: their embedding becomes that of item 0, which is
 * the released code's mask token and so a learnt row of the table. The last item, where the prediction is made, is never
 * hidden. A state knows the whole history in both directions, so the loss is at the last position of prefixes, never at all.
 */
import * as tf from '@tensorflow/tfjs';
import { gelu } from '../kernels/activation/gelu.js';
import { embedding } from '../kernels/embedding/op.js';
import { createRandom } from '../util/random.js';
import type { ModelConfig } from './config.js';
import { type Histories, historiesOf, mirrorIndices } from './histories.js';
import { SSD4REC_DEFAULTS } from './kinds.js';
import {
  addFeedForward,
  addLayerNorm,
  applyLayerNorm,
  dropoutSites,
  type FeedForwardForm,
  feedForward,
} from './parts/layers.js';
import { addSsdBlock, type SsdForm, ssdBlock } from './parts/ssd-block.js';
import type { PackedBatch, SequenceModel } from './sequence-model.js';
import { createInitialiser, Weights } from './weights.js';

const ITEMS = 'item_embedding.weight';
const MASK_TOKEN = 0;
/** The epsilon is the Mamba-2 library's. */
const FORM: SsdForm = { bias: false, activation: 'silu', epsilon: 1e-5 };
const FFN: FeedForwardForm = {
  first: 'w_1',
  second: 'w_2',
  norm: 'LayerNorm',
  activation: gelu,
  dropout: 'after norm',
};

export function createSsd4Rec(config: ModelConfig, numItems: number, seed: number): SequenceModel {
  const { dim, layers } = config;
  const beta = config.beta ?? SSD4REC_DEFAULTS.beta;
  const share = config.hiddenShare ?? SSD4REC_DEFAULTS.hiddenShare;
  const aligned = (config.reverseOutput ?? SSD4REC_DEFAULTS.reverseOutput) === 'aligned';
  const weights = new Weights();
  const from = createInitialiser(seed);
  weights.add(ITEMS, [numItems + 1, dim], from.normal(ITEMS, 0.02));
  addLayerNorm(weights, 'LayerNorm', dim);
  for (let l = 0; l < layers; l++) {
    const layer = `BiSSD_layers.${l}`;
    addSsdBlock(weights, `${layer}.forward_ssd`, config, FORM, from);
    addLayerNorm(weights, `${layer}.LayerNorm`, dim);
    addFeedForward(weights, `${layer}.ffn`, dim, from, FFN);
  }

  function hidden(batch: PackedBatch, dropoutSeed?: number): tf.Tensor2D {
    const drop = dropoutSites(config.dropout, dropoutSeed);
    const histories = historiesOf(batch);
    const items =
      dropoutSeed === undefined ? batch.items : hideItems(batch.items, histories, share, dropoutSeed);
    const reset = tf.tensor2d(batch.reset, [batch.rows, batch.length], 'int32');
    const mirror = tf.tensor1d(mirrorIndices(histories, batch.items.length), 'int32');
    const embedded = embedding(weights.get(ITEMS), tf.tensor1d(items, 'int32'));
    let x = config.embeddingNorm === 'off' ? embedded : applyLayerNorm(weights, 'LayerNorm', drop(embedded));
    for (let l = 0; l < layers; l++) {
      const layer = `BiSSD_layers.${l}`;
      const run = (input: tf.Tensor2D) =>
        ssdBlock(weights, `${layer}.forward_ssd`, config, FORM, input, reset);
      const backward = run(embedding(x, mirror));
      const reversed = aligned ? embedding(backward, mirror) : backward;
      const sum = tf.add(tf.add(run(x), tf.mul(reversed, beta)), x) as tf.Tensor2D;
      x = feedForward(
        weights,
        `${layer}.ffn`,
        drop(applyLayerNorm(weights, `${layer}.LayerNorm`, sum)),
        drop,
        FFN,
      );
    }
    return x;
  }

  return { config, numItems, weights, hidden, itemTable: () => weights.get(ITEMS) };
}

/** The items with about `share` of them hidden; the last of each history stays. */
export function hideItems(
  items: Int32Array,
  { starts, lengths }: Histories,
  share: number,
  seed: number,
): Int32Array {
  const random = createRandom(seed, 'hidden items');
  const shown = items.slice();
  for (let h = 0; h < starts.length; h++)
    for (let i = 0; i + 1 < lengths[h]!; i++)
      if (random.uniform() < share) shown[starts[h]! + i] = MASK_TOKEN;
  return shown;
}
