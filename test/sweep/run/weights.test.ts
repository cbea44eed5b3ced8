/** What a real trial leaves in its folder: weights that match its result, and after a failure its last good checkpoint. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../src/contract/fake.js';
import { decodeSafetensors } from '../../../src/model/files/safetensors.js';
import { TrialExit } from '../../../src/sweep/launch/launcher.js';
import { realParts } from '../../../src/sweep/run/parts.js';
import { runTrial, type TrialOptions } from '../../../src/sweep/run/trial.js';
import { SweepStore } from '../../../src/sweep/store/store.js';
import type { TrialConfig } from '../../../src/train/config.js';
import { trialId } from '../../../src/train/identity.js';
import { NUMERIC_VERSION } from '../../../src/train/version.js';
import { sha256 } from '../../../src/util/hash.js';
import { ringWalks, smallConfig } from '../../train/small.js';

const data = ringWalks(30, 12);

/** A store with one trial that is ready to run, on data that needs no file. */
function plannedTrial(config: TrialConfig, keepWeights?: boolean) {
  const store = new SweepStore(temporaryFolder());
  const id = trialId(config, NUMERIC_VERSION);
  const switches = keepWeights === undefined ? {} : { keepWeights };
  store.writeJob({ schema: 1, id, numericVersion: NUMERIC_VERSION, config, data: 'ring', ...switches });
  const run = (options: TrialOptions = {}) =>
    runTrial(store.path, id, async () => ({ ...(await realParts()), openData: async () => data }), options);
  const record = () => {
    const found = store.readTrial(id, NUMERIC_VERSION);
    return found.state === 'done' || found.state === 'failed' ? found.record : undefined;
  };
  return { store, id, run, record };
}

describe('a trial of a sweep', () => {
  it('keeps its best weights with their checksum, the same after an interruption', async () => {
    const config = smallConfig(data, { epochs: 3 });
    const kept = async (interrupt: boolean) => {
      const { store, id, run, record } = plannedTrial(config);
      if (interrupt) {
        const stop = new AbortController();
        const onProgress = ({ epoch }: { epoch: number }) => epoch === 2 && stop.abort();
        expect(await run({ signal: stop.signal, onProgress })).toBe(TrialExit.interrupted);
        expect(existsSync(store.weightsFile(id))).toBe(false);
      }
      expect(await run()).toBe(TrialExit.recorded);
      const found = record();
      if (found?.status !== 'done') return expect.unreachable(JSON.stringify(found));
      const bytes = readFileSync(store.weightsFile(id));
      expect(found.result.weights).toEqual({ sha256: sha256(bytes), bytes: bytes.length });
      expect(readdirSync(store.folder(id)).sort()).toEqual(
        expect.arrayContaining(['config.json', 'result.json', 'weights.safetensors']),
      );
      expect(existsSync(store.checkpointFolder(id))).toBe(false);
      return found.result.weights;
    };
    expect(await kept(true)).toEqual(await kept(false));
  });

  it('keeps none where the sweep does not want them', async () => {
    const { store, id, run, record } = plannedTrial(smallConfig(data, { epochs: 1 }), false);
    expect(await run()).toBe(TrialExit.recorded);
    expect(record()).toMatchObject({ status: 'done' });
    expect(record()).not.toHaveProperty('result.weights');
    expect(existsSync(store.weightsFile(id))).toBe(false);
  });

  it('that breaks in mid-training is recorded as failed, names the step, and keeps its last good checkpoint', async () => {
    const { store, id, run, record } = plannedTrial(smallConfig(data, { epochs: 3 }));
    const onProgress: TrialOptions['onProgress'] = ({ epoch, step, finished }) => {
      if (epoch !== 2 || step !== 1 || finished) return;
      const [weight] = Object.values(tf.engine().registeredVariables);
      tf.tidy(() => weight!.assign(tf.fill(weight!.shape, Number.NaN)));
    };
    expect(await run({ onProgress, checkpointSeconds: 0 })).toBe(TrialExit.recorded);
    expect(record()).toMatchObject({
      status: 'failed',
      reason: 'not-a-number',
      message: expect.stringMatching(/holds a value that is not a finite number at step \d+ \(epoch 2\)/),
    });
    const path = join(store.checkpointFolder(id), 'checkpoint.safetensors');
    const { tensors, metadata } = decodeSafetensors(readFileSync(path), path);
    expect(JSON.parse(metadata['state']!)).toMatchObject({ epoch: 2, stepInEpoch: 0 });
    for (const { values } of tensors.values()) expect(values.every(Number.isFinite)).toBe(true);
    expect(existsSync(store.weightsFile(id))).toBe(false);
    // Tried again it goes on from there, and is done.
    store.setAside(id, 'failed');
    const epochs: number[] = [];
    expect(await run({ onProgress: ({ epoch }) => epochs.push(epoch) })).toBe(TrialExit.recorded);
    expect(epochs[0]).toBe(2);
    expect(record()).toMatchObject({ status: 'done' });
  });
});
