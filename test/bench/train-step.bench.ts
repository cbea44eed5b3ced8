/**
 * How fast is a training step of Mamba4Rec (dim 64, 1 layer, 32 states, length 200, 3,417 items, cross-entropy over all
 * items at all positions, Adam) on every backend that is there?
 */
import * as tf from '@tensorflow/tfjs';
import { it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { linearCrossEntropy } from '../../src/kernels/cross-entropy/op.js';
import { DEFAULT_MODEL } from '../../src/model/config.js';
import { createModel } from '../../src/model/model.js';
import { DEFAULT_TRAINING } from '../../src/train/config.js';
import { createOptimizer } from '../../src/train/step/optimizer.js';
import { createRandom } from '../../src/util/random.js';
import { presentBackends } from './backends.js';
import { type Contender, sideBySide } from './side-by-side.js';

const [ROWS, LENGTH, ITEMS] = [8, 200, 3416];

it('training step', async () => {
  const random = createRandom('bench');
  const size = ROWS * LENGTH;
  const ids = () => Int32Array.from({ length: size }, () => 1 + random.int(ITEMS));
  const batch = { rows: ROWS, length: LENGTH, items: ids(), reset: new Int32Array(size) };
  const targets = ids();
  const contender = async (backend: string): Promise<Contender> => {
    await openBackend(backend);
    const model = createModel({ ...DEFAULT_MODEL, maxLength: LENGTH }, ITEMS, 1);
    const optimizer = createOptimizer(model.weights, DEFAULT_TRAINING);
    let step = 0;
    const run = async () => {
      await openBackend(backend);
      const loss = tf.tidy(() => {
        const { value, grads } = tf.variableGrads(
          () => linearCrossEntropy(model.hidden(batch, step), model.itemTable(), targets),
          model.weights.list(),
        );
        optimizer.apply(
          model.weights.list().map((p) => grads[p.name]!),
          ++step,
          1000,
        );
        return value;
      });
      // The loss comes from before the update, the first weight from after it: a device has then done all of the step.
      await Promise.all([loss.data(), model.weights.list()[0]!.data()]);
      loss.dispose();
    };
    return { name: backend, run };
  };
  const contenders: Contender[] = [];
  for (const backend of await presentBackends()) contenders.push(await contender(backend));
  await sideBySide('Training step of Mamba4Rec', size, 'tokens', contenders, 5);
});
