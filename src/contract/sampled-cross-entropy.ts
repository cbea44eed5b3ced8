/** What the sampled cross-entropy must do on every backend: the reference's value and slopes, and the full loss in the limit. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../kernels/backend.js';
import { linearCrossEntropy } from '../kernels/cross-entropy/op.js';
import { sampledCrossEntropy } from '../kernels/sampled-cross-entropy/op.js';
import { sampledCrossEntropyReference } from '../kernels/sampled-cross-entropy/reference.js';
import { checkOp, createRandom, randomInput, worstDifference } from './compare.js';

const upTo = (max: number) => fc.integer({ min: 1, max });

/**
 * @param runs examples a property: slow backends take fewer.
 * @param open makes the backend tfjs's current one, with its kernels registered.
 */
export function describeSampledCrossEntropy(
  backend: string,
  runs = 25,
  open: (name: string) => Promise<unknown> = openBackend,
): void {
  describe(`sampled cross-entropy on ${backend}`, () => {
    beforeAll(async () => {
      await open(backend);
    });

    it('values and gradients, with rows left out, targets among the negatives and negatives that repeat', () => {
      const items = fc.integer({ min: 2, max: 40 });
      const seeds = fc.integer({ min: 0, max: 1 << 30 });
      fc.assert(
        fc.property(upTo(40), upTo(12), items, upTo(50), seeds, (rows, width, numItems, k, seed) => {
          const random = createRandom(seed);
          const targets = Int32Array.from({ length: rows }, (_, r) =>
            r > 0 && random.int(4) === 0 ? -1 : random.int(numItems),
          );
          const sample = {
            items: Int32Array.from({ length: k }, () => random.int(numItems)),
            logExpected: Float32Array.from({ length: k }, () => -3 * random.uniform()),
          };
          checkOp(
            { hidden: randomInput(random, [rows, width], 2), items: randomInput(random, [numItems, width]) },
            (v) =>
              Float64Array.of(
                sampledCrossEntropyReference(
                  width,
                  v['hidden']!,
                  v['items']!,
                  targets,
                  sample.items,
                  sample.logExpected,
                ),
              ),
            (t) =>
              sampledCrossEntropy(t['hidden'] as tf.Tensor2D, t['items'] as tf.Tensor2D, targets, sample),
            random,
            2e-5,
            1, // a loss near zero is a difference of larger numbers
          );
        }),
        { numRuns: runs },
      );
    });

    it('equals the full loss and its gradients where every item is in the sample, over several chunks', () => {
      const random = createRandom('everything');
      const [rows, width, numItems] = [300, 9, 70];
      const targets = Int32Array.from({ length: rows }, () => random.int(numItems));
      const order = random.shuffle(Int32Array.from({ length: numItems }, (_, i) => i));
      const sample = { items: order, logExpected: new Float32Array(numItems) };
      tf.tidy(() => {
        const hidden = tf.tensor2d(Float32Array.from(randomInput(random, [rows, width], 2).values), [
          rows,
          width,
        ]);
        const table = tf.tensor2d(Float32Array.from(randomInput(random, [numItems, width]).values), [
          numItems,
          width,
        ]);
        const both = [
          (h: tf.Tensor, w: tf.Tensor) => linearCrossEntropy(h as tf.Tensor2D, w as tf.Tensor2D, targets),
          (h: tf.Tensor, w: tf.Tensor) =>
            sampledCrossEntropy(h as tf.Tensor2D, w as tf.Tensor2D, targets, sample),
        ].map((loss) => tf.valueAndGrads(loss)([hidden, table]));
        const [full, sampled] = both.map(({ value, grads }) => [value, ...grads].map((t) => t.dataSync()));
        full!.forEach((expected, i) => {
          expect(worstDifference(sampled![i]!, expected)).toBeLessThan(2e-6);
        });
      });
    });

    it('scores of hundreds neither overflow nor lose the target', () => {
      tf.tidy(() => {
        const hidden = tf.tensor2d([[300], [-300]]);
        const items = tf.tensor2d([[1], [-1], [0.5]]);
        const sample = { items: Int32Array.of(0, 1, 2), logExpected: Float32Array.of(-9, -9, -9) };
        const loss = (target: number) =>
          sampledCrossEntropy(hidden, items, Int32Array.of(target, -1), sample).dataSync()[0]!;
        expect(loss(0)).toBeCloseTo(0, 5);
        expect(loss(1)).toBeCloseTo(609, 3);
        const none = sampledCrossEntropy(hidden, items, Int32Array.of(0, 0), {
          items: Int32Array.of(0),
          logExpected: Float32Array.of(-2),
        });
        expect(none.dataSync()[0]).toBe(0); // nothing but the target was sampled
      });
    });

    it('refuses a batch in which nothing is predicted', () => {
      tf.tidy(() => {
        const x = tf.zeros([1, 2]) as tf.Tensor2D;
        const sample = { items: Int32Array.of(0), logExpected: Float32Array.of(0) };
        expect(() => sampledCrossEntropy(x, x, Int32Array.of(-1), sample)).toThrow('no row has a target');
      });
    });
  });
}
