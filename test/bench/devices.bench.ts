/**
 * How fast are scan, training step and evaluation on every backend of this machine, a real GPU above all? Prints tokens a
 * second and what part of a device's bandwidth and arithmetic that is worth: bytes that an algorithm must move at least
 * (every input read once, every output written once) and operations that it must do. Divide by the data sheet's figures.
 *
 * A state of the scan: forward dt A, exp, decay h, dt B x + (2), C h + (2), 7 operations; backward the first five twice and 14
 * more, 24. Training steps by model/size.ts. A software adapter is left out (BENCH_SOFTWARE=1 takes it, to try the script).
 */
import * as tf from '@tensorflow/tfjs';
import { it } from 'vitest';
import { currentDevice, openBackend } from '../../src/kernels/backend.js';
import { linearCrossEntropy } from '../../src/kernels/cross-entropy/op.js';
import { targetRanks } from '../../src/kernels/rank/op.js';
import { type ScanInputs, selectiveScan } from '../../src/kernels/selective-scan/op.js';
import { DEFAULT_MODEL } from '../../src/model/config.js';
import { createModel } from '../../src/model/model.js';
import { trainingFlopsPerToken } from '../../src/model/size.js';
import { DEFAULT_TRAINING } from '../../src/train/config.js';
import { createOptimizer } from '../../src/train/step/optimizer.js';
import { createRandom } from '../../src/util/random.js';
import { presentBackends } from './backends.js';

const [LENGTH, STATES, ITEMS] = [200, 32, 3416];
/** Dims, and rows of a step; a processor gets the first only, and fewer rows. */
const SIZES = [
  { dim: 64, rows: 256 },
  { dim: 256, rows: 64 },
  { dim: 1024, rows: 16 },
];
const PROCESSOR = [{ dim: 64, rows: 8 }];
const ROUNDS = 5;

it('scan, step and evaluation on every backend', async () => {
  const backends = (await presentBackends()).filter((name) => name !== 'composed');
  if (process.env['BENCH_SOFTWARE'] && !backends.includes('webgpu')) backends.push('webgpu');
  for (const backend of backends) {
    await openBackend(backend);
    const device = currentDevice();
    console.log(`\n${backend}${device ? ` on ${device.name}` : ''}`);
    const onGpu = backend === 'tensorflow' || (device !== undefined && !device.software);
    for (const { dim, rows } of onGpu ? SIZES : PROCESSOR) {
      scan(2 * dim, rows, false);
      scan(2 * dim, rows, true);
      step(dim, rows);
    }
    evaluation(onGpu ? 8192 : 1024);
  }
});

