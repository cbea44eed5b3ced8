/** Whole trainings on webgpu: every fused kernel together, evaluation, checkpoints. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it, vi } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import type { DispatchObserver } from '../../src/kernels/webgpu/backend.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { TrialConfig } from '../../src/train/config.js';
import { TrainingInterrupted } from '../../src/train/hooks.js';
import type { TrainingResult } from '../../src/train/result.js';
import { trainModel } from '../../src/train/trainer.js';
import { noAdapter } from '../kernels/adapter.js';
import { ringWalks, smallConfig } from './small.js';

const data = ringWalks(10, 20);

const FORMS: [string, Partial<ModelConfig>, Partial<TrialConfig['training']>][] = [
  ['mamba4rec, clipped', { name: 'mamba4rec' }, { clipNorm: 0.5, weightDecay: 0.01 }],
  ['tim4rec, sampled loss', { name: 'tim4rec', headDim: 4, time: 'none' }, { negatives: 12 }],
  ['ssd4rec, last position', { name: 'ssd4rec', headDim: 4 }, { loss: 'last' }],
];

function trial(
  model: Partial<ModelConfig>,
  training: Partial<TrialConfig['training']>,
  backend: string,
): TrialConfig {
  const small = smallConfig(data, { epochs: 2, ...training });
  return { ...small, model: { ...small.model, layers: 1, ...model }, backend };
}

const losses = (result: TrainingResult) => result.curve.map((epoch) => epoch.loss);

describe.skipIf(noAdapter)('training on webgpu', () => {
  it.each(FORMS)(
    '%s: the same bits twice, and what wasm computes but for rounding',
    async (_, model, training) => {
      const first = await trainModel(trial(model, training, 'webgpu'), data);
      const second = await trainModel(trial(model, training, 'webgpu'), data);
      const wasm = await trainModel(trial(model, training, 'wasm'), data);
      expect(losses(second)).toEqual(losses(first));
      expect(second.test).toEqual(first.test);
      for (const [i, value] of losses(first).entries())
        expect(Math.abs(value - losses(wasm)[i]!) / value).toBeLessThan(1e-3);
    },
    240_000,
  );

  it('a step of Mamba4Rec takes about a hundred dispatches', async () => {
    const record = vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups');
    try {
      const before: number[] = [];
      const onProgress = () => {
        before.push(record.mock.calls.length);
      };
      await trainModel(trial({}, { epochs: 1 }, 'webgpu'), data, { onProgress });
      // From the first step's end to the second's, no evaluation between them. Plain tfjs operations take over 700.
      const ofStep = before[1]! - before[0]!;
      expect(ofStep).toBeGreaterThan(50);
      expect(ofStep).toBeLessThan(110);
    } finally {
      record.mockRestore();
    }
  }, 240_000);

  it('no step waits for the GPU, and an evaluation twice', async () => {
    await openBackend('webgpu');
    const backend = tf.backend() as unknown as { observer: DispatchObserver | undefined };
    let reads = 0;
    backend.observer = { begin() {}, end() {}, read: () => void reads++ };
    try {
      const seen: { step: number; reads: number; finished: boolean }[] = [];
      await trainModel(trial({}, { epochs: 1, rows: 1 }, 'webgpu'), data, {
        onProgress: ({ step, finished }) => void seen.push({ step, reads, finished: finished !== undefined }),
      });
      const steps = seen.filter(({ finished }) => !finished);
      expect(steps.length).toBeGreaterThan(8);
      expect(new Set(steps.map((at) => at.reads)).size).toBe(1);
      // At the end of the epoch: every weight twice (are they finite, which are the best), and ranks and losses.
      const weights = 20;
      expect(seen.at(-1)!.reads - steps.at(-1)!.reads).toBeLessThanOrEqual(2 * weights + 2);
    } finally {
      backend.observer = undefined;
    }
  }, 240_000);

  it('a loss that is no number names its step, as on wasm, though it comes late', async () => {
    const diverging = (backend: string) =>
      trainModel(trial({}, { learningRate: 1e30, rows: 1 }, backend), data);
    const reason = async (backend: string) =>
      diverging(backend).then(
        () => 'no error',
        (error: Error) => error.message,
      );
    const onGpu = await reason('webgpu');
    expect(onGpu).toMatch(/the loss became .* at step \d+ \(epoch 1\)/);
    expect(/step \d+/.exec(onGpu)![0]).toBe(/step \d+/.exec(await reason('wasm'))![0]);
  }, 240_000);

  it('stopped in the middle and resumed, it equals an undisturbed run bit for bit', async () => {
    const config = trial({}, {}, 'webgpu');
    const whole = await trainModel(config, data);
    const checkpointDir = mkdtempSync(join(tmpdir(), 'perflaw-webgpu-'));
    try {
      const stop = new AbortController();
      let steps = 0;
      const onProgress = () => {
        if (++steps === 3) stop.abort();
      };
      const stopped = trainModel(config, data, { checkpointDir, onProgress, signal: stop.signal });
      await expect(stopped).rejects.toThrow(TrainingInterrupted);
      const resumed = await trainModel(config, data, { checkpointDir });
      expect(losses(resumed)).toEqual(losses(whole));
      expect(resumed.test).toEqual(whole.test);
    } finally {
      rmSync(checkpointDir, { recursive: true, force: true });
    }
  }, 240_000);
});
