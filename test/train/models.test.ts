/** TiM4Rec and SSD4Rec in training: what they learn, what is refused, weights in and out. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Interactions, Sequences } from '../../src/data/interactions.js';
import { leaveOneOut } from '../../src/data/split.js';
import { openBackend } from '../../src/kernels/backend.js';
import { defaultLoss, MODEL_NAMES, type ModelConfig } from '../../src/model/config.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/model/files/safetensors.js';
import { loadWeights, readWeightsFile } from '../../src/model/files/weights-file.js';
import { createModel } from '../../src/model/model.js';
import type { TimeMode } from '../../src/model/settings.js';
import type { TrialConfig } from '../../src/train/config.js';
import { evaluateModel } from '../../src/train/evaluation/evaluate.js';
import { evaluationSet } from '../../src/train/evaluation/evaluation-set.js';
import { TrainingInterrupted } from '../../src/train/hooks.js';
import type { TrainingResult } from '../../src/train/result.js';
import {
  assemble,
  countPredictions,
  countSteps,
  epochRows,
  randomPrefixWindows,
} from '../../src/train/step/batches.js';
import { trainModel } from '../../src/train/trainer.js';
import { UserError } from '../../src/util/errors.js';
import { createRandom } from '../../src/util/random.js';
import { ringWalks, smallConfig } from './small.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perflaw-models-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Ring walks with a clock: the gap before an item says how far the walk goes on from it. */
function timedWalks(numUsers = 60, numItems = 20): Interactions {
  const random = createRandom('timed walks');
  const data = ringWalks(numUsers, numItems);
  const items = data.items.slice();
  const timestamps = new Float64Array(items.length);
  for (let u = 0; u < numUsers; u++) {
    let at = random.int(numItems);
    let clock = 1.4e9 + random.int(1e6);
    for (let i = data.offsets[u]!; i < data.offsets[u + 1]!; i++) {
      const slow = random.int(2);
      clock += slow ? 500_000 : 50;
      items[i] = at + 1;
      timestamps[i] = clock;
      at = (at + (slow ? 5 : 1)) % numItems;
    }
  }
  return { ...data, name: 'timed ring', hash: `timed-${numUsers}-${numItems}`, items, timestamps };
}

function trialOf(
  data: Interactions,
  model: Partial<ModelConfig>,
  training: Partial<TrialConfig['training']> = {},
): TrialConfig {
  const base = smallConfig(data, training);
  return { ...base, model: { ...base.model, headDim: 4, dropout: 0, ...model } };
}

function numbers({ seconds: _s, tokensPerSecond: _t, peakMemoryBytes: _p, curve, ...rest }: TrainingResult) {
  return { ...rest, curve: curve.map(({ seconds: _cs, tokensPerSecond: _ct, ...record }) => record) };
}

