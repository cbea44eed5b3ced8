/** A later interaction of another user never reaches the model: data on which seeing it would give a perfect score. */
import { describe, expect, it } from 'vitest';
import type { Interactions } from '../../../src/data/interactions.js';
import { splitInteractions } from '../../../src/data/split.js';
import { expandSweep } from '../../../src/sweep/file/expand.js';
import { resolveSweep } from '../../../src/sweep/file/resolve.js';
import { checkSweepText } from '../../../src/sweep/file/spec.js';
import { resolveTrial } from '../../../src/train/check.js';
import { popularityBaseline } from '../../../src/train/evaluation/baseline.js';
import { trialId } from '../../../src/train/identity.js';
import { trainModel } from '../../../src/train/trainer.js';
import { createRandom } from '../../../src/util/random.js';
import { smallConfig } from '../small.js';

const USERS = 60;
const OLD = 20;
const NEW = 10;

/**
 * Until time 100 everybody draws among twenty items by chance; from then on all walk round ten new ones in one fixed order, each from a place of its own. Whoever has
 * seen one user's later walk knows every other's next item; whoever has not can know none of them.
 */
function fashion(): Interactions {
  const random = createRandom('fashion');
  const length = 8 + NEW;
  const items = new Int32Array(USERS * length);
  const timestamps = new Float64Array(items.length);
  for (let u = 0; u < USERS; u++)
    for (let i = 0; i < length; i++) {
      const at = u * length + i;
      items[at] = i < 8 ? 1 + random.int(OLD) : OLD + 1 + ((u + i - 8) % NEW);
      timestamps[at] = i < 8 ? 10 * i : 100 + 10 * (i - 8) + u / 100;
    }
  return {
    name: 'fashion',
    hash: 'fashion',
    numUsers: USERS,
    numItems: OLD + NEW,
    offsets: Int32Array.from({ length: USERS + 1 }, (_, u) => u * length),
    items,
    timestamps,
    userIds: Array.from({ length: USERS }, (_, u) => `u${u}`),
    itemIds: Array.from({ length: OLD + NEW + 1 }, (_, i) => `${i}`),
  };
}
const SPLIT = { temporal: { validation: 0.3, test: 10 / 18 - 0.3 } };

describe('the temporal split', () => {
  it('hides from the model what leave-one-out would have shown it', async () => {
    const data = fashion();
    const config = smallConfig(data, { epochs: 8 });
    const seen = await trainModel(config, data);
    const hidden = await trainModel({ ...config, split: SPLIT }, data);
    // All others walked the same way before: leave-one-out learns it to perfection.
    expect(seen.test.unmasked['hr@1']).toBeGreaterThan(0.95);
    expect(seen.test.masked['hr@1']).toBe(1);
    // Targets here are items that nobody had had when training ended: the twenty old ones all rank above them, but for chance.
    expect(hidden.validation.unmasked['hr@10']).toBeLessThan(0.1);
    expect(hidden.test.unmasked['hr@1']).toBeLessThan(0.3);
    const { train, heldOut } = splitInteractions(data, SPLIT);
    expect(train.items.every((item) => item <= OLD)).toBe(true);
    expect(heldOut.validation.targets.every((item) => item > OLD)).toBe(true);
    // The test's history goes on to its own moment: the user's events of the validation window belong to it.
    expect(heldOut.test.ends.every((end, i) => end > heldOut.validation.ends[i]!)).toBe(true);
    const popularity = popularityBaseline(data, config.slice, config.evaluation, SPLIT);
    expect(popularity.validation.unmasked['hr@10']).toBe(0);
  });

  it('changes nothing of a model where other users’ later events change', async () => {
    const data = fashion();
    const config = { ...smallConfig(data, { epochs: 1 }), split: SPLIT };
    const first = await trainModel(config, data);
    // Everybody's later items but the first user's are others now.
    const own = data.offsets[1]!;
    const items = data.items.map((item, i) => (i >= own && item > OLD ? 1 + ((item * 7 + i) % OLD) : item));
    const second = await trainModel(config, { ...data, items });
    expect(second.curve[0]!.loss).toBe(first.curve[0]!.loss);
    expect(second.validation).not.toEqual(first.validation);
  });

  it('is part of a trial’s identity, and leaves that of all others as it was', () => {
    const expand = (text: string) => {
      const { source } = checkSweepText(text, 's.yaml');
      return expandSweep(resolveSweep(source!), 'wasm').configurations[0]!;
    };
    const trial = (more: string) =>
      resolveTrial({
        data: { name: 'd', hash: 'h' },
        ...expand(`data: d\ngrid: {dim: [64], layers: [1]}\n${more}`),
      });
    const plain = trial('');
    for (const absent of ['split', 'startFrom']) expect(plain).not.toHaveProperty(absent);
    expect(plain.evaluation).toEqual({ ks: [5, 10, 20], select: 'ndcg@10', history: 'masked' });
    expect(plain.training).not.toHaveProperty('evaluateSteps');
    expect(trialId(trial('split: leave-one-out\n'), 2)).toBe(trialId(plain, 2));
    const others = [
      'split: {temporal: {validation: 0.1, test: 0.1}}\n',
      'split: {temporal: {validation: 0.1, test: 0.2}}\n',
      'evaluation: {users: 100}\n',
      'evaluation: {users: 100, testUsers: all}\n',
      'training: {evaluateSteps: 100}\n',
    ].map((more) => trialId(trial(more), 2));
    expect(new Set([trialId(plain, 2), ...others]).size).toBe(6);
    // As versions before these settings named it.
    const before = {
      data: { name: 'd', hash: 'h' },
      slice: { users: 1 },
      model: {
        name: 'mamba4rec',
        layers: 1,
        dim: 64,
        dState: 32,
        dConv: 4,
        expand: 2,
        maxLength: 200,
        dropout: 0.2,
        init: 'mamba',
      },
      training: {
        epochs: 20,
        patience: 10,
        rows: 8,
        loss: 'all',
        learningRate: 1e-3,
        schedule: 'constant',
        warmup: 0,
        weightDecay: 0,
        clipNorm: 0,
        evaluateEvery: 1,
      },
      evaluation: { ks: [5, 10, 20], select: 'ndcg@10', history: 'masked' },
      seed: 0,
      backend: 'wasm',
    } as const;
    expect(trialId(before as unknown as Parameters<typeof trialId>[0], 2)).toBe('0d9b6d8e60');
    for (const [text, message] of [
      ['split: {temporal: {validation: 0.1}}\n', /./],
      ['split: random\n', /leave-one-out/],
      ['split: {temporal: {validation: 2, test: 0.1}}\n', /./],
    ] as const) {
      const { source, problems } = checkSweepText(`data: d\ngrid: {dim: [64]}\n${text}`, 's.yaml');
      expect(source).toBeUndefined();
      expect(JSON.stringify(problems)).toMatch(message);
    }
  });
});
