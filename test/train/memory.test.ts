/** A thousand training steps leave nothing behind: no live tensor, no byte of tfjs's, no growth of the heap of the wasm backend. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { linearCrossEntropy } from '../../src/kernels/cross-entropy/op.js';
import { DEFAULT_MODEL } from '../../src/model/config.js';
import { createModel } from '../../src/model/model.js';
import { DEFAULT_TRAINING } from '../../src/train/config.js';
import { createOptimizer } from '../../src/train/step/optimizer.js';
import { createRandom } from '../../src/util/random.js';

const [ROWS, LENGTH, ITEMS, STEPS] = [2, 12, 23, 1000];

interface Heap {
  memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  free(address: number): void;
}

beforeAll(async () => {
  await openBackend('wasm');
});

/** The heap that tensors and scratch lie on. */
function heapOfBackend(): Heap {
  const { wasm } = tf.backend() as unknown as {
    wasm: { asm: object; _malloc: Heap['malloc']; _free: Heap['free'] };
  };
  const memory = Object.values(wasm.asm).find((value) => value instanceof WebAssembly.Memory)!;
  return { memory, malloc: wasm._malloc, free: wasm._free };
}

/** Where the heap's allocator would put blocks of several sizes: elsewhere and higher where blocks are lost. */
function places({ malloc, free }: Heap): number[] {
  return [64, 4096, 1 << 20].map((bytes) => {
    const address = malloc(bytes);
    free(address);
    return address;
  });
}

it.each([
  ['mamba4rec', {}],
  ['tim4rec', { headDim: 8, time: 'causal' }],
  ['ssd4rec', { headDim: 8 }],
] as const)('%s', (name, settings) => {
  const heap = heapOfBackend();
  const random = createRandom('memory', name);
  const config = { ...DEFAULT_MODEL, name, dim: 8, layers: 1, dState: 4, maxLength: LENGTH, ...settings };
  const model = createModel(config, ITEMS, 1);
  const optimizer = createOptimizer(model.weights, { ...DEFAULT_TRAINING, clipNorm: 1 });
  const parameters = model.weights.list();
  const size = ROWS * LENGTH;
  const step = (number: number) =>
    tf.tidy(() => {
      const items = Int32Array.from({ length: size }, () => 1 + random.int(ITEMS));
      const reset = Int32Array.from({ length: size }, (_, p) => (p % LENGTH === 0 ? 1 : 0));
      const timestamps = Float64Array.from({ length: size }, (_, p) => 1e9 + 60 * p);
      const batch = { rows: ROWS, length: LENGTH, items, reset, timestamps };
      const loss = () => linearCrossEntropy(model.hidden(batch, number), model.itemTable(), items);
      const { grads } = tf.variableGrads(loss, parameters);
      optimizer.apply(
        parameters.map((p) => grads[p.name] ?? tf.zeros(p.shape)),
        number,
        STEPS,
      );
    });
  for (let i = 1; i <= 20; i++) step(i);
  const state = () => ({
    tensors: tf.memory().numTensors,
    buffers: tf.memory().numDataBuffers,
    bytes: tf.memory().numBytes,
    heap: heap.memory.buffer.byteLength,
    places: places(heap),
  });
  const before = state();
  for (let i = 21; i <= STEPS; i++) step(i);
  expect(state()).toEqual(before);
  optimizer.dispose();
  model.weights.dispose();
});