describe('TiM4Rec in training', () => {
  it('learns at all positions, and the clock takes part in what it learns', async () => {
    const data = timedWalks();
    const train = (time: TimeMode, delay = 0) => {
      const timestamps = data.timestamps!.map((t, i) => (i % 3 === 0 ? t : t + delay));
      return trainModel(
        trialOf(data, { name: 'tim4rec', time, dim: 16 }, { epochs: 8, learningRate: 1e-2 }),
        { ...data, timestamps },
      );
    };
    const timed = await train('causal');
    // The walk goes on by 1 or by 5 at even odds: half right is all that the items alone allow.
    expect(timed.test.unmasked['hr@1']).toBeGreaterThan(0.4);
    expect((await train('causal', 20_000)).curve[0]!.loss).not.toBe(timed.curve[0]!.loss);
    const blind = await train('none');
    expect(numbers(await train('none', 20_000))).toEqual(numbers(blind));
  });

  it.each(['masked', 'paper'] as const)(
    '%s: trains at the last position of random prefixes',
    async (time) => {
      const data = timedWalks();
      const trial = trialOf(
        data,
        { name: 'tim4rec', time },
        { loss: 'last', prefixes: 'random', epochs: 12, learningRate: 1e-2 },
      );
      const result = await trainModel(trial, data);
      expect(result.curve.at(-1)!.loss).toBeLessThan(0.9 * result.curve[0]!.loss);
      expect(Number.isInteger(result.tokens.perEpoch)).toBe(true);
    },
  );

  it('takes the time mode that its loss allows, and the same bits again', async () => {
    const data = timedWalks();
    for (const [loss, time] of [
      ['all', 'causal'],
      ['last', 'masked'],
    ] as const) {
      const training = { loss, epochs: 2 };
      const open = await trainModel(trialOf(data, { name: 'tim4rec' }, training), data);
      const said = await trainModel(trialOf(data, { name: 'tim4rec', time }, training), data);
      expect(numbers(said)).toEqual(numbers(open));
    }
  });

  it('refuses time modes that leak, and says why', async () => {
    const data = timedWalks();
    for (const time of ['paper', 'masked'] as const) {
      const attempt = trainModel(trialOf(data, { name: 'tim4rec', time }, { loss: 'all' }), data);
      await expect(attempt).rejects.toThrow(UserError);
      await expect(attempt).rejects.toThrow(/would know when the items it predicts were taken/);
    }
  });

  it('names data without timestamps; without the time path it needs none', async () => {
    const data = ringWalks();
    await expect(trainModel(trialOf(data, { name: 'tim4rec' }), data)).rejects.toThrow(
      /'ring' has no timestamps/,
    );
    const result = await trainModel(trialOf(data, { name: 'tim4rec', time: 'none' }, { epochs: 8 }), data);
    expect(result.test.unmasked['hr@1']).toBeGreaterThan(0.4);
  });

  it('scores do not depend on how histories share rows', async () => {
    const data = timedWalks();
    await openBackend('wasm');
    for (const time of ['paper', 'masked', 'causal'] as const) {
      const trial = trialOf(data, { name: 'tim4rec', time });
      const model = createModel(trial.model, data.numItems, 5);
      const set = evaluationSet(data, leaveOneOut(data), 'test');
      const together = evaluateModel(model, set, trial.evaluation);
      const ranks = Array.from(set.targets, (_, u) => {
        const one = {
          ...set,
          begins: set.begins.subarray(u, u + 1),
          ends: set.ends.subarray(u, u + 1),
          targets: set.targets.subarray(u, u + 1),
        };
        return evaluateModel(model, one, trial.evaluation).unmasked['ndcg@10']!;
      });
      const mean = ranks.reduce((a, b) => a + b, 0) / ranks.length;
      expect(together.unmasked['ndcg@10']).toBeCloseTo(mean, 2);
      model.weights.dispose();
    }
  });
});

describe('SSD4Rec in training', () => {
  it('learns at the last position of prefixes', async () => {
    const data = ringWalks(60, 20);
    const trial = trialOf(
      data,
      { name: 'ssd4rec' },
      { loss: 'last', prefixes: 'every', epochs: 4, learningRate: 1e-2 },
    );
    const result = await trainModel(trial, data);
    expect(result.test.unmasked['hr@1']).toBeGreaterThan(0.5);
  });

  it('refuses a loss at all positions', async () => {
    const data = ringWalks();
    await expect(trainModel(trialOf(data, { name: 'ssd4rec' }), data)).rejects.toThrow(/both directions/);
  });

  it('stopped and resumed it equals an undisturbed run bit for bit, and holds no tensor back', async () => {
    const data = ringWalks(20, 12);
    const trial = trialOf(
      data,
      { name: 'ssd4rec', dropout: 0.2, hiddenShare: 0.2 },
      { loss: 'last', prefixes: 'random', epochs: 3 },
    );
    const counts = new Set<number>();
    const whole = await trainModel(trial, data, { onProgress: () => counts.add(tf.memory().numTensors) });
    expect(counts.size).toBe(1);
    for (let attempts = 0; ; attempts++) {
      expect(attempts).toBeLessThan(100);
      const stop = new AbortController();
      let steps = 0;
      try {
        const resumed = await trainModel(trial, data, {
          checkpointDir: folder,
          signal: stop.signal,
          onProgress: () => ++steps > 3 && stop.abort(),
        });
        expect(numbers(resumed)).toEqual(numbers(whole));
        break;
      } catch (error) {
        if (!(error instanceof TrainingInterrupted)) throw error;
      }
    }
  });
});