/** Median seconds of `run`, which must read something that depends on all it does. */
function time(run: () => void): number {
  run();
  const times = Array.from({ length: ROUNDS }, () => {
    const begun = performance.now();
    run();
    return (performance.now() - begun) / 1000;
  });
  return times.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

function print(
  what: string,
  seconds: number,
  tokens: number,
  bytes: number | undefined,
  flops: number,
): void {
  const rate = Math.round(tokens / seconds).toLocaleString('en');
  const moved = bytes === undefined ? '' : `${(bytes / seconds / 1e9).toFixed(1).padStart(8)} GB/s`;
  console.log(
    `  ${what.padEnd(44)} ${(1000 * seconds).toFixed(2).padStart(9)} ms ${rate.padStart(12)} /s ${(flops / seconds / 1e9).toFixed(1).padStart(9)} GFLOP/s ${moved}`,
  );
}

function scan(channels: number, rows: number, backwardToo: boolean): void {
  const wide: [number, number, number] = [rows, LENGTH, channels];
  const narrow: [number, number, number] = [rows, LENGTH, STATES];
  const inputs = {
    x: tf.randomNormal(wide, 0, 1, 'float32', 1),
    delta: tf.randomNormal(wide, -3, 1, 'float32', 2),
    A: tf.neg(tf.tile(tf.range(1, STATES + 1).reshape([1, STATES]), [channels, 1])),
    B: tf.randomNormal(narrow, 0, 1, 'float32', 3),
    C: tf.randomNormal(narrow, 0, 1, 'float32', 4),
    z: tf.randomNormal(wide, 0, 1, 'float32', 5),
  };
  const names = Object.keys(inputs);
  const tensors = Object.values(inputs) as tf.Tensor[];
  const forward = (...list: tf.Tensor[]) =>
    selectiveScan(Object.fromEntries(names.map((n, i) => [n, list[i]])) as unknown as ScanInputs, true);
  const seconds = time(() => {
    tf.tidy(() => {
      const read = backwardToo ? tf.grads(forward)(tensors, inputs.x)[2]! : forward(...tensors);
      tf.slice(tf.reshape(read, [-1]), 0, 1).dataSync();
    });
  });
  const positions = rows * LENGTH;
  const [wideTensors, narrowTensors] = backwardToo ? [4 + 7, 2 + 4] : [4, 2];
  const bytes = 4 * positions * (wideTensors * channels + narrowTensors * STATES);
  const name = `scan ${backwardToo ? 'and gradients' : 'forward'}, ${rows} x ${LENGTH} x ${channels}`;
  print(name, seconds, positions, bytes, positions * channels * STATES * (backwardToo ? 31 : 7));
  tf.dispose(tensors);
}

function step(dim: number, rows: number): void {
  const random = createRandom('bench', dim);
  const size = rows * LENGTH;
  const config = { ...DEFAULT_MODEL, dim, layers: 1, maxLength: LENGTH, dState: STATES };
  const model = createModel(config, ITEMS, 1);
  const optimizer = createOptimizer(model.weights, DEFAULT_TRAINING);
  const items = Int32Array.from({ length: size }, () => 1 + random.int(ITEMS));
  const reset = Int32Array.from({ length: size }, (_, p) => (p % LENGTH === 0 ? 1 : 0));
  let done = 0;
  const seconds = time(() => {
    tf.tidy(() => {
      const parameters = model.weights.list();
      const { value, grads } = tf.variableGrads(
        () =>
          linearCrossEntropy(
            model.hidden({ rows, length: LENGTH, items, reset }, ++done),
            model.itemTable(),
            items,
          ),
        parameters,
      );
      optimizer.apply(
        parameters.map((p) => grads[p.name] ?? tf.zeros(p.shape)),
        done,
        1000,
      );
      value.dataSync();
    });
    // The optimiser's step lies behind the loss.
    tf.tidy(() => void tf.slice(tf.reshape(model.weights.list()[0]!, [-1]), 0, 1).dataSync());
  });
  const flops = size * trainingFlopsPerToken(config, ITEMS, { loss: 'all' });
  print(`mamba4rec step, dim ${dim}, ${rows} x ${LENGTH}`, seconds, size, undefined, flops);
  model.weights.dispose();
  optimizer.dispose();
}

function evaluation(users: number): void {
  const [width, numItems] = [64, 12_101];
  const random = createRandom('evaluation');
  const hidden = tf.randomNormal([users, width], 0, 1, 'float32', 1) as tf.Tensor2D;
  const items = tf.randomNormal([numItems + 1, width], 0, 1, 'float32', 2) as tf.Tensor2D;
  const draw = (n: number) => Int32Array.from({ length: n }, () => 1 + random.int(numItems));
  const historyOffsets = Int32Array.from({ length: users + 1 }, (_, u) => 9 * u);
  const request = { hidden, items, targets: draw(users), historyOffsets, historyItems: draw(9 * users) };
  const seconds = time(() => void targetRanks(request));
  const bytes = 4 * width * (users + numItems);
  print(`ranks among ${numItems} items, dim 64`, seconds, users, bytes, 2 * users * numItems * width);
  tf.dispose([hidden, items]);
}
