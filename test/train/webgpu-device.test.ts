/** TiM4Rec's time path on the GPU against wasm, what a training leaves there, and a device that is lost in the middle of one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { currentDevice } from '../../src/kernels/backend.js';
import type { WebgpuBackend } from '../../src/kernels/webgpu/backend.js';
import { failureReason } from '../../src/sweep/run/failure.js';
import type { TrialConfig } from '../../src/train/config.js';
import { trainModel } from '../../src/train/trainer.js';
import { noAdapter } from '../kernels/adapter.js';
import { ringWalks, smallConfig } from './small.js';

const data = ringWalks(12);
const timed = { ...data, timestamps: Float64Array.from(data.items, (item, i) => 1e9 + 3600 * i + 60 * item) };

function config(model: Partial<TrialConfig['model']>, loss: 'all' | 'last', backend: string): TrialConfig {
  const small = smallConfig(data, { epochs: 2, rows: 8, loss, clipNorm: 0.5 });
  return { ...small, model: { ...small.model, layers: 1, ...model }, backend };
}

describe.skipIf(noAdapter)('the GPU of a training', () => {
  it.each([
    ['tim4rec', { name: 'tim4rec', headDim: 4, time: 'causal' }, 'all'],
    ['tim4rec at the last position', { name: 'tim4rec', headDim: 4, time: 'masked' }, 'last'],
  ] as const)(
    '%s equals wasm to rounding, and holds no tensor back',
    async (_, model, loss) => {
      const [onGpu, onWasm] = [config(model, loss, 'webgpu'), config(model, loss, 'wasm')];
      const expected = await trainModel(onWasm, timed);
      const result = await trainModel(onGpu, timed);
      expect(result.backend).toBe('webgpu');
      expect(result.device).toBe(currentDevice()!.name);
      for (const [epoch, { loss: value }] of result.curve.entries())
        expect(Math.abs(value / expected.curve[epoch]!.loss - 1)).toBeLessThan(1e-5);
      for (const [name, value] of Object.entries(result.test.unmasked))
        expect(Math.abs(value - expected.test.unmasked[name]!)).toBeLessThan(0.1); // 12 users: one rank may differ
      const before = tf.memory() as tf.MemoryInfo & { numBytesInGPU: number };
      await trainModel(onGpu, timed);
      const after = tf.memory() as typeof before;
      expect(after.numTensors).toBe(before.numTensors);
      expect(after.numBytesInGPU).toBe(before.numBytesInGPU);
    },
    240_000,
  );

  it('a lost device fails the training in words, and its checkpoint goes on elsewhere', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'perflaw-lost-'));
    try {
      const trial = config({ name: 'mamba4rec' }, 'all', 'webgpu');
      const whole = await trainModel(trial, data, { checkpointDir: join(folder, 'whole') });
      const checkpointDir = join(folder, 'lost');
      let epochs = 0;
      const lost = trainModel(trial, data, {
        checkpointDir,
        checkpointSeconds: 0,
        onProgress({ finished, step }) {
          if (finished) epochs++;
          // In the second epoch: the first one's checkpoint is written.
          if (epochs === 1 && step === 1) (tf.backend() as unknown as WebgpuBackend).device.destroy();
        },
      });
      const error = await lost.then(
        () => undefined,
        (reason: Error) => reason,
      );
      expect(error?.name).toBe('DeviceLostError');
      expect(error?.message).toMatch(/the GPU device was lost/);
      expect(failureReason(error)).toBe('device-lost');
      // The process opens another device, and the training goes on from its checkpoint with the same bits.
      const resumed = await trainModel(trial, data, { checkpointDir });
      expect(resumed.curve.map((record) => record.loss)).toEqual(whole.curve.map((record) => record.loss));
      expect(resumed.test).toEqual(whole.test);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 240_000);
});
