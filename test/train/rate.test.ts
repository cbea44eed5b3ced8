/** Rates that follow the width: what they are, whose they are, and that a plain number stays the trial it was. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { DEFAULT_MODEL, MODEL_NAMES, type ModelConfig } from '../../src/model/config.js';
import { createModel } from '../../src/model/model.js';
import { isHiddenMatrix } from '../../src/model/width.js';
import { resolveTrial } from '../../src/train/check.js';
import {
  DEFAULT_EVALUATION,
  DEFAULT_TRAINING,
  type LearningRate,
  type TrialConfig,
} from '../../src/train/config.js';
import { trialId } from '../../src/train/identity.js';
import { plainRate, rateSetting, ratesAt } from '../../src/train/rate.js';
import { createOptimizer } from '../../src/train/step/optimizer.js';
import { trainModel } from '../../src/train/trainer.js';
import { ringWalks, smallConfig } from './small.js';

const trial = (learningRate: LearningRate): TrialConfig =>
  resolveTrial({
    data: { name: 'd', hash: 'h' },
    slice: { users: 1 },
    model: DEFAULT_MODEL,
    training: { ...DEFAULT_TRAINING, learningRate },
    evaluation: DEFAULT_EVALUATION,
    seed: 0,
    backend: 'wasm',
  });

describe('a rate that follows the width', () => {
  it('is base at its dim and falls by its power', () => {
    const rate = { base: 1e-3, dim: 64, power: -1, parts: 'all' } as const;
    expect(ratesAt(rate, 64)).toEqual({ hidden: 1e-3, others: 1e-3 });
    expect(ratesAt(rate, 256).hidden).toBeCloseTo(2.5e-4, 12);
    expect(ratesAt(rate, 16).others).toBeCloseTo(4e-3, 12);
    expect(ratesAt({ ...rate, parts: 'hidden' }, 16)).toEqual({ hidden: 4e-3, others: 1e-3 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1024 }),
        fc.constantFrom(-1, -0.5, 0.5),
        (dim, power) =>
          Math.abs(
            Math.log(ratesAt({ ...rate, power }, 2 * dim).hidden / ratesAt({ ...rate, power }, dim).hidden) -
              power * Math.LN2,
          ) < 1e-9,
      ),
    );
  });

  it('is another trial than the number, and the number is the trial that it always was', () => {
    expect(trialId(trial(1e-3), 2)).toBe('0d9b6d8e60');
    const rule = { base: 1e-3, dim: 64, power: -1, parts: 'all' } as const;
    const ids = [1e-3, rule, { ...rule, parts: 'hidden' as const }, { ...rule, dim: 32 }].map((rate) =>
      trialId(trial(rate), 2),
    );
    expect(new Set(ids).size).toBe(4);
    expect(plainRate({ ...rule, power: 0 })).toBe(1e-3);
    expect(trialId(trial({ ...rule, power: 0 }), 2)).toBe(ids[0]);
    expect(rateSetting(rule)).toBe('0.001*(dim/64)^-1');
    expect(rateSetting({ ...rule, parts: 'hidden' })).toBe('0.001*(dim/64)^-1 of hidden matrices');
    expect(rateSetting(2e-3)).toBe(2e-3);
  });
});

describe('hidden matrices', () => {
  it.each(MODEL_NAMES)('of %s are the linear maps whose inputs grow with dim', async (name) => {
    await openBackend('wasm');
    const shapes = (dim: number) => {
      const config: ModelConfig = resolveTrial({
        ...trial(1e-3),
        // a length equal to dim, so that shapes alone would mistake the time path for the width
        model: { ...DEFAULT_MODEL, name, dim, layers: 2, maxLength: 32 },
      }).model;
      const model = createModel(config, 40, 1);
      const found = model.weights.shapes();
      model.weights.dispose();
      return found;
    };
    const [small, large] = [shapes(32), shapes(64)];
    const growing = [...small].filter(
      ([weight, shape]) =>
        shape.length === 2 && large.get(weight)![1]! > shape[1]! && !weight.startsWith('item_embedding'),
    );
    expect(growing.length).toBeGreaterThanOrEqual(8);
    expect([...small].filter(([weight, shape]) => isHiddenMatrix(weight, shape))).toEqual(growing);
  });
});

describe('a step of the optimiser', () => {
  /** What one step with gradients of 1 takes from every weight, by name. */
  async function taken(learningRate: LearningRate): Promise<Map<string, number>> {
    await openBackend('wasm');
    const model = createModel({ ...DEFAULT_MODEL, dim: 16, layers: 1, dState: 4, maxLength: 8 }, 10, 1);
    const optimizer = createOptimizer(model.weights, { ...DEFAULT_TRAINING, learningRate }, 16);
    const before = model.weights.read();
    tf.tidy(() =>
      optimizer.apply(
        model.weights.list().map((w) => tf.ones(w.shape)),
        1,
        10,
      ),
    );
    const after = model.weights.read();
    optimizer.dispose();
    model.weights.dispose();
    return new Map([...before].map(([name, values]) => [name, values[0]! - after.get(name)![0]!]));
  }

  it('moves hidden matrices at the rate of the width and everything else at the base', async () => {
    const moved = await taken({ base: 1e-2, dim: 64, power: -1, parts: 'hidden' });
    for (const [name, by] of moved) {
      const hidden = /(in_proj|x_proj|dt_proj|out_proj|w_1|w_2)\.weight$/.test(name);
      expect(by, name).toBeCloseTo(hidden ? 4e-2 : 1e-2, 5);
    }
    for (const by of (await taken({ base: 1e-2, dim: 64, power: -1, parts: 'all' })).values())
      expect(by).toBeCloseTo(4e-2, 5);
  });

  it('trains bit for bit as the number does where the rule gives that number', async () => {
    const data = ringWalks();
    const { curve, test } = await trainModel(smallConfig(data, { epochs: 2 }), data);
    for (const parts of ['all', 'hidden'] as const) {
      const rule = { base: 5e-3, dim: 8, power: -1, parts };
      const same = await trainModel(smallConfig(data, { epochs: 2, learningRate: rule }), data);
      expect(same.test).toEqual(test);
      expect(same.curve.map(({ loss }) => loss)).toEqual(curve.map(({ loss }) => loss));
      const other = await trainModel(
        smallConfig(data, { epochs: 2, learningRate: { ...rule, dim: 16 } }),
        data,
      );
      expect(other.curve[0]!.loss).not.toBe(curve[0]!.loss);
    }
  });
});
