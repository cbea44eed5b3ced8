/**
 * A trial's program with a small stand-in for training: a random walk that checkpoints every step, so that a process
 * killed anywhere goes on where it stopped. `warmup` of a configuration says what goes wrong, `learningRate` how many
 * seconds a step takes, on one thread.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Interactions } from '../data/interactions.js';
import { speedOf } from '../sweep/run/share-cores.js';
import { trialProcess } from '../sweep/run/trial-main.js';
import type { TrialConfig } from '../train/config.js';
import { encodeRanks, type StoredRanks } from '../train/evaluation/ranks.js';
import type { TrainingHooks } from '../train/hooks.js';
import { ratesAt } from '../train/rate.js';
import type { TrainingResult } from '../train/result.js';
import { writeAtomic, writeJson } from '../util/files.js';
import { sha256 } from '../util/hash.js';
import { createRandom, randomFromState } from '../util/random.js';
import { Mishap, NUMERIC_VERSION } from './mishap.js';

const STEPS = 4;

function threadsOf({ threads }: TrainingHooks): number | undefined {
  const asked = threads?.();
  return typeof asked === 'object' ? asked.upTo : asked;
}

async function train(config: TrialConfig, _data: unknown, hooks: TrainingHooks): Promise<TrainingResult> {
  process.stdout.write('training\n');
  const file = join(hooks.checkpointDir!, 'state.json');
  const fresh = !existsSync(file);
  const state = fresh
    ? {
        step: 0,
        sum: 0,
        words: createRandom('fake', config.model.dim, config.model.layers, config.seed).state(),
      }
    : JSON.parse(readFileSync(file, 'utf8'));
  const random = randomFromState(state.words);
  const epochs = Math.min(config.training.epochs, hooks.untilEpoch ?? Number.POSITIVE_INFINITY);
  const total = epochs * STEPS;
  while (state.step < total) {
    if (hooks.signal?.aborted)
      throw Object.assign(new Error('interrupted'), {
        name: 'TrainingInterrupted',
      });
    state.sum += random.uniform();
    state.step++;
    state.words = random.state();
    writeJson(file, state);
    hooks.onProgress?.({
      epoch: 1 + Math.floor((state.step - 1) / STEPS),
      epochs: config.training.epochs,
      step: 1 + ((state.step - 1) % STEPS),
      stepsPerEpoch: STEPS,
      loss: state.sum,
      best: null,
      tokensPerSecond: 1000,
      threads: threadsOf(hooks),
    });
    if (state.step >= STEPS) await mishap(config.training.warmup, fresh, hooks);
    const seconds = ratesAt(config.training.learningRate, config.model.dim).others;
    await sleep((seconds * 1000) / speedOf(threadsOf(hooks) ?? 1));
  }
  const rankingOf = (value: number) => {
    const metrics = { 'hr@10': value, 'ndcg@10': value / 2 };
    return { masked: metrics, unmasked: metrics };
  };
  const value = state.sum / total;
  const ranking = rankingOf(value);
  const bytes = encodeRanks(fakeRanks('fake-hash', value));
  if (hooks.ranksPath) writeAtomic(hooks.ranksPath, bytes);
  const flops = config.model.dim * config.model.layers * 1e6;
  return {
    validation: ranking,
    test: ranking,
    bestEpoch: 1,
    epochsRun: epochs,
    stopped: epochs < config.training.epochs ? 'halving' : 'epochs',
    // The value of an epoch is fixed by the trial, rising with its width: tests know who is best.
    curve: Array.from({ length: epochs }, (_, i) => ({
      epoch: i + 1,
      step: STEPS * (i + 1),
      loss: state.sum,
      validation: rankingOf(config.model.dim / 1000 + (i + 1) / 10_000),
      seconds: 1,
      tokensPerSecond: 1000,
    })),
    parameters: {
      total: config.model.dim * config.model.layers,
      nonEmbedding: config.model.dim,
    },
    flops: { perToken: flops, total: flops },
    tokens: { perEpoch: 1000, total: 1000 },
    seconds: { training: 1, evaluation: 0.5 },
    tokensPerSecond: 1000,
    peakMemoryBytes: process.memoryUsage.rss(),
    backend: config.backend,
    ...(hooks.ranksPath ? { ranks: { sha256: sha256(bytes), bytes: bytes.length } } : {}),
  };
}

/** Ten users of whom about `value` are served. */
function fakeRanks(data: string, value: number): StoredRanks {
  const users = Int32Array.from({ length: 10 }, (_, u) => u);
  const masked = users.map((u) => (u < 10 * value ? 1 : 100));
  const part = {
    users,
    masked,
    unmasked: masked.map((rank) => rank + 5),
    historyLengths: users,
    popularity: users,
    losses: Float32Array.from(masked, (rank) => Math.log(rank + 1)),
  };
  return { data, validation: part, test: part };
}

async function mishap(kind: number, fresh: boolean, hooks: TrainingHooks): Promise<void> {
  if (kind === Mishap.waits)
    while (!existsSync(join(hooks.checkpointDir!, 'go')) && !hooks.signal?.aborted) await sleep(20);
  if (kind === Mishap.notANumber)
    throw Object.assign(new Error('loss is NaN at step 4'), {
      name: 'NotANumberError',
    });
  if (kind === Mishap.memory) {
    const kept: Buffer[] = [];
    for (;;) {
      kept.push(Buffer.alloc(16 << 20, 1));
      await sleep(20);
    }
  }
  if (kind === Mishap.hang) for (;;) await sleep(1000);
  if (kind === Mishap.abort) process.abort();
  if (kind === Mishap.killedAlways || (kind === Mishap.killedOnce && fresh))
    process.kill(process.pid, 'SIGKILL');
  if (kind === Mishap.error) throw new Error('the fake training broke');
}

const ranking = {
  masked: { 'hr@10': 0.1, 'ndcg@10': 0.05 },
  unmasked: { 'hr@10': 0.1, 'ndcg@10': 0.05 },
};

await trialProcess(process.argv.slice(2), async () => ({
  numericVersion: NUMERIC_VERSION,
  openData: async () => ({ name: 'fake', hash: 'fake-hash' }) as Interactions,
  train,
  sliceFacts: (_, config) => ({
    slice: {
      label: `users=${config.slice.users}`,
      users: 10,
      tokens: 1000,
      apenPooled: 1,
      apenPerUser: 1,
      lempelZiv: 1,
      lempelZivPrefix: 1,
      shannon: 1,
      compression: 1,
      repeatShare: 0,
    },
    popularity: { validation: ranking, test: ranking },
  }),
}));
