/** Going on from a checkpoint equals never having stopped: what every backend must show; its own test calls this. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Interactions } from '../../src/data/interactions.js';
import type { TrialConfig } from '../../src/train/config.js';
import { RANKS_FILE } from '../../src/train/evaluation/ranks.js';
import { TrainingInterrupted } from '../../src/train/hooks.js';
import type { TrainingResult } from '../../src/train/result.js';
import { trainModel } from '../../src/train/trainer.js';
import { createRandom } from '../../src/util/random.js';
import { ringWalks, smallConfig } from '../train/small.js';

/** All that may not depend on how often a training was stopped: everything but clocks and memory. */
function numbers({ seconds: _s, tokensPerSecond: _t, peakMemoryBytes: _p, curve, ...rest }: TrainingResult) {
  return { ...rest, curve: curve.map(({ seconds: _cs, tokensPerSecond: _ct, ...record }) => record) };
}

class Killed extends Error {}

/**
 * Trains to the end through interruptions at random steps. Half of them are polite (a checkpoint is written), half are
 * deaths: the process' state is lost, and what was trained since the last checkpoint with it.
 */
async function disturbed(config: TrialConfig, data: Interactions, seed: string) {
  const folder = mkdtempSync(join(tmpdir(), 'perflaw-resume-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const random = createRandom('resume', seed);
  const stops = { polite: 0, deaths: 0 };
  for (;;) {
    const stop = new AbortController();
    const at = 1 + random.int(14);
    const dies = random.uniform() < 0.5;
    let steps = 0;
    try {
      const result = await trainModel(config, data, {
        checkpointDir: folder,
        ranksPath: join(folder, RANKS_FILE),
        // After every few steps, by chance of the clock: a death may come at any distance from a checkpoint.
        checkpointSeconds: 0.02,
        signal: stop.signal,
        onProgress: ({ finished }) => {
          if (finished || ++steps < at) return;
          if (dies) throw new Killed();
          stop.abort();
        },
      });
      return { result, stops };
    } catch (error) {
      if (error instanceof Killed) stops.deaths++;
      else if (error instanceof TrainingInterrupted) stops.polite++;
      else throw error;
    }
  }
}

export function resumeContract(backend: string): void {
  describe(`resume contract: ${backend}`, () => {
    it.each([
      ['mamba4rec', { schedule: 'cosine', warmup: 3, clipNorm: 0.5, weightDecay: 0.01, patience: 2 }],
      ['mamba4rec', { loss: 'last', prefixes: 'random' }],
    ] as const)(
      '%s with %o, stopped and killed at random steps, ends with the bits of an undisturbed run',
      {
        timeout: 180_000,
      },
      async (name, training) => {
        const data = ringWalks(24, 12);
        const config = smallConfig(data, { epochs: 3, ...training });
        Object.assign(config, { backend, model: { ...config.model, name, layers: 1 } });
        const undisturbed = mkdtempSync(join(tmpdir(), 'perflaw-whole-'));
        onTestFinished(() => rmSync(undisturbed, { recursive: true, force: true }));
        // The checksum of the ranks is one of the numbers.
        const whole = await trainModel(config, data, { ranksPath: join(undisturbed, RANKS_FILE) });
        expect(whole.ranks?.bytes).toBeGreaterThan(0);
        const { result, stops } = await disturbed(config, data, backend);
        expect(numbers(result)).toEqual(numbers(whole));
        expect(stops.polite + stops.deaths).toBeGreaterThan(1);
      },
    );
  });
}
