/** What every backend's kernels must do, whatever they are made of: values of the references, gradients of their slopes. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../kernels/backend.js';
import { type ScanInputs, selectiveScan } from '../kernels/selective-scan/op.js';
import { createRandom, randomInput } from './compare.js';
import { itLayers } from './layer-kernels.js';
import { properties } from './property.js';
import { itScans } from './scan-kernel.js';
import { itTrains } from './training-kernels.js';

/**
 * @param runs examples a property: slow backends take fewer.
 * @param open makes the backend tfjs's current one, with its kernels registered.
 */
export function describeKernels(
  backend: string,
  runs = 25,
  open: (name: string) => Promise<unknown> = openBackend,
): void {
  const property = properties(runs);

  describe(`kernels on ${backend}`, () => {
    beforeAll(async () => {
      await open(backend);
    });

    itScans(property);
    itLayers(property);
    itTrains(property);

    it('refuses shapes that do not fit, by name', () => {
      tf.tidy(() => {
        const x = tf.zeros([1, 3, 2]) as tf.Tensor3D;
        const B = tf.zeros([1, 3, 4]) as tf.Tensor3D;
        const A = tf.zeros([3, 4]) as tf.Tensor2D;
        expect(() => selectiveScan({ x, delta: x, A, B, C: B }, true)).toThrow(
          'selectiveScan: A has shape [3, 4], expected [2, 4]',
        );
      });
    });

    it('gives the same bits whether a gradient is wanted or not', () => {
      const random = createRandom('evaluation');
      const tensor = (shape: number[], shift = 0) =>
        tf.tensor(Float32Array.from(randomInput(random, shape, 1, shift).values), shape);
      tf.tidy(() => {
        const wide = [2, 45, 6];
        const scans: ScanInputs[] = [tensor([6, 3], -1), tensor([2], -1)].map(
          (A) =>
            ({
              x: tensor(wide),
              delta: tensor(A.rank === 1 ? [2, 45, 2] : wide, -1),
              A: tf.neg(tf.abs(A)),
              B: tensor([2, 45, 3]),
              C: tensor([2, 45, 3]),
              z: tensor(wide),
            }) as ScanInputs,
        );
        for (const inputs of scans) {
          const plain = selectiveScan(inputs, true).dataSync();
          const { value } = tf.valueAndGrad((x: tf.Tensor) =>
            selectiveScan({ ...inputs, x: x as tf.Tensor3D }, true),
          )(inputs.x, inputs.x);
          expect(value.dataSync()).toEqual(plain);
        }
      });
    });

    it('leaves no tensor behind', () => {
      const step = () =>
        tf.tidy(() => {
          const x = tf.randomNormal([2, 5, 4], 0, 1, 'float32', 1) as tf.Tensor3D;
          const A = tf.fill([4, 3], -1) as tf.Tensor2D;
          const B = tf.ones([2, 5, 3]) as tf.Tensor3D;
          tf.grads((u: tf.Tensor) =>
            selectiveScan({ x: u as tf.Tensor3D, delta: x, A, B, C: B, z: x }, true),
          )([x], x);
        });
      step();
      const before = tf.memory().numTensors;
      for (let i = 0; i < 20; i++) step();
      expect(tf.memory().numTensors).toBe(before);
    });
  });
}
