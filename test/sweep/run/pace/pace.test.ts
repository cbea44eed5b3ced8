/** How long trials take: from results, from a short training, and what a killed attempt leaves of its time. */
import { spawnSync } from 'node:child_process';
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fakeTrial, temporaryFolder } from '../../../../src/contract/fake.js';
import { occupiedSeconds, type Worked, wholeWork } from '../../../../src/sweep/run/estimate.js';
import {
  ASSUMED,
  measuredPace,
  paceHere,
  secondsAt,
  typicalTrial,
} from '../../../../src/sweep/run/pace/pace.js';
import { readClaim, tryClaim } from '../../../../src/sweep/store/claim.js';
import type { DoneRecord, TrialRecord } from '../../../../src/sweep/store/record.js';

const RANKED = { users: 100, events: 2000 };
const EVALUATED = { numItems: 50, ranked: RANKED };

function trialOf(dim: number, epochs = 4): Worked {
  const { config } = fakeTrial({ dim });
  const training = { ...config.training, epochs };
  return {
    config: { ...config, training },
    parameters: 100 * dim,
    tokens: 5000,
    flops: epochs * 5000 * 600 * dim,
  };
}

/** What a trial leaves that runs at a pace. */
function resultOf(trial: Worked, speed: number, start: number, epochsRun: number): DoneRecord {
  const share = epochsRun / trial.config.training.epochs;
  const run = { ...trial, flops: share * trial.flops };
  const seconds = wholeWork(run, EVALUATED.numItems, RANKED, epochsRun) / speed;
  return {
    status: 'done',
    config: trial.config,
    occupied: seconds + start,
    result: {
      epochsRun,
      parameters: { total: trial.parameters, nonEmbedding: 0 },
      flops: { perToken: 0, total: run.flops },
      tokens: { perEpoch: trial.tokens, total: 0 },
      seconds: { training: 0.7 * seconds, evaluation: 0.3 * seconds },
    },
  } as unknown as DoneRecord;
}

describe('a pace', () => {
  it('follows from results, and says of a trial what it would take', () => {
    const records = [4, 8, 16].map((dim) => resultOf(trialOf(dim), 2e9, 1.5, 4));
    const pace = measuredPace(records, EVALUATED, 'measured')!;
    expect(pace.speed).toBeCloseTo(2e9, -3);
    expect(pace).toMatchObject({ start: expect.closeTo(1.5, 6), share: 1 });
    const next = trialOf(32);
    expect(secondsAt(pace, next, EVALUATED)).toBeCloseTo(occupiedSeconds(resultOf(next, 2e9, 1.5, 4)), 6);
    expect(measuredPace([], EVALUATED, 'measured')).toBeUndefined();
  });

  it('of trials that stopped early is shorter by the epochs that they left out', () => {
    const records = [4, 8].map((dim) => resultOf(trialOf(dim), 2e9, 1, 2));
    const pace = measuredPace(records, EVALUATED, 'measured')!;
    expect(pace.share).toBe(0.5);
    expect(pace.speed / 2e9).toBeGreaterThan(0.95);
    expect(pace.speed / 2e9).toBeLessThan(1.05);
  });

  it('counts evaluations: of more users it takes longer, of more often too', () => {
    const trial = trialOf(16);
    const none = secondsAt(ASSUMED, trial, { numItems: 50 });
    const all = secondsAt(ASSUMED, trial, EVALUATED);
    expect(all).toBeGreaterThan(none);
    expect(secondsAt(ASSUMED, trial, { numItems: 50_000, ranked: RANKED })).toBeGreaterThan(all);
    const { training } = trial.config;
    const rarely = { ...trial, config: { ...trial.config, training: { ...training, evaluateEvery: 4 } } };
    expect(secondsAt(ASSUMED, rarely, EVALUATED)).toBeLessThan(all);
  });

  it('is taken at the trial in the middle of the work', () => {
    const trials = [4, 8, 16, 64].map((dim) => trialOf(dim));
    expect(typicalTrial(trials)).toBe(trials[3]);
    expect(typicalTrial(trials.slice(0, 3))).toBe(trials[2]);
    expect(typicalTrial([])).toBeUndefined();
  });

  it('is measured by a short training, and assumed where none can be', { timeout: 60_000 }, async () => {
    const { config } = fakeTrial({ dim: 8 });
    const trial = { ...trialOf(8), config: { ...config, backend: 'wasm' } };
    const pace = await paceHere(trial, EVALUATED, 'wasm', 1);
    expect(pace.from).toMatch(/^measured just now on \d layers? of dim 8$/);
    expect(pace.speed).toBeGreaterThan(0);
    expect(pace.start).toBeGreaterThan(0);
    expect(await paceHere(trial, EVALUATED, 'wasm', 1)).toBe(pace);
    const nowhere = { ...trial, config: { ...config, backend: 'nothing' } };
    expect(await paceHere(nowhere, EVALUATED, 'nothing', 1)).toBe(ASSUMED);
    expect(await paceHere(trial, EVALUATED, 'nothing', 0)).toBe(ASSUMED);
  });
});

describe('seconds of a worker', () => {
  it('are those of every attempt: to its release, or to the last heartbeat of one that died', () => {
    const folder = temporaryFolder();
    const path = (n: number) => join(folder, `claim-${n}.json`);
    const first = tryClaim(folder, undefined, Date.now() - 20_000)!;
    expect(first.before).toBe(0);
    first.release();
    const program = `import { tryClaim } from ${JSON.stringify(new URL('../../../../dist/sweep/store/claim.js', import.meta.url).href)};
      if (!tryClaim(${JSON.stringify(folder)})) process.exit(1);`;
    expect(spawnSync(process.execPath, ['--input-type=module', '-e', program]).status).toBe(0);
    const { since } = JSON.parse(readFileSync(path(2), 'utf8'));
    const beat = new Date(Date.parse(since) + 7000);
    utimesSync(path(2), beat, beat);
    const third = tryClaim(folder)!;
    expect(third.before).toBeGreaterThan(26.9);
    expect(third.before).toBeLessThan(28);
    // a clock that was set back takes nothing off
    utimesSync(path(3), new Date(0), new Date(0));
    third.release();
    writeFileSync(path(3), readFileSync(path(3), 'utf8').replace(/"since": ?"[^"]*"/, '"since":"someday"'));
    expect(tryClaim(folder)!.before).toBeCloseTo(third.before, 6);
    expect(readClaim(folder).file?.before).toBeCloseTo(third.before, 6);
  });

  it('of results of before they were counted follow from their times', () => {
    const times = { startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:09Z' };
    expect(occupiedSeconds({ ...times, status: 'failed' } as TrialRecord)).toBe(9);
    const done = (training: number) =>
      ({ ...times, status: 'done', result: { seconds: { training, evaluation: 2 } } }) as TrialRecord;
    expect(occupiedSeconds(done(5))).toBe(9);
    expect(occupiedSeconds(done(50))).toBe(52); // went on from a checkpoint
    expect(occupiedSeconds({ ...done(5), occupied: 11 })).toBe(11);
  });
});