describe('random prefixes', () => {
  it('are one a history or several, end anywhere before the last item, and cost what is counted', () => {
    const lengths = [1, 2, 7, 30];
    const offsets = Int32Array.from([0, 1, 3, 10, 40]);
    const items = Int32Array.from({ length: 40 }, (_, i) => i + 1);
    const timestamps = Float64Array.from(items, (i) => 1000 * i);
    const sequences: Sequences = { users: Int32Array.from(lengths.keys()), offsets, items, timestamps };
    for (const [count, prefixes] of [
      [1, 'random'],
      [4, 4],
      [100, 'every'],
    ] as const) {
      const random = createRandom('prefixes', count);
      const seen = new Map<number, number>();
      let steps = 0;
      const epochs = 4000;
      for (let e = 0; e < epochs; e++) {
        const windows = randomPrefixWindows(sequences, 10, random, count);
        expect(windows.length).toBe(countPredictions(sequences, 'last', prefixes));
        // Those of one history are different ones.
        expect(new Set(windows.map(({ start, length }) => start + length)).size).toBe(windows.length);
        for (const { start, length } of windows) {
          expect(length).toBeLessThanOrEqual(10);
          seen.set(start + length, (seen.get(start + length) ?? 0) + 1);
          steps += length;
        }
      }
      // Every item but the first of each history is a target in some epoch, each of one history as often.
      const targets = [...items.keys()].filter((i) => ![0, 1, 3, 10].includes(i));
      expect([...seen.keys()].sort((a, b) => a - b)).toEqual(targets);
      for (const i of targets.slice(-29)) {
        const expected = (epochs * Math.min(count, 29)) / 29;
        expect(Math.abs(seen.get(i)! - expected)).toBeLessThan(5 * Math.sqrt(expected));
      }
      expect(Math.abs(steps / epochs - countSteps(sequences, 10, 'last', prefixes))).toBeLessThan(0.6);
    }
    const rows = epochRows(sequences, 10, 'last', createRandom('rows'), 'random');
    const batch = assemble(items, rows, 10, 'last', timestamps);
    batch.items.forEach((item, p) => {
      expect(batch.timestamps![p]).toBe(1000 * item);
    });
  });
});

describe('weights of other programs', () => {
  const shape = (t: { shape: number[] }) => t.shape.join();

  it.each(MODEL_NAMES)('%s: a written file gives the same scores', async (name) => {
    const data = timedWalks(30, 12);
    const trial = trialOf(data, { name }, { epochs: 2, loss: defaultLoss(name) });
    const path = join(folder, 'weights.safetensors');
    const result = await trainModel(trial, data, { weightsPath: path });
    const file = readWeightsFile(path);
    const model = createModel(trial.model, data.numItems, 99);
    loadWeights(model, file);
    const set = evaluationSet(data, leaveOneOut(data), 'test');
    expect(evaluateModel(model, set, trial.evaluation)).toEqual(result.test);
    // Trained on from there, the first loss is what it had reached, and the result is another than from drawn weights.
    const onward = { ...trial, startFrom: file.sha256 };
    const more1 = await trainModel(onward, data, { initialWeights: file });
    expect(more1.curve[0]!.loss).toBeLessThan(result.curve[0]!.loss);
    await expect(trainModel(trial, data, { initialWeights: file })).rejects.toThrow('startFrom');
    model.weights.dispose();
  });

  it('says which tensor is missing, too many, of another shape or not finite, and changes nothing', async () => {
    const data = timedWalks(30, 12);
    await openBackend('wasm');
    const config = trialOf(data, { name: 'tim4rec', time: 'causal' }).model;
    const model = createModel(config, data.numItems, 1);
    const before = [...model.weights.read()].map(([name, values]) => [name, [...values]]);
    const path = join(folder, 'w.safetensors');
    const write = (change: (tensors: ReturnType<typeof decodeSafetensors>['tensors']) => void) => {
      const { tensors } = decodeSafetensors(model.weights.encode({}), path);
      change(tensors);
      writeFileSync(path, encodeSafetensors({ tensors, metadata: {} }));
      return () => loadWeights(model, readWeightsFile(path));
    };
    const gate = 'ssd_layers.0.ssd.in_proj.weight';
    expect(write((t) => t.delete(gate))).toThrow(`no tensor '${gate}'`);
    expect(write((t) => t.set('extra', t.get(gate)!))).toThrow("no place for the tensor 'extra'");
    expect(write((t) => t.set(gate, { ...t.get(gate)!, shape: [1, t.get(gate)!.values.length] }))).toThrow(
      new RegExp(`'${gate}' is \\[1, \\d+\\] in this file, and a tim4rec with dim 8 and 2 layers needs`),
    );
    expect(write((t) => t.get(gate)!.values.fill(Number.NaN, 0, 1))).toThrow('not a finite number');
    const items = createModel(config, data.numItems + 3, 1);
    writeFileSync(path, items.weights.encode({}));
    expect(() => loadWeights(model, readWeightsFile(path))).toThrow(/item_embedding.weight' is \[16, 8\]/);
    writeFileSync(path, readFileSync(path).subarray(0, 100));
    expect(() => readWeightsFile(path)).toThrow('not a whole safetensors file');
    expect(() => readWeightsFile(join(folder, 'absent'))).toThrow(UserError);
    expect([...model.weights.read()].map(([name, values]) => [name, [...values]])).toEqual(before);
    expect(shape({ shape: model.weights.shapes().get(gate)! })).toBe('44,8');
    items.weights.dispose();
    model.weights.dispose();
  });
});
