/** WGSL kernels at sizes beyond one workgroup or one slab. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  checkOp,
  createRandom,
  randomInput,
  randomReset,
  worstDifference,
} from '../../src/contract/compare.js';
import { openBackend } from '../../src/kernels/backend.js';
import { causalConv } from '../../src/kernels/causal-conv/op.js';
import { causalConvReference } from '../../src/kernels/causal-conv/reference.js';
import { embedding } from '../../src/kernels/embedding/op.js';
import { layerNorm } from '../../src/kernels/layer-norm/op.js';
import { layerNormReference } from '../../src/kernels/layer-norm/reference.js';
import { noAdapter } from './adapter.js';

describe.skipIf(noAdapter)('webgpu kernels over several workgroups', () => {
  beforeAll(async () => {
    await openBackend('webgpu');
  });

  it('embedding: 1,500 indices, sorted by blocks, some rows often and some never', () => {
    const random = createRandom('rows');
    const [rows, width, n] = [40, 70, 1500];
    const indices = Int32Array.from({ length: n }, () => (random.int(3) === 0 ? 7 : random.int(rows - 1)));
    const dy = randomInput(random, [n, width]).values;
    const expected = new Float64Array(rows * width);
    for (const [i, row] of indices.entries())
      for (let j = 0; j < width; j++) expected[row * width + j]! += dy[i * width + j]!;
    const run = () =>
      tf.tidy(() => {
        const gradient = tf.grad((table: tf.Tensor) =>
          embedding(table as tf.Tensor2D, tf.tensor1d(indices, 'int32')),
        );
        return gradient(
          tf.zeros([rows, width]),
          tf.tensor2d(Float32Array.from(dy), [n, width]),
        ).dataSync() as Float32Array;
      });
    const first = run();
    expect(worstDifference(first, expected)).toBeLessThan(1e-5);
    expect(run()).toEqual(first);
  });

  it('causal convolution: several slabs and blocks of channels', () => {
    const random = createRandom('conv');
    const [batch, length, channels, width] = [3, 41, 90, 4];
    const reset = randomReset(random, batch, length, 6);
    checkOp(
      {
        x: randomInput(random, [batch, length, channels]),
        weight: randomInput(random, [channels, width]),
        bias: randomInput(random, [channels]),
      },
      (v) =>
        causalConvReference({ batch, length, channels, width }, v['x']!, v['weight']!, v['bias'], {
          activation: 'hardswish',
          reset,
        }),
      (t) => causalConv({ ...t, reset: tf.tensor2d(reset, [batch, length], 'int32') } as never, 'hardswish'),
      random,
    );
  });

  it('layer norm: several rows a slab, more columns than threads', () => {
    const random = createRandom('norm');
    const [rows, width] = [5, 600];
    checkOp(
      {
        x: randomInput(random, [rows, width], 2, 1),
        gamma: randomInput(random, [width]),
        beta: randomInput(random, [width]),
      },
      (v) => layerNormReference(rows, width, v['x']!, v['gamma']!, v['beta']!, 1e-5),
      (t) => layerNorm(t['x']!, t['gamma'] as tf.Tensor1D, t['beta'] as tf.Tensor1D, 1e-5),
      random,
      1e-4,
    );
  });
});
