/** Sums and products on wasm, where our kernels stand beside tfjs's: same values, and all that is not ours goes to tfjs's. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { openBackend, setThreads } from '../../src/kernels/backend.js';

beforeAll(async () => {
  await openBackend('wasm');
});

const f32 = fc.float({ noNaN: true, min: -1e3, max: 1e3 });

it('tensors of one shape', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(f32, f32), { minLength: 1, maxLength: 50 }), (pairs) => {
      const [a, b] = [0, 1].map((i) => Float32Array.from(pairs, (pair) => pair[i as 0 | 1]));
      tf.tidy(() => {
        const [x, y] = [tf.tensor1d(a!), tf.tensor1d(b!)];
        expect([...tf.add(x, y).dataSync()]).toEqual([...a!].map((v, i) => Math.fround(v + b![i]!)));
        expect([...tf.mul(x, y).dataSync()]).toEqual([...a!].map((v, i) => Math.fround(v * b![i]!)));
      });
    }),
  );
});

it('other shapes and types are left to tfjs', () => {
  tf.tidy(() => {
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    expect([...tf.add(x, tf.tensor1d([10, 20, 30])).dataSync()]).toEqual([11, 22, 33, 14, 25, 36]);
    expect([...tf.mul(x, 2).dataSync()]).toEqual([2, 4, 6, 8, 10, 12]);
    const whole = tf.add(tf.tensor1d([1, 2], 'int32'), tf.tensor1d([2 ** 24, 5], 'int32'));
    expect(whole.dtype).toBe('int32');
    expect([...whole.dataSync()]).toEqual([2 ** 24 + 1, 7]);
  });
});

it('on threads too', async () => {
  const values = Float32Array.from({ length: 100_003 }, (_, i) => Math.sin(i));
  const both = () =>
    tf.tidy(() => {
      const x = tf.tensor1d(values);
      return [tf.add(x, tf.mul(x, x)).dataSync()] as const;
    });
  const [alone] = both();
  await setThreads(3);
  try {
    expect(both()[0]).toEqual(alone);
  } finally {
    await setThreads(1);
  }
});
