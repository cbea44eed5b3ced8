/** However many threads a training runs on, and however often that changes, it ends with the same bits. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Interactions } from '../../src/data/interactions.js';
import type { ModelConfig } from '../../src/model/config.js';
import { resolveTrial } from '../../src/train/check.js';
import type { TrainingConfig, TrialConfig } from '../../src/train/config.js';
import { RANKS_FILE } from '../../src/train/evaluation/ranks.js';
import { type TrainingHooks, TrainingInterrupted } from '../../src/train/hooks.js';
import type { TrainingResult } from '../../src/train/result.js';
import { worthHaving } from '../../src/train/threads/run-threads.js';
import { hasThreads, mostThreads } from '../../src/train/threads/worth.js';
import { trainModel } from '../../src/train/trainer.js';
import { createRandom } from '../../src/util/random.js';
import { smallConfig } from './small.js';

/** Enough of everything that each kernel is cut into parts. */
function walks(): Interactions {
  const [numUsers, numItems, length] = [40, 1500, 75];
  const random = createRandom('threads');
  return {
    name: 'walks',
    hash: 'walks',
    numUsers,
    numItems,
    offsets: Int32Array.from({ length: numUsers + 1 }, (_, u) => u * length),
    items: Int32Array.from({ length: numUsers * length }, () => 1 + random.int(numItems)),
    timestamps: Float64Array.from({ length: numUsers * length }, (_, i) => 1e9 + 3600 * i + random.int(3000)),
    userIds: Array.from({ length: numUsers }, (_, u) => `u${u}`),
    itemIds: Array.from({ length: numItems + 1 }, (_, i) => `i${i}`),
  };
}

function config(name: ModelConfig['name'], training: Partial<TrainingConfig>): TrialConfig {
  const small = smallConfig(walks(), { epochs: 1, rows: 6, clipNorm: 1, weightDecay: 0.01 });
  const model = { ...small.model, name, dim: 48, dState: 16, maxLength: 72, headDim: 16, timeDropout: 0.1 };
  return resolveTrial({ ...small, model, training: { ...small.training, ...training } });
}

/** A training with all that it keeps; by its numbers alone, without clocks and memory. */
async function numbersOf(trial: TrialConfig, hooks: TrainingHooks) {
  const folder = hooks.checkpointDir ?? temporaryFolder();
  const { seconds, curve, tokensPerSecond, peakMemoryBytes, ...rest }: TrainingResult = await trainModel(
    trial,
    walks(),
    { weightsPath: join(folder, 'weights'), ranksPath: join(folder, RANKS_FILE), ...hooks },
  );
  const epochs = curve.map(({ seconds, tokensPerSecond, ...record }) => record);
  return { numbers: { ...rest, epochs }, seconds };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perflaw-threads-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('threads', () => {
  it.each([
    ['mamba4rec', { loss: 'all' }],
    ['mamba4rec', { loss: 'all', negatives: 400 }],
    ['tim4rec', { loss: 'all' }],
    ['ssd4rec', { loss: 'last', prefixes: 3 }],
  ] as const)(
    '%s with %o: 1, 2, 3 and 4 of them, changing and resumed',
    { timeout: 300_000 },
    async (name, loss) => {
      const trial = config(name, loss);
      const one = await numbersOf(trial, {});
      expect(one.seconds.cores).toBeUndefined();
      for (const threads of [2, 3, 4]) {
        const { numbers, seconds } = await numbersOf(trial, { threads: () => threads });
        expect(numbers).toEqual(one.numbers);
        expect(seconds.cores).toBeGreaterThan((threads - 0.5) * (seconds.training + seconds.evaluation));
      }
      const checkpointDir = temporaryFolder();
      const stop = new AbortController();
      let steps = 0;
      const changing = () => 1 + (Math.floor(steps++ / 2) % 4);
      const first = numbersOf(trial, {
        checkpointDir,
        threads: changing,
        signal: stop.signal,
        onProgress: () => steps > 4 && stop.abort(),
      });
      await expect(first).rejects.toThrow(TrainingInterrupted);
      const { numbers } = await numbersOf(trial, { checkpointDir, threads: changing });
      expect(numbers).toEqual(one.numbers);
    },
  );

  it('that cannot be had are said, and done without', async () => {
    const trial = config('mamba4rec', { loss: 'all', epochs: 1 });
    const notes: string[] = [];
    const { seconds } = await numbersOf(trial, { threads: () => 1000, onNote: (note) => notes.push(note) });
    expect(notes).toEqual([
      'Training goes on with one thread instead of 1000: at most 64 threads work together.',
    ]);
    expect(seconds.cores).toBeUndefined();
  });

  it('are fewer where their cores are not free', () => {
    expect(worthHaving(2, 3900, 2000)).toBe(2);
    expect(worthHaving(2, 2500, 2000)).toBe(1);
    expect(worthHaving(8, 10_000, 2000)).toBe(5);
    expect(worthHaving(4, 100, 2000)).toBe(1);
  });

  it('pay on wasm alone, and as far as a step has rows and work', () => {
    const trial = config('mamba4rec', { loss: 'all' });
    expect(mostThreads({ ...trial, model: { ...trial.model, dim: 256 } })).toBe(6);
    expect(mostThreads({ ...trial, model: { ...trial.model, dim: 2 } })).toBe(1);
    expect(mostThreads({ ...trial, backend: 'webgpu' })).toBe(1);
    expect(
      ['wasm', 'composed', 'cpu', 'webgpu', 'tensorflow'].filter((backend) => hasThreads({ backend })),
    ).toEqual(['wasm']);
  });
});
