/**
 * Small models under dropout: an item of few dimensions is now and then dropped whole, and what is left of it is a row of
 * zeros in front of twice as many norms as there are layers. PERFLAW_SMALL says how many models are tried.
 */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { linearCrossEntropy } from '../../src/kernels/cross-entropy/op.js';
import { DEFAULT_MODEL, MODEL_NAMES, type ModelConfig } from '../../src/model/config.js';
import { createModel } from '../../src/model/model.js';
import { DEFAULT_TRAINING } from '../../src/train/config.js';
import { createOptimizer } from '../../src/train/step/optimizer.js';
import { createRandom } from '../../src/util/random.js';

const ROWS = 4;
const LENGTH = 32;
const ITEMS = 50;
const STEPS = 2;

const timesOf = (dropout: number, dim: number) => ROWS * LENGTH * dropout ** dim;

/** The largest entry of any gradient in the first steps of a training, and whether every weight and moment is finite after them. */
function firstSteps(config: ModelConfig, seed: number): { largest: number; finite: boolean } {
  const random = createRandom(seed);
  const n = ROWS * LENGTH;
  const draw = () => Int32Array.from({ length: n }, () => 1 + random.int(ITEMS));
  const reset = Int32Array.from({ length: n }, (_, i) => Number(i % LENGTH === 0 || random.int(8) === 0));
  const timestamps = Float64Array.from({ length: n }, (_, i) => 1e9 + 60 * i * (1 + random.int(3)));
  const model = createModel(config, ITEMS, seed);
  const weights = model.weights.list();
  const optimizer = createOptimizer(model.weights, { ...DEFAULT_TRAINING, learningRate: 2e-3 });
  let largest = 0;
  for (let step = 1; step <= STEPS; step++)
    tf.tidy(() => {
      const [items, targets] = [draw(), draw()];
      const batch = { rows: ROWS, length: LENGTH, items, reset, timestamps };
      const { grads } = tf.variableGrads(
        () => linearCrossEntropy(model.hidden(batch, random.bits()), model.itemTable(), targets),
        weights,
      );
      const gradients = weights.map((w) => grads[w.name] ?? tf.zeros(w.shape));
      for (const g of gradients)
        for (const v of g.dataSync())
          largest = Number.isFinite(v) ? Math.max(largest, Math.abs(v)) : Number.POSITIVE_INFINITY;
      optimizer.apply(gradients, step, STEPS);
    });
  const after = [...model.weights.read().values(), ...optimizer.read().values()];
  const finite = after.every((values) => values.every(Number.isFinite));
  model.weights.dispose();
  optimizer.dispose();
  return { largest, finite };
}

describe('models of few dimensions under dropout', () => {
  beforeAll(async () => {
    await openBackend('wasm');
  });

  it('have gradients of ordinary size and finite moments, whatever their depth', () => {
    let emptied = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...MODEL_NAMES),
        fc.integer({ min: 4, max: 16 }),
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom(0, 0.2, 0.4, 0.6),
        fc.constantFrom('mamba' as const, 'mamba4rec' as const),
        fc.constantFrom('published' as const, 'always' as const),
        fc.integer({ min: 0, max: 1 << 30 }),
        (name, dim, layers, dropout, init, residual, seed) => {
          emptied += STEPS * timesOf(dropout, dim);
          const small = {
            name,
            dim,
            layers,
            dropout,
            init,
            residual,
            headDim: dim,
            dState: 4,
            maxLength: LENGTH,
          };
          const { largest, finite } = firstSteps({ ...DEFAULT_MODEL, ...small }, seed);
          expect(largest).toBeLessThan(1e4);
          expect(finite).toBe(true);
        },
      ),
      {
        numRuns: Number(process.env['PERFLAW_SMALL'] ?? 8),
        examples: [worst('mamba4rec'), worst('tim4rec')],
      },
    );
    // Or nothing was tried: on average so many rows lost everything.
    expect(emptied).toBeGreaterThan(10);
  });
});

type Tried = [
  ModelConfig['name'],
  number,
  number,
  number,
  ModelConfig['init'],
  'published' | 'always',
  number,
];

/** What was infinite at its first step before norms had a word for constant rows. */
function worst(name: ModelConfig['name']): Tried {
  return [name, 4, 8, 0.6, 'mamba4rec', 'always', 1];
}
