/** What every backend's kernels must do, whatever they are made of: values of the references, gradients of their slopes. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { gelu } from '../kernels/activation/gelu.js';
import { geluReference } from '../kernels/activation/reference.js';
import { adamSteps, clipFactor, sumOfSquares } from '../kernels/adam/op.js';
import { adamReference } from '../kernels/adam/reference.js';
import { openBackend } from '../kernels/backend.js';
import { ACTIVATIONS } from '../kernels/causal-conv/inputs.js';
import { causalConv } from '../kernels/causal-conv/op.js';
import { causalConvReference } from '../kernels/causal-conv/reference.js';
import { linearCrossEntropy } from '../kernels/cross-entropy/op.js';
import { crossEntropyReference } from '../kernels/cross-entropy/reference.js';
import { dropout } from '../kernels/dropout/op.js';
import { dropoutMask } from '../kernels/dropout/reference.js';
import { embedding } from '../kernels/embedding/op.js';
import { gatherReference } from '../kernels/embedding/reference.js';
import { layerNorm } from '../kernels/layer-norm/op.js';
import { layerNormReference } from '../kernels/layer-norm/reference.js';
import { linear, matMul } from '../kernels/matmul/op.js';
import { matMulReference } from '../kernels/matmul/reference.js';
import { splitLinear } from '../kernels/matmul/split.js';
import { targetRanks } from '../kernels/rank/op.js';
import { ranksReference } from '../kernels/rank/reference.js';
import { type ScanInputs, selectiveScan } from '../kernels/selective-scan/op.js';
import { type ScanArrays, selectiveScanReference } from '../kernels/selective-scan/reference.js';
import { checkOp, createRandom, type Inputs, randomInput, randomReset, worstDifference } from './compare.js';

const seeds = fc.integer({ min: 0, max: 1 << 30 });
const upTo = (max: number) => fc.integer({ min: 1, max });

/**
 * @param runs examples a property: slow backends take fewer.
 * @param open makes the backend tfjs's current one, with its kernels registered.
 */
