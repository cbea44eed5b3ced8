/**
 * What do sampled negatives save? A training step of Mamba4Rec (dim 64, 1 layer, 32 states) at the catalogue of Amazon
 * Beauty, 12,101 items, 8 rows of 200 tokens: cross-entropy over all items, and over k sampled ones, the draw included;
 * and the loss with its gradients alone.
 */
import * as tf from '@tensorflow/tfjs';
import { it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { linearCrossEntropy } from '../../src/kernels/cross-entropy/op.js';
import { sampledCrossEntropy } from '../../src/kernels/sampled-cross-entropy/op.js';
import { DEFAULT_MODEL } from '../../src/model/config.js';
import { createModel } from '../../src/model/model.js';
import { DEFAULT_TRAINING } from '../../src/train/config.js';
import { createSampler } from '../../src/train/step/negatives.js';
import { createOptimizer } from '../../src/train/step/optimizer.js';
import { createRandom } from '../../src/util/random.js';
import { sideBySide } from './side-by-side.js';

const [ROWS, LENGTH, ITEMS] = [8, 200, 12_101];
const SAMPLES = [100, 1000, 3000];

it('training step with sampled negatives', async () => {
  await openBackend('wasm');
  const random = createRandom('bench');
  const model = createModel({ ...DEFAULT_MODEL, maxLength: LENGTH }, ITEMS, 1);
  const optimizer = createOptimizer(model.weights, DEFAULT_TRAINING);
  const size = ROWS * LENGTH;
  const ids = () => Int32Array.from({ length: size }, () => 1 + random.int(ITEMS));
  const batch = { rows: ROWS, length: LENGTH, items: ids(), reset: new Int32Array(size) };
  const targets = ids();
  const weights = Float64Array.from({ length: ITEMS + 1 }, (_, i) => 1 / (i + 10));
  const losses: [string, (h: tf.Tensor2D, w: tf.Tensor2D) => tf.Scalar][] = [
    ['all items', (h, w) => linearCrossEntropy(h, w, targets)],
    ...SAMPLES.map((k): (typeof losses)[0] => {
      const sampler = createSampler(weights, k);
      return [`${k} negatives`, (h, w) => sampledCrossEntropy(h, w, targets, sampler.draw(random))];
    }),
  ];
  let step = 0;
  const train = (loss: (typeof losses)[0][1]) => () =>
    void tf.tidy(() => {
      const parameters = model.weights.list();
      const value = () => loss(model.hidden(batch, step), model.itemTable());
      const { grads } = tf.variableGrads(value, parameters);
      optimizer.apply(
        parameters.map((p) => grads[p.name]!),
        ++step,
        1000,
      );
    });
  await sideBySide(
    'Training step, 12,101 items',
    size,
    'tokens',
    losses.map(([name, loss]) => ({ name, run: train(loss) })),
  );
  const hidden = tf.randomNormal([size, 64], 0, 1, 'float32', 1) as tf.Tensor2D;
  await sideBySide(
    'The loss and its gradients alone',
    size,
    'tokens',
    losses.map(([name, loss]) => ({
      name,
      run: () => void tf.tidy(() => tf.valueAndGrads(loss as never)([hidden, model.itemTable()])),
    })),
  );
});
