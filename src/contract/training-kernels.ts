/** What training and evaluation are made of: losses, dropout, Adam, ranks. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { adamSteps, clipFactor, sumOfSquares } from '../kernels/adam/op.js';
import { adamReference } from '../kernels/adam/reference.js';
import { linearCrossEntropy } from '../kernels/cross-entropy/op.js';
import { crossEntropyReference } from '../kernels/cross-entropy/reference.js';
import { dropout } from '../kernels/dropout/op.js';
import { dropoutMask } from '../kernels/dropout/reference.js';
import { targetRanks } from '../kernels/rank/op.js';
import { ranksReference } from '../kernels/rank/reference.js';
import { checkOp, createRandom, randomInput, worstDifference } from './compare.js';
import { type Property, seeds, upTo } from './property.js';

export function itTrains(property: Property): void {
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
}
