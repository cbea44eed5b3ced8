/** Sweeps of stand-in trials: the store, the scheduler and the launchers are real, training is not. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { packageRoot } from '../util/workspace.js';
import { Mishap, NUMERIC_VERSION } from './mishap.js';

export { Mishap, NUMERIC_VERSION };

import { DEFAULT_MODEL } from '../model/config.js';
import { localLauncher } from '../sweep/launch/local/local.js';
import type { StoredTrial } from '../sweep/store/layout.js';
import type { DoneRecord } from '../sweep/store/record.js';
import type { SweepStore } from '../sweep/store/store.js';
import { DEFAULT_EVALUATION, DEFAULT_TRAINING, type TrialConfig } from '../train/config.js';
import { trialId } from '../train/identity.js';

/** The program of a fake trial; compiled, also where this file itself runs from its TypeScript source. */
export const FAKE_ENTRY = join(packageRoot, 'dist', 'contract', 'fake-trial.js');
/** Lets trials go on that wait (`Mishap.waits`). */
export function letGo(store: SweepStore, ...trials: StoredTrial[]): void {
  for (const { id } of trials) {
    mkdirSync(store.checkpointFolder(id), { recursive: true });
    writeFileSync(join(store.checkpointFolder(id), 'go'), '');
  }
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perflaw-sweep-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface FakeOptions {
  dim?: number;
  seed?: number;
  epochs?: number;
  /** Seconds a step; four steps an epoch. */
  stepSeconds?: number;
  mishap?: number;
}

export function fakeTrial(options: FakeOptions = {}): StoredTrial {
  const config: TrialConfig = {
    data: { name: 'fake', hash: 'fake-hash' },
    slice: { users: 1 },
    model: { ...DEFAULT_MODEL, dim: options.dim ?? 8 },
    training: {
      ...DEFAULT_TRAINING,
      epochs: options.epochs ?? 2,
      learningRate: options.stepSeconds ?? 0.001,
      warmup: options.mishap ?? Mishap.none,
    },
    evaluation: DEFAULT_EVALUATION,
    seed: options.seed ?? 0,
    backend: 'wasm',
  };
  const id = trialId(config, NUMERIC_VERSION);
  return {
    id,
    label: `d${config.model.dim} seed ${config.seed}`,
    config,
    parameters: 1000,
    tokens: 1000,
    flops: 1e6,
  };
}

export const fakeLauncher = (workers = 2, limits = {}) =>
  localLauncher({ workers, limits, entry: FAKE_ENTRY });

/** A done record of a fake trial, as if it had been trained. */
export function fakeRecord(trial: StoredTrial, value = 0.5): DoneRecord {
  const metrics = { 'hr@10': value, 'ndcg@10': value / 2 };
  const ranking = { masked: metrics, unmasked: metrics };
  return {
    schema: 1,
    id: trial.id,
    config: trial.config,
    environment: {
      perflaw: '0',
      node: 'v20',
      platform: 'linux-x64',
      host: 'here',
    },
    startedAt: '2025-01-01T00:00:00.000Z',
    finishedAt: '2025-01-01T00:01:00.000Z',
    status: 'done',
    slice: {
      label: 'all',
      users: 10,
      tokens: 1000,
      apenPooled: 1.5,
      apenPerUser: 1,
      lempelZiv: 2,
      lempelZivPrefix: 2,
      shannon: 5,
      compression: 0.5,
      repeatShare: 0,
    },
    popularity: { validation: ranking, test: ranking },
    result: {
      validation: ranking,
      test: ranking,
      bestEpoch: 2,
      epochsRun: trial.config.training.epochs,
      stopped: 'epochs',
      curve: Array.from({ length: 20 }, (_, epoch) => ({
        epoch: epoch + 1,
        step: epoch * 10,
        loss: 5 - epoch / 10,
        validation: { masked: metrics, unmasked: metrics },
        seconds: 1.5,
        tokensPerSecond: 6543.21,
      })),
      parameters: { total: 1000, nonEmbedding: 500 },
      flops: { perToken: 1000, total: 1e6 },
      tokens: { perEpoch: 1000, total: 20_000 },
      seconds: { training: 30, evaluation: 2 },
      tokensPerSecond: 6543.21,
      peakMemoryBytes: 2e8,
      backend: 'wasm',
    },
  };
}
