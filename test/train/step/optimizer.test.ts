import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { openBackend } from '../../../src/kernels/backend.js';
import { DEFAULT_MODEL } from '../../../src/model/config.js';
import { createModel } from '../../../src/model/model.js';
import { DEFAULT_TRAINING } from '../../../src/train/config.js';
import { createOptimizer, decays } from '../../../src/train/step/optimizer.js';

describe('weight decay', () => {
  it.each(['mamba4rec', 'tim4rec', 'ssd4rec'] as const)(
    'shrinks the matrices of %s, and leaves A_log, D, biases and norms alone',
    async (name) => {
      await openBackend('wasm');
      const shape = { name, dim: 8, layers: 2, dState: 4, maxLength: 10, headDim: 8 };
      const model = createModel({ ...DEFAULT_MODEL, ...shape }, 20, 1);
      const training = { ...DEFAULT_TRAINING, learningRate: 0.01, weightDecay: 0.1 };
      const optimizer = createOptimizer(model.weights, training);
      const before = new Map([...model.weights.read()].map(([key, values]) => [key, values.slice()]));
      // nothing but decay moves a weight whose gradient is 0
      const gradients = model.weights.list().map((weight) => tf.zeros(weight.shape));
      optimizer.apply(gradients, 1, 1);
      const shapes = model.weights.shapes();
      let [shrunk, left] = [0, 0];
      for (const [key, values] of model.weights.read()) {
        const isMatrix = shapes.get(key)!.length > 1 && !key.endsWith('A_log');
        expect(decays(key, shapes.get(key)!), key).toBe(isMatrix);
        const factor = isMatrix ? 1 - 0.01 * 0.1 : 1;
        values.forEach((value, i) => {
          expect(value, key).toBeCloseTo(factor * before.get(key)![i]!, 6);
        });
        if (!isMatrix) expect([...values], key).toEqual([...before.get(key)!]);
        if (isMatrix) shrunk++;
        else left++;
      }
      expect(shrunk).toBeGreaterThan(8);
      expect(left).toBeGreaterThan(8);
      expect([...shapes.keys()].some((key) => key.endsWith('A_log'))).toBe(true);
      for (const gradient of gradients) gradient.dispose();
      optimizer.dispose();
      model.weights.list().forEach((weight) => {
        weight.dispose();
      });
    },
  );
});
