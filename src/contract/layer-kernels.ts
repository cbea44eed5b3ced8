/** What layers are made of: convolution, norms, products, activations, embeddings. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gelu } from '../kernels/activation/gelu.js';
import { geluReference } from '../kernels/activation/reference.js';
import { ACTIVATIONS } from '../kernels/causal-conv/inputs.js';
import { causalConv } from '../kernels/causal-conv/op.js';
import { causalConvReference } from '../kernels/causal-conv/reference.js';
import { embedding } from '../kernels/embedding/op.js';
import { gatherReference } from '../kernels/embedding/reference.js';
import { layerNorm } from '../kernels/layer-norm/op.js';
import { layerNormReference } from '../kernels/layer-norm/reference.js';
import { linear, matMul } from '../kernels/matmul/op.js';
import { matMulReference } from '../kernels/matmul/reference.js';
import { splitLinear } from '../kernels/matmul/split.js';
import { checkOp, createRandom, randomInput, randomReset, worstDifference } from './compare.js';
import { type Property, seeds, upTo } from './property.js';

export function itLayers(property: Property): void {
  it('causal convolution over widths, resets and activations', () => {
    property(
      [
        upTo(3),
        upTo(20),
        upTo(9),
        upTo(6),
        fc.constantFrom(...ACTIVATIONS),
        fc.boolean(),
        fc.boolean(),
        seeds,
      ],
      (batch, length, channels, width, activation, biased, resets, seed) => {
        const random = createRandom(seed);
        const reset = resets ? randomReset(random, batch, length, 5) : undefined;
        checkOp(
          {
            x: randomInput(random, [batch, length, channels]),
            weight: randomInput(random, [channels, width]),
            ...(biased ? { bias: randomInput(random, [channels]) } : {}),
          },
          (v) =>
            causalConvReference({ batch, length, channels, width }, v['x']!, v['weight']!, v['bias'], {
              activation,
              reset,
            }),
          (t) => {
            const constant = reset && { reset: tf.tensor2d(reset, [batch, length], 'int32') };
            return causalConv({ ...t, ...constant } as never, activation);
          },
          random,
        );
      },
    );
  });

  it('layer norm over widths', () => {
    // Two values are normalised to +-1 whatever they are: no gradient to compare.
    property([upTo(9), fc.integer({ min: 3, max: 70 }), seeds], (rows, width, seed) => {
      const random = createRandom(seed);
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

  it('layer norm of a constant row: the shift alone, and no gradient, however many norms follow', () => {
    property([fc.integer({ min: 3, max: 40 }), upTo(8), seeds], (width, norms, seed) => {
      const random = createRandom(seed);
      const wide = randomInput(random, [width]).values;
      // Zeros, a constant that no float32 mean is exact for, less than a millionth of deviation; a row like any other.
      const rows = [wide.map(() => 0), wide.map(() => 0.1), wide.map((v) => 1e-8 * v), wide];
      const values = Float64Array.from(rows.flatMap((row) => [...row].map(Math.fround)));
      const [gamma, beta] = [randomInput(random, [width]).values, new Float64Array(width)];
      let expected: Float64Array = values;
      for (let n = 0; n < norms; n++)
        expected = layerNormReference(rows.length, width, expected, gamma, beta, 1e-12);
      tf.tidy(() => {
        const weight = tf.tensor1d(Float32Array.from(gamma));
        const f = (x: tf.Tensor) => {
          let y = x;
          for (let n = 0; n < norms; n++) y = layerNorm(y, weight, tf.zeros([width]), 1e-12);
          return y;
        };
        const x = tf.tensor(Float32Array.from(values), [rows.length, width]);
        const { value, grad } = tf.valueAndGrad((t: tf.Tensor) => tf.sum(tf.mul(f(t), x)))(x);
        expect(Number.isFinite(value.dataSync()[0]!)).toBe(true);
        const constant = 3 * width;
        expect([...f(x).dataSync().slice(0, constant)]).toEqual(new Array(constant).fill(0));
        expect(worstDifference(f(x).dataSync(), expected)).toBeLessThan(1e-3);
        expect([...grad.dataSync().slice(0, constant)].every((g) => g === 0)).toBe(true);
        expect([...grad.dataSync()].every(Number.isFinite)).toBe(true);
      });
    });
  });

  it('matrix products with every transposition', () => {
    const size = fc.oneof(upTo(20), fc.constantFrom(1, 4, 8, 9, 63, 65, 300));
    property(
      [size, size, size, fc.boolean(), fc.boolean(), seeds],
      (m, n, k, transposeA, transposeB, seed) => {
        const random = createRandom(seed);
        checkOp(
          {
            a: randomInput(random, transposeA ? [k, m] : [m, k]),
            b: randomInput(random, transposeB ? [n, k] : [k, n]),
          },
          (v) => matMulReference({ m, n, k }, v['a']!, v['b']!, transposeA, transposeB),
          (t) => matMul(t['a'] as tf.Tensor2D, t['b'] as tf.Tensor2D, transposeA, transposeB),
          random,
        );
      },
    );
  });

  it('linear layers with and without bias', () => {
    property([upTo(70), upTo(20), upTo(20), fc.boolean(), seeds], (rows, inputs, outputs, biased, seed) => {
      const random = createRandom(seed);
      const shape = { m: rows, n: outputs, k: inputs };
      checkOp(
        {
          x: randomInput(random, [rows, inputs]),
          weight: randomInput(random, [outputs, inputs]),
          ...(biased ? { bias: randomInput(random, [outputs]) } : {}),
        },
        (v) =>
          matMulReference(shape, v['x']!, v['weight']!, false, true).map(
            (y, i) => y + (v['bias']?.[i % outputs] ?? 0),
          ),
        (t) => linear(t['x']!, t['weight'] as tf.Tensor2D, t['bias'] as tf.Tensor1D | undefined),
        random,
      );
    });
  });

  it('linear layers in parts, all of them wanted or one', () => {
    const widths = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 });
    property(
      [upTo(70), upTo(20), widths, fc.boolean(), fc.boolean(), seeds],
      (rows, inputs, parts, biased, one, seed) => {
        const random = createRandom(seed);
        const outputs = parts.reduce((sum, n) => sum + n, 0);
        const wanted = one ? [random.int(parts.length)] : parts.map((_, i) => i);
        const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, n) => sum + n, 0));
        const columns = wanted.flatMap((i) => Array.from({ length: parts[i]! }, (_, j) => starts[i]! + j));
        checkOp(
          {
            x: randomInput(random, [rows, inputs]),
            weight: randomInput(random, [outputs, inputs]),
            ...(biased ? { bias: randomInput(random, [outputs]) } : {}),
          },
          (v) => {
            const shape = { m: rows, n: outputs, k: inputs };
            const y = matMulReference(shape, v['x']!, v['weight']!, false, true);
            return Float64Array.from({ length: rows * columns.length }, (_, i) => {
              const column = columns[i % columns.length]!;
              return y[Math.floor(i / columns.length) * outputs + column]! + (v['bias']?.[column] ?? 0);
            });
          },
          (t) => {
            const [x, weight] = [t['x'] as tf.Tensor2D, t['weight'] as tf.Tensor2D];
            const y = splitLinear(x, weight, t['bias'] as tf.Tensor1D | undefined, parts);
            return tf.concat(
              wanted.map((i) => y[i]!),
              1,
            );
          },
          random,
        );
      },
    );
  });

  it('GELU over the whole range', () => {
    const random = createRandom('gelu');
    checkOp(
      { x: randomInput(random, [403], 3) },
      (v) => v['x']!.map(geluReference),
      (t) => gelu(t['x']!),
      random,
    );
  });

  it('embedding and its gradient, with items that repeat', () => {
    property([upTo(30), fc.integer({ min: 2, max: 12 }), upTo(9), seeds], (n, rows, width, seed) => {
      const random = createRandom(seed);
      const indices = Int32Array.from({ length: n }, () => random.int(rows));
      checkOp(
        { table: randomInput(random, [rows, width]) },
        (v) => gatherReference(width, v['table']!, indices),
        (t) => embedding(t['table'] as tf.Tensor2D, tf.tensor1d(indices, 'int32')),
        random,
      );
    });
  });
}
