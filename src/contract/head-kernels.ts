/** What every backend's Mamba-2 kernels must do: the scan with one decay a head, Hardswish, RMS norm. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { hardswish } from '../kernels/activation/hardswish.js';
import { hardswishReference } from '../kernels/activation/reference.js';
import { openBackend } from '../kernels/backend.js';
import { rmsNorm } from '../kernels/rms-norm/op.js';
import { rmsNormReference } from '../kernels/rms-norm/reference.js';
import { type ScanInputs, selectiveScan } from '../kernels/selective-scan/op.js';
import { type ScanArrays, selectiveScanReference } from '../kernels/selective-scan/reference.js';
import { checkOp, createRandom, type Inputs, randomInput, randomReset, worstDifference } from './compare.js';

const upTo = (max: number) => fc.integer({ min: 1, max });

/**
 * @param runs examples a property: slow backends take fewer.
 * @param open makes the backend tfjs's current one, with its kernels registered.
 */
export function describeHeadKernels(
  backend: string,
  runs: number,
  open: (name: string) => Promise<unknown> = openBackend,
): void {
  describe(`Mamba-2 kernels on ${backend}`, () => {
    beforeAll(async () => {
      await open(backend);
    });

    it('scan with one decay a head: values and all gradients over shapes, with and without every option', () => {
      fc.assert(
        fc.property(
          fc.tuple(upTo(3), upTo(70), upTo(4), upTo(6), upTo(9)),
          fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
          fc.integer({ min: 0, max: 1 << 30 }),
          ([batch, length, heads, headDim, states], [softplus, gated, skip, resets], seed) => {
            const random = createRandom(seed);
            const channels = heads * headDim;
            const wide = [batch, length, channels];
            const inputs: Inputs = {
              x: randomInput(random, wide),
              delta: randomInput(random, [batch, length, heads], softplus ? 1 : 0.2, softplus ? -1 : 0.4),
              A: randomInput(random, [heads], 0.3, -1),
              B: randomInput(random, [batch, length, states]),
              C: randomInput(random, [batch, length, states]),
              ...(skip
                ? { D: randomInput(random, [heads]), deltaBias: randomInput(random, [heads], 0.3) }
                : {}),
              ...(gated ? { z: randomInput(random, wide) } : {}),
            };
            const reset = resets ? randomReset(random, batch, length, 7) : undefined;
            checkOp(
              inputs,
              (v) =>
                selectiveScanReference(
                  { batch, length, channels, states, heads },
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
        ),
        { numRuns: runs },
      );
    });

    it('scan with one decay a head equals the scan whose states and channels are tied', () => {
      const random = createRandom('tied');
      const [batch, length, heads, headDim, states] = [2, 300, 3, 4, 8];
      const channels = heads * headDim;
      const tensor = (shape: number[], scale = 1, shift = 0) => {
        const input = randomInput(random, shape, scale, shift);
        return tf.tensor(Float32Array.from(input.values), shape);
      };
      tf.tidy(() => {
        const shared = {
          x: tensor([batch, length, channels]),
          B: tensor([batch, length, states]),
          C: tensor([batch, length, states]),
        } as Pick<ScanInputs, 'x' | 'B' | 'C'>;
        const delta = tensor([batch, length, heads], 1, -2);
        const A = tensor([heads], 0.3, -1);
        const D = tensor([heads]);
        const spread = (t: tf.Tensor) =>
          tf.reshape(tf.tile(tf.expandDims(t, -1), [...t.shape.map(() => 1), headDim]), [
            ...t.shape.slice(0, -1),
            channels,
          ]);
        const perHead = selectiveScan({ ...shared, delta, A, D } as ScanInputs, true);
        const tied = selectiveScan(
          {
            ...shared,
            delta: spread(delta),
            A: tf.tile(tf.expandDims(spread(A), 1), [1, states]),
            D: spread(D),
          } as ScanInputs,
          true,
        );
        expect(worstDifference(perHead.dataSync(), tied.dataSync())).toBeLessThan(1e-5);
      });
    });

    it('scan with one decay a head equals the explicit length x length matrix', () => {
      const random = createRandom('matrix');
      const [length, heads, headDim, states] = [45, 2, 3, 4];
      const channels = heads * headDim;
      const x = randomInput(random, [1, length, channels]);
      const dt = randomInput(random, [1, length, heads], 0.1, 0.4);
      const A = randomInput(random, [heads], 0.3, -1);
      const B = randomInput(random, [1, length, states]);
      const C = randomInput(random, [1, length, states]);
      // M[t, s] = exp(sum of dt A over (s, t]) C_t . B_s dt_s
      const expected = new Float64Array(length * channels);
      for (let h = 0; h < heads; h++)
        for (let t = 0; t < length; t++)
          for (let s = 0; s <= t; s++) {
            let exponent = 0;
            for (let r = s + 1; r <= t; r++) exponent += dt.values[r * heads + h]! * A.values[h]!;
            let dot = 0;
            for (let n = 0; n < states; n++) dot += C.values[t * states + n]! * B.values[s * states + n]!;
            const m = Math.exp(exponent) * dot * dt.values[s * heads + h]!;
            for (let p = 0; p < headDim; p++) {
              const c = h * headDim + p;
              expected[t * channels + c]! += m * x.values[s * channels + c]!;
            }
          }
      tf.tidy(() => {
        const load = (i: { shape: number[]; values: Float64Array }) =>
          tf.tensor(Float32Array.from(i.values), i.shape);
        const y = selectiveScan(
          { x: load(x), delta: load(dt), A: load(A), B: load(B), C: load(C) } as unknown as ScanInputs,
          false,
        );
        expect(worstDifference(y.dataSync(), expected)).toBeLessThan(2e-5);
      });
    });

    it('refuses heads that do not divide the channels', () => {
      tf.tidy(() => {
        const x = tf.zeros([1, 3, 4]) as tf.Tensor3D;
        const B = tf.zeros([1, 3, 2]) as tf.Tensor3D;
        const delta = tf.zeros([1, 3, 3]) as tf.Tensor3D;
        const A = tf.zeros([3]) as tf.Tensor1D;
        expect(() => selectiveScan({ x, delta, A, B, C: B }, true)).toThrow(
          '3 heads do not divide 4 channels',
        );
      });
    });

    it('Hardswish over the whole range', () => {
      const random = createRandom('hardswish');
      checkOp(
        { x: randomInput(random, [403], 3) },
        (v) => v['x']!.map(hardswishReference),
        (t) => hardswish(t['x']!),
        random,
      );
    });

    it('RMS norm over widths', () => {
      fc.assert(
        fc.property(
          upTo(9),
          fc.integer({ min: 2, max: 70 }),
          fc.integer({ min: 0, max: 1 << 30 }),
          (rows, width, seed) => {
            const random = createRandom(seed);
            checkOp(
              { x: randomInput(random, [rows, width], 2, 1), gamma: randomInput(random, [width]) },
              (v) => rmsNormReference(rows, width, v['x']!, v['gamma']!, 1e-5),
              (t) => rmsNorm(t['x']!, t['gamma'] as tf.Tensor1D, 1e-5),
              random,
              1e-4,
            );
          },
        ),
        { numRuns: runs },
      );
    });

    it('RMS norm of a row of zeros: zeros, and no gradient', () => {
      tf.tidy(() => {
        const x = tf.tensor2d([0, 0, 0, 0, 0, 1e-8, -1e-8, 0, 1e-8, 0, 1, 2, 3, 4, 5], [3, 5]);
        const run = (t: tf.Tensor) => rmsNorm(t as tf.Tensor2D, tf.ones([5]), 1e-12);
        const gradient = tf
          .grad((t) => tf.sum(tf.mul(run(t), tf.tensor1d([5, 1, 4, 2, 3]))))(x)
          .dataSync();
        const zeros = new Array(10).fill(0);
        expect([...run(x).dataSync().slice(0, 10)].map(Math.abs)).toEqual(zeros);
        expect([...gradient.slice(0, 10)].map(Math.abs)).toEqual(zeros);
        expect([...gradient.slice(10)].every((g) => Number.isFinite(g) && g !== 0)).toBe(true);
      });
    });
  });
}
