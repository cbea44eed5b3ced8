/**
 * How fast is a training step of Mamba4Rec (dim 64, 1 layer, 32 states, length 200, 3,417 items, cross-entropy over all
 * items at all positions, Adam), fused and as plain tfjs ops?
 */
import * as tf from '@tensorflow/tfjs';
import { it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { linearCrossEntropy } from '../../src/kernels/cross-entropy/op.js';
import { DEFAULT_MODEL } from '../../src/model/config.js';
import { createModel } from '../../src/model/model.js';
import { DEFAULT_TRAINING } from '../../src/train/config.js';
import { createOptimizer } from '../../src/train/optimizer.js';
import { createRandom } from '../../src/util/random.js';
import { sideBySide } from './side-by-side.js';

const [ROWS, LENGTH, ITEMS] = [8, 200, 3416];

it('training step', async () => {
  await openBackend('wasm');
  const random = createRandom('bench');
  const model = createModel({ ...DEFAULT_MODEL, maxLength: LENGTH }, ITEMS, 1);
  const optimizer = createOptimizer(model.weights, DEFAULT_TRAINING);
  const size = ROWS * LENGTH;
  const ids = () => Int32Array.from({ length: size }, () => 1 + random.int(ITEMS));
  const batch = { rows: ROWS, length: LENGTH, items: ids(), reset: new Int32Array(size) };
  const targets = ids();
  let step = 0;
  const train = (backend: string) => async () => {
    await openBackend(backend);
    tf.tidy(() => {
      const loss = () => linearCrossEntropy(model.hidden(batch, step), model.itemTable(), targets);
      const { grads } = tf.variableGrads(loss, model.weights.list());
      optimizer.apply(
        model.weights.list().map((p) => grads[p.name]!),
        ++step,
        1000,
      );
    });
  };
  await sideBySide('Training step of Mamba4Rec', size, 'tokens', [
    { name: 'wasm, fused', run: train('wasm') },
    { name: 'wasm, plain tfjs ops', run: train('composed') },
  ]);
});
