/**
 * How fast is the selective scan with one decay a head? 128 channels in heads of 32, 32 states, length 200, as in TiM4Rec
 * at dim 64: fused; in its dual form out of plain tfjs ops; and as the scan with a decay a state, its inputs spread out.
 */
import * as tf from '@tensorflow/tfjs';
import { it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { composedHeadScan } from '../../src/kernels/selective-scan/composed-heads.js';
import { type ScanInputs, selectiveScan } from '../../src/kernels/selective-scan/op.js';
import { sideBySide } from './side-by-side.js';

const [BATCH, LENGTH, CHANNELS, HEADS, STATES] = [8, 200, 128, 4, 32];

it('selective scan with one decay a head', async () => {
  await openBackend('wasm');
  const wide: [number, number, number] = [BATCH, LENGTH, CHANNELS];
  const narrow: [number, number, number] = [BATCH, LENGTH, STATES];
  const inputs = {
    x: tf.randomNormal(wide, 0, 1, 'float32', 1),
    delta: tf.randomNormal([BATCH, LENGTH, HEADS], -3, 1, 'float32', 2),
    A: tf.neg(tf.range(1, HEADS + 1)),
    B: tf.randomNormal(narrow, 0, 1, 'float32', 3),
    C: tf.randomNormal(narrow, 0, 1, 'float32', 4),
    D: tf.ones([HEADS]),
    z: tf.randomNormal(wide, 0, 1, 'float32', 5),
    deltaBias: tf.zeros([HEADS]),
  };
  const reset = tf.zeros([BATCH, LENGTH], 'int32');
  const names = Object.keys(inputs);
  const tensors = Object.values(inputs) as tf.Tensor[];
  type Scan = (inputs: ScanInputs, softplus: boolean) => tf.Tensor;
  const both = (scan: Scan) => () => {
    tf.tidy(() => {
      const forward = (...list: tf.Tensor[]) =>
        scan(
          { ...Object.fromEntries(names.map((n, i) => [n, list[i]])), reset } as unknown as ScanInputs,
          true,
        );
      tf.grads(forward)(tensors, inputs.x);
    });
  };
  const spread = (t: tf.Tensor) =>
    tf.reshape(tf.tile(tf.expandDims(t, -1), [...t.shape.map(() => 1), CHANNELS / HEADS]), [
      ...t.shape.slice(0, -1),
      CHANNELS,
    ]);
  const tied: Scan = (i, softplus) =>
    selectiveScan(
      {
        ...i,
        delta: spread(i.delta),
        A: tf.tile(tf.expandDims(spread(i.A), 1), [1, STATES]),
        D: spread(i.D!),
        deltaBias: spread(i.deltaBias!),
      } as ScanInputs,
      softplus,
    );
  await sideBySide(
    'Selective scan with one decay a head, forward and backward',
    BATCH * LENGTH,
    'tokens',
    [
      { name: 'wasm, fused', run: both(selectiveScan) },
      { name: 'wasm, dual form in tfjs ops', run: both((i, softplus) => composedHeadScan(i, softplus)) },
      { name: 'wasm, a decay a state, tied', run: both(tied) },
    ],
    7,
  );
});
