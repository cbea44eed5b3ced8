/** How fast is the selective scan, fused and composed? 128 channels, 32 states, length 200, as in Mamba4Rec at dim 64. */
import * as tf from '@tensorflow/tfjs';
import { it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { composedScan } from '../../src/kernels/selective-scan/composed.js';
import { type ScanInputs, selectiveScan } from '../../src/kernels/selective-scan/op.js';
import { sideBySide } from './side-by-side.js';

const [BATCH, LENGTH, CHANNELS, STATES] = [8, 200, 128, 32];

it('selective scan', async () => {
  await openBackend('wasm');
  const wide: [number, number, number] = [BATCH, LENGTH, CHANNELS];
  const narrow: [number, number, number] = [BATCH, LENGTH, STATES];
  const inputs: ScanInputs = {
    x: tf.randomNormal(wide, 0, 1, 'float32', 1),
    delta: tf.randomNormal(wide, -3, 1, 'float32', 2),
    A: tf.neg(tf.tile(tf.range(1, STATES + 1).reshape([1, STATES]), [CHANNELS, 1])),
    B: tf.randomNormal(narrow, 0, 1, 'float32', 3),
    C: tf.randomNormal(narrow, 0, 1, 'float32', 4),
    D: tf.ones([CHANNELS]),
    z: tf.randomNormal(wide, 0, 1, 'float32', 5),
    deltaBias: tf.zeros([CHANNELS]),
    reset: tf.zeros([BATCH, LENGTH], 'int32'),
  };
  const { reset, ...differentiable } = inputs;
  const names = Object.keys(differentiable);
  const tensors = Object.values(differentiable);
  const both = (scan: (inputs: ScanInputs, softplus: boolean) => tf.Tensor) => () => {
    tf.tidy(() => {
      const forward = (...list: tf.Tensor[]) =>
        scan(
          { ...Object.fromEntries(names.map((n, i) => [n, list[i]])), reset } as unknown as ScanInputs,
          true,
        );
      tf.grads(forward)(tensors, inputs.x);
    });
  };
  const tokens = BATCH * LENGTH;
  await sideBySide(
    'Selective scan, forward and backward',
    tokens,
    'tokens',
    [
      { name: 'wasm, fused', run: both(selectiveScan) },
      { name: 'wasm, plain tfjs ops', run: both((i, softplus) => composedScan(i, softplus)) },
    ],
    5,
  );
  await sideBySide('Selective scan, forward', tokens, 'tokens', [
    { name: 'wasm, fused', run: () => void tf.tidy(() => void selectiveScan(inputs, true)) },
    { name: 'wasm, plain tfjs ops', run: () => void tf.tidy(() => void composedScan(inputs, true)) },
  ]);
});
