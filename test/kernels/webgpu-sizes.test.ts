/** Shapes at which the WGSL kernels take another way: parts, large tiles, chunks, more workgroups than a dispatch has. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkOp, createRandom, randomInput, worstDifference } from '../../src/contract/compare.js';
import { openBackend } from '../../src/kernels/backend.js';
import { linearCrossEntropy } from '../../src/kernels/cross-entropy/op.js';
import { cutScores } from '../../src/kernels/cross-entropy/plan.js';
import { dropout } from '../../src/kernels/dropout/op.js';
import { dropoutMask } from '../../src/kernels/dropout/reference.js';
import { linear, matMul } from '../../src/kernels/matmul/op.js';
import { matMulReference } from '../../src/kernels/matmul/reference.js';
import { ranksReference } from '../../src/kernels/rank/reference.js';
import { cutProduct } from '../../src/kernels/webgpu/gemm.js';
import { webgpuKernel } from '../../src/kernels/webgpu/program.js';
import { noAdapter } from './adapter.js';

const floats = (values: ArrayLike<number>, shape: number[]) => tf.tensor(Float32Array.from(values), shape);

describe('how work is cut', () => {
  it('products: large tiles where there are many, parts where there are few', () => {
    expect(cutProduct(2048, 2048, 64)).toEqual({ tile: 128, parts: 1, partLength: 64 });
    expect(cutProduct(6400, 256, 64)).toEqual({ tile: 64, parts: 1, partLength: 64 });
    // The gradient of a weight: 4 tiles, 6,400 tokens.
    const { parts, partLength } = cutProduct(256, 64, 6400);
    expect(parts).toBeGreaterThan(32);
    expect(parts * partLength).toBeGreaterThanOrEqual(6400);
    expect((parts - 1) * partLength).toBeLessThan(6400);
  });

  it('scores: never more at a time than allowed, all items together where rows are enough', () => {
    expect(cutScores(6400, 3417, 1 << 25)).toEqual({ rows: 6400, items: 3420 });
    expect(cutScores(60000, 3417, 1 << 25)).toEqual({ rows: 9811, items: 3420 });
    for (const [rows, items] of [
      [1, 1],
      [6400, 12_101],
      [6400, 1_000_000],
      [50, 30_000_000],
    ] as const) {
      const cut = cutScores(rows, items, 1 << 25);
      expect(cut.rows * cut.items).toBeLessThanOrEqual(1 << 25);
      expect(cut.items % 4).toBe(0);
    }
  });
});

describe.skipIf(noAdapter)('webgpu at its corners', () => {
  beforeAll(async () => {
    await openBackend('webgpu');
  });

  it('a linear layer of many rows: its gradients are added in parts, the same bits every time', () => {
    const random = createRandom('parts');
    const [rows, inputs, outputs] = [1037, 6, 5];
    const given = {
      x: randomInput(random, [rows, inputs]),
      weight: randomInput(random, [outputs, inputs]),
      bias: randomInput(random, [outputs]),
    };
    expect(cutProduct(outputs, inputs, rows).parts).toBeGreaterThan(1);
    const layer = (t: Record<string, tf.Tensor>) =>
      linear(t['x']!, t['weight'] as tf.Tensor2D, t['bias'] as tf.Tensor1D);
    checkOp(
      given,
      (v) =>
        matMulReference({ m: rows, n: outputs, k: inputs }, v['x']!, v['weight']!, false, true).map(
          (y, i) => y + v['bias']![i % outputs]!,
        ),
      layer,
      random,
    );
    const gradients = () =>
      tf.tidy(() => {
        const [x, weight, bias] = Object.values(given).map(({ values, shape }) => floats(values, shape));
        const all = tf.grads((...[a, b, c]: tf.Tensor[]) => layer({ x: a!, weight: b!, bias: c! }));
        return all([x!, weight!, bias!]).map((t) => [...t.dataSync()]);
      });
    expect(gradients()).toEqual(gradients());
  });

  it('tiles of 128, at edges that they do not fill', () => {
    const random = createRandom('large tiles');
    const [m, n, k] = [2000, 1950, 7];
    expect(cutProduct(m, n, k).tile).toBe(128);
    const a = randomInput(random, [m, k]);
    const b = randomInput(random, [k, n]);
    const expected = matMulReference({ m, n, k }, a.values, b.values, false, false);
    tf.tidy(() => {
      const product = matMul(
        floats(a.values, a.shape) as tf.Tensor2D,
        floats(b.values, b.shape) as tf.Tensor2D,
      );
      expect(worstDifference(product.dataSync(), expected)).toBeLessThan(2e-6);
    });
  });

  it('one row, one item, one channel', () => {
    tf.tidy(() => {
      const one = (value: number) => tf.tensor2d([[value]]);
      expect(matMul(one(3), one(-2)).dataSync()[0]).toBe(-6);
      const { value, grads } = tf.valueAndGrads((h: tf.Tensor, w: tf.Tensor) =>
        linearCrossEntropy(h as tf.Tensor2D, w as tf.Tensor2D, Int32Array.of(0)),
      )([one(1.5), one(2)]);
      expect([value, ...grads].map((t) => t.dataSync()[0])).toEqual([0, 0, 0]);
    });
  });

  it('more workgroups than a dispatch has in one direction', () => {
    const groups = 70_001;
    tf.registerKernel(
      webgpuKernel('NumberGroups', (gpu) => {
        const y = gpu.output([groups], 'int32');
        const program = {
          name: 'numberGroups',
          threads: 1,
          code: () => 'fn run(group: u32, lane: u32) { y[group] = i32(group); }',
        };
        gpu.run(program, { write: { y }, groups });
        return y;
      }),
    );
    const y = tf.engine().runKernel('NumberGroups', {}) as tf.Tensor;
    expect([...y.dataSync()]).toEqual(Array.from({ length: groups }, (_, i) => i));
    y.dispose();
    tf.unregisterKernel('NumberGroups', 'webgpu');
  });

  it.each([
    ['rows', 700, 5, 8 * 256],
    ['items, with a running sum', 40, 51, 52 * 10],
    ['both', 1500, 30, 8 * 1024],
  ])('cross-entropy in chunks of %s equals one chunk', (_, rows, items, chunkFloats) => {
    const random = createRandom(`chunks ${rows}`);
    const width = 6;
    const cut = cutScores(rows, items, chunkFloats);
    expect(cut.rows < rows || cut.items < items).toBe(true);
    tf.tidy(() => {
      const targets = Int32Array.from({ length: rows }, () => random.int(items));
      const inputs = {
        hidden: floats(randomInput(random, [rows, width], 3).values, [rows, width]),
        items: floats(randomInput(random, [items, width]).values, [items, width]),
        targets: tf.tensor1d(targets, 'int32'),
        positions: tf.range(0, rows, 1, 'int32'),
      };
      const run = (attrs: tf.NamedAttrMap) =>
        (tf.engine().runKernel('LinearCrossEntropy', inputs, attrs) as unknown as tf.Tensor[]).map((t) =>
          t.dataSync(),
        );
      const whole = run({});
      run({ chunkFloats }).forEach((part, i) => {
        expect(worstDifference(part, whole[i]!)).toBeLessThan(2e-6);
      });
    });
  });

  it('sampled cross-entropy in chunks of rows equals one chunk', () => {
    const random = createRandom('sampled chunks');
    const [rows, width, numItems, sampled] = [90, 5, 33, 21];
    tf.tidy(() => {
      const ints = (n: number) => Int32Array.from({ length: n }, () => random.int(numItems));
      const targets = ints(rows).map((item, r) => (r % 5 === 2 ? -1 : item));
      const inputs = {
        hidden: floats(randomInput(random, [rows, width], 3).values, [rows, width]),
        items: floats(randomInput(random, [numItems, width]).values, [numItems, width]),
        targets: tf.tensor1d(targets, 'int32'),
        positions: tf.tensor1d(
          Int32Array.from(targets.keys()).filter((r) => targets[r]! >= 0),
          'int32',
        ),
        negatives: tf.tensor1d(ints(sampled), 'int32'),
        offsets: floats(randomInput(random, [sampled]).values, [sampled]),
      };
      const run = (attrs: tf.NamedAttrMap) =>
        (tf.engine().runKernel('SampledCrossEntropy', inputs, attrs) as unknown as tf.Tensor[]).map((t) =>
          t.dataSync(),
        );
      const whole = run({});
      run({ chunkFloats: 24 * 16 }).forEach((part, i) => {
        expect(worstDifference(part, whole[i]!)).toBeLessThan(2e-6);
      });
    });
  });

  it('ranks in chunks of users, with scores that are no numbers and items that are there twice', () => {
    const random = createRandom('rank chunks');
    const [users, width, numItems] = [23, 3, 401];
    const whole = (n: number) => Float64Array.from({ length: n }, () => random.int(3) - 1);
    const hidden = whole(users * width);
    const items = whole((numItems + 1) * width);
    hidden[width] = Number.NaN; // all scores of user 1
    items[7 * width] = Number.NaN; // item 7 of every user
    items[9 * width] = Number.POSITIVE_INFINITY;
    const historyOffsets = Int32Array.from({ length: users + 1 }, (_, u) => u * 300);
    const historyItems = Int32Array.from({ length: users * 300 }, () => 1 + random.int(numItems));
    const targets = Int32Array.from({ length: users }, (_, u) => (u === 5 ? 7 : 1 + random.int(numItems)));
    const rest = { targets, historyOffsets, historyItems };
    const expected = ranksReference({ hidden, items, width, ...rest });
    tf.tidy(() => {
      const [unmasked, masked] = tf.engine().runKernel(
        'TargetRanks',
        {
          hidden: floats(hidden, [users, width]),
          items: floats(items, [numItems + 1, width]),
          targets: tf.tensor1d(targets, 'int32'),
          historyOffsets: tf.tensor1d(historyOffsets, 'int32'),
          historyItems: tf.tensor1d(historyItems, 'int32'),
        },
        { chunkFloats: 404 * 5 },
      ) as unknown as tf.Tensor[];
      expect([...unmasked!.dataSync()]).toEqual([...expected.unmasked]);
      expect([...masked!.dataSync()]).toEqual([...expected.masked]);
    });
  });

  it('dropout of a million elements drops what the reference drops', () => {
    const [n, rate, seed] = [1_000_003, 0.3, -123_456_789];
    tf.tidy(() => {
      const y = dropout(tf.ones([n]), rate, seed).dataSync();
      expect(Buffer.compare(Buffer.from(y.buffer), Buffer.from(dropoutMask(n, rate, seed).buffer))).toBe(0);
    });
  });
});
