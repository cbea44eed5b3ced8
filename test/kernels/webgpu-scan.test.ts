/**
 * The WGSL scan at sizes where its arrangement changes: several tiles of channels, several chunks of time, states that do
 * not fill vectors of four, more of them than lanes, more dispatches than one dimension holds.
 */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkOp, createRandom, type Inputs, randomInput, randomReset } from '../../src/contract/compare.js';
import { openBackend } from '../../src/kernels/backend.js';
import { type ScanInputs, selectiveScan } from '../../src/kernels/selective-scan/op.js';
import { type ScanArrays, selectiveScanReference } from '../../src/kernels/selective-scan/reference.js';
import { noAdapter } from './adapter.js';

interface Size {
  batch: number;
  length: number;
  channels: number;
  states: number;
  heads?: number;
}

describe.skipIf(noAdapter)('selective scan on webgpu', () => {
  beforeAll(async () => {
    await openBackend('webgpu');
  });

  it.each<Size>([
    { batch: 2, length: 37, channels: 40, states: 32 },
    { batch: 33, length: 3, channels: 2, states: 4 },
    { batch: 1, length: 20, channels: 20, states: 10 },
    { batch: 1, length: 7, channels: 5, states: 150 },
    { batch: 1, length: 5, channels: 3, states: 300 },
    { batch: 2, length: 37, channels: 48, states: 32, heads: 3 },
    { batch: 1, length: 19, channels: 36, states: 6, heads: 4 },
    { batch: 1, length: 5, channels: 6, states: 260, heads: 2 },
  ])('%j', (size) => {
    const { batch, length, channels, states, heads } = size;
    const random = createRandom(JSON.stringify(size));
    const wide = [batch, length, channels];
    const groups = heads ?? channels;
    const inputs: Inputs = {
      x: randomInput(random, wide),
      delta: randomInput(random, [batch, length, groups], 1, -1),
      A: randomInput(random, heads ? [heads] : [channels, states], 0.3, -1),
      B: randomInput(random, [batch, length, states]),
      C: randomInput(random, [batch, length, states]),
      D: randomInput(random, [groups]),
      z: randomInput(random, wide),
      deltaBias: randomInput(random, [groups], 0.3),
    };
    const reset = randomReset(random, batch, length, 9);
    checkOp(
      inputs,
      (v) =>
        selectiveScanReference(size, { ...(v as unknown as ScanArrays), reset }, { deltaSoftplus: true }).y,
      (t) =>
        selectiveScan(
          { ...t, reset: tf.tensor2d(reset, [batch, length], 'int32') } as unknown as ScanInputs,
          true,
        ),
      random,
    );
  });

  it('gives the same bits again', () => {
    const run = () =>
      tf.tidy(() => {
        const x = tf.randomNormal([2, 40, 24], 0, 1, 'float32', 1) as tf.Tensor3D;
        const B = tf.randomNormal([2, 40, 8], 0, 1, 'float32', 2) as tf.Tensor3D;
        const A = tf.fill([24, 8], -1) as tf.Tensor2D;
        const gradients = tf.grads((b: tf.Tensor, a: tf.Tensor) =>
          selectiveScan({ x, delta: x, A: a as tf.Tensor2D, B: b as tf.Tensor3D, C: B, z: x }, true),
        )([B, A]);
        return gradients.map((g) => g.dataSync().slice());
      });
    expect(run()).toEqual(run());
  });
});
