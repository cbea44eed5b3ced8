/** The selective scan with a decay a channel and state: values, gradients, long sequences, decays from 1 to nothing. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ScanInputs, selectiveScan } from '../kernels/selective-scan/op.js';
import { type ScanArrays, selectiveScanReference } from '../kernels/selective-scan/reference.js';
import { checkOp, createRandom, type Inputs, randomInput, randomReset } from './compare.js';
import { type Property, seeds, upTo } from './property.js';

export function itScans(property: Property): void {
  it('selective scan: values and all gradients over shapes, with and without every option', () => {
    property(
      [upTo(3), upTo(40), upTo(9), upTo(9), fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean(), seeds],
      (batch, length, channels, states, softplus, gated, skip, resets, seed) => {
        const random = createRandom(seed);
        const wide = [batch, length, channels];
        const inputs: Inputs = {
          x: randomInput(random, wide),
          // Without softplus time steps must be drawn positive, or states grow without bound.
          delta: randomInput(random, wide, softplus ? 1 : 0.05, softplus ? -1 : 0.5),
          A: randomInput(random, [channels, states], 0.3, -1),
          B: randomInput(random, [batch, length, states]),
          C: randomInput(random, [batch, length, states]),
          ...(skip
            ? {
                D: randomInput(random, [channels]),
                deltaBias: randomInput(random, [channels], softplus ? 0.3 : 0.05),
              }
            : {}),
          ...(gated ? { z: randomInput(random, wide) } : {}),
        };
        const reset = resets ? randomReset(random, batch, length, 7) : undefined;
        checkOp(
          inputs,
          (v) =>
            selectiveScanReference(
              { batch, length, channels, states },
              { ...(v as unknown as ScanArrays), reset },
              { deltaSoftplus: softplus },
            ).y,
          (t) => {
            const constant = reset && { reset: tf.tensor2d(reset, [batch, length], 'int32') };
            return selectiveScan({ ...t, ...constant } as unknown as ScanInputs, softplus);
          },
          random,
        );
      },
    );
  });

  it('selective scan: long sequences do not drift', () => {
    const random = createRandom('long');
    const [batch, length, channels, states] = [1, 700, 5, 6];
    const inputs: Inputs = {
      x: randomInput(random, [batch, length, channels]),
      delta: randomInput(random, [batch, length, channels], 0.5, -4),
      A: randomInput(random, [channels, states], 0.2, -1),
      B: randomInput(random, [batch, length, states]),
      C: randomInput(random, [batch, length, states]),
    };
    checkOp(
      inputs,
      (v) =>
        selectiveScanReference({ batch, length, channels, states }, v as never, { deltaSoftplus: true }).y,
      (t) => selectiveScan(t as unknown as ScanInputs, true),
      random,
    );
  });

  it('selective scan: decays from 1 to nothing, side by side', () => {
    const random = createRandom('decays');
    const [batch, length, channels, states] = [2, 37, 7, 5];
    const rates = [0, 1e-3, 1, 30, 1e4];
    const A = { shape: [channels, states], values: new Float64Array(channels * states) };
    for (let i = 0; i < A.values.length; i++) A.values[i] = -Math.fround(rates[(i + (i % channels)) % 5]!);
    const inputs: Inputs = {
      x: randomInput(random, [batch, length, channels]),
      delta: randomInput(random, [batch, length, channels], 2),
      B: randomInput(random, [batch, length, states]),
      C: randomInput(random, [batch, length, states]),
    };
    checkOp(
      inputs,
      (v) =>
        selectiveScanReference({ batch, length, channels, states }, { ...v, A: A.values } as never, {
          deltaSoftplus: true,
        }).y,
      (t) =>
        selectiveScan(
          { ...t, A: tf.tensor(Float32Array.from(A.values), A.shape) } as unknown as ScanInputs,
          true,
        ),
      random,
    );
  });

  it('selective scan: the decay is right to the rounding of its exponent, whatever its neighbours are', () => {
    // y_2 = exp(-d) where the second step takes nothing in.
    const n = 4000;
    const exponents = Float32Array.from({ length: n }, (_, c) => (c % 8 === 7 ? 500 : (40 * c) / n));
    tf.tidy(() => {
      const row = (first: number, second: number) => tf.tensor3d([first, second], [1, 2, 1]) as tf.Tensor3D;
      const y = selectiveScan(
        {
          x: tf.ones([1, 2, n]),
          delta: tf.stack([tf.ones([n]), tf.tensor1d(exponents)]).expandDims(0) as tf.Tensor3D,
          A: tf.fill([n, 1], -1) as tf.Tensor2D,
          B: row(1, 0),
          C: row(0, 1),
        },
        false,
      ).dataSync();
      // As a share of what single precision leaves of d log2 e: 3e-7, and two roundings of the exponent.
      const errors = Array.from(exponents, (d, c) =>
        d > 100 ? y[n + c]! * 1e6 : Math.abs(y[n + c]! / Math.exp(-d) - 1) / (3e-7 + 1.2e-7 * d),
      );
      expect(Math.max(...errors)).toBeLessThan(1);
    });
  });

  it('selective scan: what is not a number stays so, in its own channel', () => {
    tf.tidy(() => {
      const x = tf.tensor3d([1, Number.NaN, 1, 1, 1, 1], [1, 3, 2]);
      const B = tf.ones([1, 3, 1]) as tf.Tensor3D;
      const A = tf.fill([2, 1], -1) as tf.Tensor2D;
      const y = selectiveScan({ x, delta: tf.onesLike(x), A, B, C: B }, true).dataSync();
      expect(Array.from(y, Number.isNaN)).toEqual([false, true, false, true, false, true]);
      const byStep = selectiveScan({ x: tf.onesLike(x), delta: x, A, B, C: B }, true).dataSync();
      expect(Array.from(byStep, Number.isNaN)).toEqual([false, true, false, true, false, true]);
    });
  });
}
