import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leaveOneOut } from '../../src/data/split.js';
import { openBackend } from '../../src/kernels/backend.js';
import { decodeSafetensors, encodeSafetensors, type TensorFile } from '../../src/model/files/safetensors.js';
import { createModel } from '../../src/model/model.js';
import type { TrainingState } from '../../src/train/checkpoint.js';
import { popularityBaseline } from '../../src/train/evaluation/baseline.js';
import { evaluateModel } from '../../src/train/evaluation/evaluate.js';
import { evaluationSet } from '../../src/train/evaluation/evaluation-set.js';
import { NotANumberError, TrainingInterrupted } from '../../src/train/hooks.js';
import type { TrainingResult } from '../../src/train/result.js';
import { trainModel } from '../../src/train/trainer.js';
import { sha256 } from '../../src/util/hash.js';
import { ringWalks, smallConfig } from './small.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perflaw-train-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** All that may not depend on how often a training was stopped: everything but clocks and memory. */
function numbers({ seconds: _s, tokensPerSecond: _t, peakMemoryBytes: _p, curve, ...rest }: TrainingResult) {
  return { ...rest, curve: curve.map(({ seconds: _cs, tokensPerSecond: _ct, ...record }) => record) };
}

describe('training', () => {
  it('learns: far better than popularity on walks along a ring', async () => {
    const data = ringWalks();
    const config = smallConfig(data, { epochs: 12 });
    const result = await trainModel(config, data);
    const popularity = popularityBaseline(data, config.slice, config.evaluation);
    expect(result.test.unmasked['hr@1']).toBeGreaterThan(0.5);
    expect(result.test.unmasked['hr@1']).toBeGreaterThan(3 * popularity.test.unmasked['hr@1']!);
    expect(result.curve.at(-1)!.loss).toBeLessThan(result.curve[0]!.loss / 2);
  });

  it('gives the same bits for the same seed, others for another', async () => {
    const data = ringWalks();
    const first = await trainModel(smallConfig(data), data);
    const second = await trainModel(smallConfig(data), data);
    const other = await trainModel({ ...smallConfig(data), seed: 8 }, data);
    expect(numbers(second)).toEqual(numbers(first));
    expect(other.curve[0]!.loss).not.toBe(first.curve[0]!.loss);
  });

  it.each([1, 2, 5, 17, 23])(
    'stopped every %i steps and resumed, it equals an undisturbed run bit for bit',
    async (every) => {
      const data = ringWalks();
      const config = smallConfig(data, {
        schedule: 'cosine',
        warmup: 3,
        clipNorm: 0.5,
        weightDecay: 0.01,
        ...(every === 5 ? { negatives: 8 } : {}),
      });
      const whole = await trainModel(config, data);
      for (let attempts = 0; ; attempts++) {
        expect(attempts).toBeLessThan(500);
        const stop = new AbortController();
        let steps = 0;
        const onProgress = () => {
          if (++steps > every) stop.abort();
        };
        try {
          const resumed = await trainModel(config, data, {
            checkpointDir: folder,
            signal: stop.signal,
            onProgress,
          });
          expect(numbers(resumed)).toEqual(numbers(whole));
          break;
        } catch (error) {
          if (!(error instanceof TrainingInterrupted)) throw error;
        }
      }
    },
  );

  it('ended after an epoch it says what it has reached, and goes on later to the same bits', async () => {
    const data = ringWalks();
    const config = smallConfig(data);
    const whole = await trainModel(config, data);
    const early = await trainModel(config, data, { checkpointDir: folder, untilEpoch: 2 });
    expect(early).toMatchObject({ stopped: 'halving', epochsRun: 2 });
    expect(numbers(early).curve).toEqual(numbers(whole).curve.slice(0, 2));
    const on = await trainModel(config, data, { checkpointDir: folder });
    expect(numbers(on)).toEqual(numbers(whole));
  });

  it('the loss of an epoch is the mean over what was predicted, however many tokens stood before it', async () => {
    const data = ringWalks(30, 12);
    const config = smallConfig(data, { loss: 'last', epochs: 1, learningRate: 1e-12 });
    config.model.dropout = 0;
    // Weights that hardly move: every partition into steps must give the same mean.
    const losses: number[] = [];
    for (const rows of [2, 3, 7])
      losses.push(
        (await trainModel({ ...config, training: { ...config.training, rows } }, data)).curve[0]!.loss,
      );
    for (const loss of losses) expect(loss).toBeCloseTo(losses[0]!, 5);
  });

  it.each([
    ['a position that is none', (state: TrainingState) => ({ ...state, epoch: -3 })],
    ['a curve that does not fit', (state: TrainingState) => ({ ...state, curve: [] })],
    ['no position', () => null],
    ['sums that are no numbers', (state: TrainingState) => ({ ...state, seconds: 'long' })],
  ])('a checkpoint that somebody made up with %s is moved aside', async (_, change) => {
    await expectRefused((file) => {
      const state = change(JSON.parse(file.metadata['state']!) as TrainingState);
      file.metadata['state'] = JSON.stringify(state);
    });
  });

  it.each([
    ['weights of another size', (values: Float32Array) => values.slice(1)],
    ['infinite weights', (values: Float32Array) => values.map(() => Number.POSITIVE_INFINITY)],
    ['weights missing', () => undefined],
  ])('a checkpoint that somebody made up with %s is moved aside', async (_, change) => {
    await expectRefused((file) => {
      const [name, tensor] = [...file.tensors].find(([key]) => key.startsWith('w/'))!;
      const values = change(tensor.values);
      if (values) file.tensors.set(name, { shape: [values.length], values });
      else file.tensors.delete(name);
    });
  });

  /** A checkpoint with a right checksum and wrong content must not stop a training, nor get into it. */
  async function expectRefused(forge: (file: TensorFile) => void): Promise<void> {
    const data = ringWalks();
    const config = smallConfig(data, { epochs: 2 });
    const clean = await trainModel(config, data);
    await trainModel(config, data, { checkpointDir: folder, untilEpoch: 1 });
    const path = join(folder, 'checkpoint.safetensors');
    const file = decodeSafetensors(readFileSync(path), path);
    forge(file);
    const bytes = [...file.tensors.values()].map(
      ({ values: v }) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength),
    );
    file.metadata['digest'] = sha256(file.metadata['state']!, ...bytes);
    writeFileSync(path, encodeSafetensors(file));
    const notes: string[] = [];
    const result = await trainModel(config, data, {
      checkpointDir: folder,
      onNote: (note) => notes.push(note),
    });
    expect(notes.join()).toMatch(/cannot be one of this training.*starts from its beginning/);
    expect(numbers(result)).toEqual(numbers(clean));
  }

  it('epochs of milliseconds are not each followed by a checkpoint, unless that is asked for', async () => {
    const data = ringWalks();
    const config = smallConfig(data, { epochs: 2 });
    const path = join(folder, 'checkpoint.safetensors');
    await trainModel(config, data, { checkpointDir: folder });
    expect(existsSync(path)).toBe(false);
    await trainModel(config, data, { checkpointDir: folder, checkpointSeconds: 0 });
    const state = JSON.parse(decodeSafetensors(readFileSync(path), path).metadata['state']!);
    expect(state).toMatchObject({ epoch: 3, stepInEpoch: 0 });
  });

  it('a checkpoint of another configuration is not used', async () => {
    const data = ringWalks();
    const config = smallConfig(data, { epochs: 1 });
    const clean = await trainModel({ ...config, seed: 9 }, data);
    await trainModel(config, data, { checkpointDir: folder, checkpointSeconds: 0 });
    expect(existsSync(join(folder, 'checkpoint.safetensors'))).toBe(true);
    const other = await trainModel({ ...config, seed: 9 }, data, { checkpointDir: folder });
    expect(numbers(other)).toEqual(numbers(clean));
  });

  it.each([
    ['a flipped bit', (bytes: Uint8Array) => bytes.map((b, i) => (i === bytes.length - 9 ? b ^ 1 : b))],
    ['a missing half', (bytes: Uint8Array) => bytes.subarray(0, bytes.length / 2)],
    ['nothing left', () => new Uint8Array(0)],
  ])('a damaged checkpoint (%s) is named, moved aside and not used', async (_, damage) => {
    const data = ringWalks();
    const config = smallConfig(data, { epochs: 1 });
    const clean = await trainModel(config, data, { checkpointDir: folder, checkpointSeconds: 0 });
    const path = join(folder, 'checkpoint.safetensors');
    const damaged = damage(readFileSync(path));
    writeFileSync(path, damaged);
    const notes: string[] = [];
    const again = await trainModel(config, data, {
      checkpointDir: folder,
      onNote: (note) => notes.push(note),
    });
    expect(numbers(again)).toEqual(numbers(clean));
    expect(notes.join()).toContain(path);
    expect(notes.join()).toContain('starts from its beginning');
    expect([...readFileSync(join(folder, 'checkpoint.damaged'))]).toEqual([...damaged]);
  });

  it('a loss that is not a number stops it and names the step', async () => {
    const data = ringWalks();
    const config = smallConfig(data, { learningRate: 1e30 });
    await expect(trainModel(config, data)).rejects.toThrow(NotANumberError);
    await expect(trainModel(config, data)).rejects.toThrow(/step \d+ \(epoch \d+\)/);
  });

  it.each([
    ['in mid-epoch', 2, 3, 'the loss became NaN'],
    ['in the last step of an epoch', 2, 0, 'holds a value that is not a finite number'],
    ['just before a checkpoint in mid-epoch', 2, 1, 'holds a value that is not a finite number', 0],
  ])(
    'a weight that breaks %s: the last good checkpoint stays, and training goes on from it',
    async (_, epoch, stepInEpoch, message, checkpointSeconds = 1000) => {
      const data = ringWalks();
      const config = smallConfig(data);
      const whole = await trainModel(config, data);
      await trainModel(config, data, { checkpointDir: folder, untilEpoch: epoch - 1 });
      let broken = 0;
      const breaking = trainModel(config, data, {
        checkpointDir: folder,
        checkpointSeconds,
        onProgress: (at) => {
          const here = at.epoch === epoch && at.step === (stepInEpoch || at.stepsPerEpoch) && !at.finished;
          if (!here) return;
          const [weight] = Object.values(tf.engine().registeredVariables);
          tf.tidy(() => weight!.assign(tf.fill(weight!.shape, Number.NaN)));
          broken = (epoch - 1) * at.stepsPerEpoch + at.step;
        },
      });
      await expect(breaking).rejects.toThrow(NotANumberError);
      await expect(breaking).rejects.toThrow(message);
      const named = message.startsWith('the loss') ? broken + 1 : broken; // found in the step after, or at once
      await expect(breaking).rejects.toThrow(`at step ${named} (epoch ${epoch})`);
      const path = join(folder, 'checkpoint.safetensors');
      for (const { values } of decodeSafetensors(readFileSync(path), path).tensors.values())
        expect(values.every(Number.isFinite)).toBe(true);
      const resumed: number[] = [];
      const result = await trainModel(config, data, {
        checkpointDir: folder,
        onProgress: ({ epoch: at }) => resumed.push(at),
      });
      expect(resumed[0]).toBe(epoch);
      expect(numbers(result)).toEqual(numbers(whole));
    },
  );

  it('stops early when validation does not improve, and reports the best epoch', async () => {
    const data = ringWalks();
    const result = await trainModel(smallConfig(data, { epochs: 60, patience: 2, learningRate: 2e-2 }), data);
    expect(result.stopped).toBe('patience');
    expect(result.epochsRun).toBe(result.bestEpoch + 2);
    const values = result.curve.map((record) => record.validation!.masked['ndcg@10']!);
    expect(values[result.bestEpoch - 1]).toBe(Math.max(...values));
    expect(result.validation).toEqual(result.curve[result.bestEpoch - 1]!.validation);
  });

  it('holds no more tensors after many steps than after a few', async () => {
    const data = ringWalks();
    const counts: number[] = [];
    await trainModel(smallConfig(data, { epochs: 6 }), data, {
      onProgress: () => counts.push(tf.memory().numTensors),
    });
    expect(counts.length).toBeGreaterThan(30);
    expect(new Set(counts).size).toBe(1);
  });

  it('keeps the best weights as safetensors under the upstream names, and they give the reported numbers', async () => {
    const data = ringWalks();
    const config = smallConfig(data);
    const weightsPath = join(folder, 'weights.safetensors');
    const result = await trainModel(config, data, { weightsPath });
    const { tensors } = decodeSafetensors(readFileSync(weightsPath), weightsPath);
    expect(tensors.get('mamba_layers.1.mamba.x_proj.weight')!.shape).toEqual([1 + 2 * 4, 16]);
    await openBackend('wasm');
    const model = createModel(config.model, data.numItems, 99);
    model.weights.write(new Map([...tensors].map(([name, t]) => [name, t.values])));
    const again = evaluateModel(model, evaluationSet(data, leaveOneOut(data), 'test'), config.evaluation);
    expect(again).toEqual(result.test);
    model.weights.dispose();
  });

  it('every prefix as an example (loss: last) learns too', async () => {
    const data = ringWalks(30, 12);
    const result = await trainModel(smallConfig(data, { loss: 'last', epochs: 4 }), data);
    expect(result.test.unmasked['hr@1']).toBeGreaterThan(0.4);
  });

  it('selection by a metric whose K is not computed is refused', async () => {
    const data = ringWalks();
    const config = smallConfig(data);
    config.evaluation.select = 'ndcg@5';
    await expect(trainModel(config, data)).rejects.toThrow('selection uses ndcg@5');
  });
});
