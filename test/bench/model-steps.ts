/**
 * A training step of each model at the published shape of ML-1M (dim 64, 32 states, length 200, 3,417 items), for the
 * benchmarks: cross-entropy over all items, at all positions for the causal models, at the last one of each row else.
 */
import * as tf from '@tensorflow/tfjs';
import { linearCrossEntropy } from '../../src/kernels/cross-entropy/op.js';
import { DEFAULT_MODEL, type ModelConfig } from '../../src/model/config.js';
import { createModel } from '../../src/model/model.js';
import { trainingFlopsPerToken } from '../../src/model/size.js';
import { DEFAULT_TRAINING } from '../../src/train/config.js';
import { createOptimizer } from '../../src/train/step/optimizer.js';
import { createRandom } from '../../src/util/random.js';

const [ROWS, LENGTH, ITEMS] = [8, 200, 3416];
export const STEP_TOKENS = ROWS * LENGTH;

const MODELS: [string, Partial<ModelConfig>, 'all' | 'last'][] = [
  ['mamba4rec, 1 layer', { name: 'mamba4rec', layers: 1 }, 'all'],
  ['mamba4rec, 1 layer, dim 256', { name: 'mamba4rec', layers: 1, dim: 256 }, 'all'],
  ['mamba4rec, 2 layers', { name: 'mamba4rec' }, 'all'],
  ['tim4rec, 2 layers, causal', { name: 'tim4rec', headDim: 32, time: 'causal' }, 'all'],
  ['tim4rec, 2 layers, no time', { name: 'tim4rec', headDim: 32, time: 'none' }, 'all'],
  ['tim4rec, 2 layers, masked', { name: 'tim4rec', headDim: 32, time: 'masked' }, 'last'],
  ['ssd4rec, 2 layers', { name: 'ssd4rec', headDim: 16 }, 'last'],
];

export interface ModelStep {
  name: string;
  config: ModelConfig;
  /** Of one token, forward and backward, by model/size.ts. */
  flops: number;
  run(): void;
}

/** The steps on the open backend; their models live as long as the process. */
export function modelSteps(): ModelStep[] {
  const random = createRandom('bench');
  const items = Int32Array.from({ length: STEP_TOKENS }, () => 1 + random.int(ITEMS));
  const reset = Int32Array.from({ length: STEP_TOKENS }, (_, p) =>
    p % LENGTH === 0 || random.int(100) === 0 ? 1 : 0,
  );
  const timestamps = Float64Array.from({ length: STEP_TOKENS }, (_, p) => 1e9 + 3600 * p);
  const batch = { rows: ROWS, length: LENGTH, items, reset, timestamps };
  return MODELS.map(([name, settings, loss]) => {
    const config = { ...DEFAULT_MODEL, layers: 2, maxLength: LENGTH, ...settings };
    const model = createModel(config, ITEMS, 1);
    const optimizer = createOptimizer(model.weights, DEFAULT_TRAINING);
    const targets = items.map((item, p) => (loss === 'all' || p % LENGTH === LENGTH - 1 ? item : -1));
    let step = 0;
    return {
      name,
      config,
      flops: trainingFlopsPerToken(config, ITEMS, { loss }),
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
}
