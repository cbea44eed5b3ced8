/**
 * How fast is a training step of each model at the published shape of ML-1M (dim 64, 32 states, length 200, 3,417 items)?
 * Cross-entropy over all items: at all positions for the causal models, at the last position of each row for SSD4Rec.
 */
import * as tf from '@tensorflow/tfjs';
import { it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { linearCrossEntropy } from '../../src/kernels/cross-entropy/op.js';
import { DEFAULT_MODEL, type ModelConfig } from '../../src/model/config.js';
import { createModel } from '../../src/model/model.js';
import { trainingFlopsPerToken } from '../../src/model/size.js';
import { DEFAULT_TRAINING } from '../../src/train/config.js';
import { createOptimizer } from '../../src/train/optimizer.js';
import { createRandom } from '../../src/util/random.js';
import { sideBySide } from './side-by-side.js';

const [ROWS, LENGTH, ITEMS] = [8, 200, 3416];
const MODELS: [string, Partial<ModelConfig>, 'all' | 'last'][] = [
  ['mamba4rec, 2 layers', { name: 'mamba4rec' }, 'all'],
  ['tim4rec, 2 layers, causal', { name: 'tim4rec', headDim: 32, time: 'causal' }, 'all'],
  ['tim4rec, 2 layers, no time', { name: 'tim4rec', headDim: 32, time: 'none' }, 'all'],
  ['tim4rec, 2 layers, masked', { name: 'tim4rec', headDim: 32, time: 'masked' }, 'last'],
  ['ssd4rec, 2 layers', { name: 'ssd4rec', headDim: 16 }, 'last'],
];

it('training steps of the models', async () => {
  await openBackend('wasm');
  const random = createRandom('bench');
  const size = ROWS * LENGTH;
  const items = Int32Array.from({ length: size }, () => 1 + random.int(ITEMS));
  const reset = Int32Array.from({ length: size }, (_, p) =>
    p % LENGTH === 0 || random.int(100) === 0 ? 1 : 0,
  );
  const timestamps = Float64Array.from({ length: size }, (_, p) => 1e9 + 3600 * p);
  const batch = { rows: ROWS, length: LENGTH, items, reset, timestamps };
  const contenders = MODELS.map(([name, settings, loss]) => {
    const config = { ...DEFAULT_MODEL, layers: 2, maxLength: LENGTH, ...settings };
    const model = createModel(config, ITEMS, 1);
    const optimizer = createOptimizer(model.weights, DEFAULT_TRAINING);
    const targets = items.map((item, p) => (loss === 'all' || p % LENGTH === LENGTH - 1 ? item : -1));
    const megaflops = trainingFlopsPerToken(config, ITEMS, { loss }) / 1e6;
    let step = 0;
    return {
      name: `${name} (${megaflops.toFixed(1)} MFLOP)`,
      run: () =>
        void tf.tidy(() => {
          const parameters = model.weights.list();
          const { grads } = tf.variableGrads(
            () => linearCrossEntropy(model.hidden(batch, ++step), model.itemTable(), targets),
            parameters,
          );
          optimizer.apply(
            parameters.map((p) => grads[p.name] ?? tf.zeros(p.shape)),
            step,
            1000,
          );
        }),
    };
  });
  await sideBySide('Training step, wasm; in brackets FLOPs a token', size, 'tokens', contenders, 5);
});
