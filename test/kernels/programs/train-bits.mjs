/**
 * Trains a small model of the given name for a few steps with the built package and prints a hash of its weights; on so many threads, with
 * enough work for each of them: `node train-bits.mjs mamba4rec 3 large`.
 */
import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs';
import { openBackend, setThreads } from '../../../dist/kernels/backend.js';
import { linearCrossEntropy } from '../../../dist/kernels/cross-entropy/op.js';
import { DEFAULT_MODEL } from '../../../dist/model/config.js';
import { createModel } from '../../../dist/model/model.js';
import { DEFAULT_TRAINING } from '../../../dist/train/config.js';
import { createOptimizer } from '../../../dist/train/step/optimizer.js';
import { createRandom } from '../../../dist/util/random.js';

const [, , name, threads = '1', size = 'small'] = process.argv;
const [rows, length, numItems] = size === 'large' ? [6, 100, 1500] : [3, 41, 157];
await openBackend('wasm');
await setThreads(Number(threads));
const random = createRandom('bits');
const config = { ...DEFAULT_MODEL, name, dim: 32, layers: 2, headDim: 16, dState: 12 };
const model = createModel({ ...config, maxLength: length, time: 'causal' }, numItems, 1);
const optimizer = createOptimizer(model.weights, { ...DEFAULT_TRAINING, clipNorm: 1 });
const positions = rows * length;
const items = Int32Array.from({ length: positions }, () => 1 + random.int(numItems));
const batch = {
  rows,
  length,
  items,
  reset: Int32Array.from(items, (_, p) => (p % length === 0 || random.int(15) === 0 ? 1 : 0)),
  timestamps: Float64Array.from(items, (_, p) => 1e9 + 3600 * p),
};
const parameters = model.weights.list();
for (let step = 1; step <= 4; step++)
  tf.tidy(() => {
    const loss = () => linearCrossEntropy(model.hidden(batch, step), model.itemTable(), items);
    const { grads } = tf.variableGrads(loss, parameters);
    optimizer.apply(
      parameters.map((p) => grads[p.name] ?? tf.zeros(p.shape)),
      step,
      4,
    );
  });
const hash = createHash('sha256');
for (const [, values] of model.weights.read())
  hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
console.log(hash.digest('hex'));