export function describeKernels(
  backend: string,
  runs = 25,
  open: (name: string) => Promise<unknown> = openBackend,
): void {
  const property = <T extends unknown[]>(
    arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
    check: (...values: T) => void,
  ) =>
    fc.assert(fc.property(...(arbitraries as unknown as [fc.Arbitrary<unknown>]), check as never), {
      numRuns: runs,
    });

  describe(`kernels on ${backend}`, () => {
    beforeAll(async () => {
      await open(backend);
    });

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

    it('cross-entropy over all items, with rows left out', () => {
      property([upTo(40), upTo(12), fc.integer({ min: 2, max: 40 }), seeds], (rows, width, items, seed) => {
        const random = createRandom(seed);
        const targets = Int32Array.from({ length: rows }, (_, r) =>
          r > 0 && random.int(4) === 0 ? -1 : random.int(items),
        );
        checkOp(
          { hidden: randomInput(random, [rows, width], 2), items: randomInput(random, [items, width]) },
          (v) => Float64Array.of(crossEntropyReference(width, v['hidden']!, v['items']!, targets)),
          (t) => linearCrossEntropy(t['hidden'] as tf.Tensor2D, t['items'] as tf.Tensor2D, targets),
          random,
          2e-5,
          1, // a loss near zero is a difference of larger numbers
        );
      });
    });

    it('dropout drops what the reference drops, on the way back too', () => {
      property([upTo(50), fc.constantFrom(0.1, 0.5, 0.9), fc.integer()], (n, rate, seed) => {
        const random = createRandom(seed);
        const mask = dropoutMask(n, rate, seed | 0);
        checkOp(
          { x: randomInput(random, [n]) },
          (v) => v['x']!.map((x, i) => x * mask[i]!),
          (t) => dropout(t['x']!, rate, seed | 0),
          random,
        );
      });
    });

    it('Adam over several steps and parameters, with decay and clipping', () => {
      const random = createRandom('adam');
      // More parameters than a GPU binds at once, of sizes around those of workgroups.
      const shapes = [[37], [1], [16, 17], [255], [2, 3, 4], [256], [300]];
      const drawn = () => shapes.map((shape) => randomInput(random, shape).values);
      const variable = (values: ArrayLike<number>, i: number) =>
        tf.tidy(() => tf.variable(tf.tensor(Float32Array.from(values), shapes[i]!)));
      const start = drawn();
      const states = start.map((p) => ({ p: p.slice(), m: p.map(() => 0), v: p.map(() => 0) }));
      const tensors = states.map(({ p, m, v }, i) => ({
        p: variable(p, i),
        m: variable(m, i),
        v: variable(v, i),
      }));
      const settings = { rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };
      for (let step = 1; step <= 6; step++) {
        const g = drawn();
        const norm = Math.sqrt(g.reduce((sum, part) => sum + part.reduce((s, x) => s + x * x, 0), 0));
        // In every third step the gradient is below the limit.
        const limit = step % 3 === 0 ? 1.5 * norm : 0.7 * norm;
        states.forEach((state, i) => {
          adamReference(state, g[i]!, step, { ...settings, clip: Math.min(1, limit / norm) });
        });
        tf.tidy(() => {
          const gradients = g.map((values, i) => tf.tensor(Float32Array.from(values), shapes[i]!));
          const clip = clipFactor(gradients, limit);
          adamSteps(
            tensors.map((t, i) => ({ ...t, g: gradients[i]! })),
            step,
            { ...settings, clip },
          );
        });
      }
      tensors.forEach((t, i) => {
        for (const name of ['p', 'm', 'v'] as const) {
          expect(worstDifference(t[name].dataSync(), states[i]![name])).toBeLessThan(1e-5);
          t[name].dispose();
        }
      });
      const parts = [tf.tensor1d([3, 4]), tf.tensor1d([12])];
      expect(sumOfSquares(parts)).toBeCloseTo(169, 4);
      for (const t of parts) t.dispose();
    });

    it('ranks of targets, ties and NaN against the model, histories with repeats', () => {
      property([upTo(9), upTo(6), fc.integer({ min: 2, max: 30 }), seeds], (users, width, numItems, seed) => {
        const random = createRandom(seed);
        // Small whole numbers: sums are exact and ties are frequent.
        const whole = (n: number) => Float64Array.from({ length: n }, () => random.int(3) - 1);
        const hidden = whole(users * width);
        const items = whole((numItems + 1) * width);
        if (random.int(4) === 0) hidden[0] = Number.NaN;
        const lengths = Int32Array.from({ length: users }, () => random.int(8));
        const historyOffsets = new Int32Array(users + 1);
        lengths.forEach((n, u) => {
          historyOffsets[u + 1] = historyOffsets[u]! + n;
        });
        const historyItems = Int32Array.from(
          { length: historyOffsets[users]! },
          () => 1 + random.int(numItems),
        );
        const targets = Int32Array.from({ length: users }, () => 1 + random.int(numItems));
        const rest = { targets, historyOffsets, historyItems };
        const expected = ranksReference({ hidden, items, width, ...rest });
        tf.tidy(() => {
          const got = targetRanks({
            hidden: tf.tensor2d(Float32Array.from(hidden), [users, width]),
            items: tf.tensor2d(Float32Array.from(items), [numItems + 1, width]),
            ...rest,
          });
          expect([...got.unmasked]).toEqual([...expected.unmasked]);
          expect([...got.masked]).toEqual([...expected.masked]);
          for (const [u, loss] of expected.losses.entries())
            if (Number.isNaN(loss)) expect(got.losses[u]).toBeNaN();
            else expect(got.losses[u]).toBeCloseTo(loss, 4);
        });
      });
    });

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
