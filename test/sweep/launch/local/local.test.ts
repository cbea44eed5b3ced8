import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  FAKE_ENTRY,
  fakeTrial,
  Mishap,
  NUMERIC_VERSION,
  temporaryFolder,
} from '../../../../src/contract/fake.js';
import { launcherContract } from '../../../../src/contract/launcher.js';
import type { Ending, Launcher } from '../../../../src/sweep/launch/launcher.js';
import { TrialExit } from '../../../../src/sweep/launch/launcher.js';
import { localLauncher } from '../../../../src/sweep/launch/local/local.js';
import { readClaim } from '../../../../src/sweep/store/claim.js';
import type { StoredTrial } from '../../../../src/sweep/store/layout.js';
import { SweepStore } from '../../../../src/sweep/store/store.js';

const make = (limits = {}) => localLauncher({ workers: 2, limits, entry: FAKE_ENTRY });

launcherContract('local', { make });

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Trials of one store, started one after the other. */
function series(launcher: Launcher) {
  const store = new SweepStore(temporaryFolder());
  const start = (trial: StoredTrial, onProgress: () => void = () => {}) => {
    const { id, config } = trial;
    store.writeJob({ schema: 1, id, numericVersion: NUMERIC_VERSION, config, data: 'fake' });
    return launcher.start(store.path, [{ id }], onProgress)[0]!;
  };
  return {
    store,
    start,
    run: async (trial: StoredTrial): Promise<Ending & { pid: number; state: string }> => {
      const ending = await start(trial).ended;
      const { pid } = readClaim(store.folder(trial.id)).file!;
      return { ...ending, pid, state: store.readTrial(trial.id, NUMERIC_VERSION).state };
    },
  };
}

it('a process that ran a short trial well runs the next one, each with its own log, and is gone at the end', async () => {
  const launcher = make();
  const { store, run } = series(launcher);
  const trials = [0, 1, 2].map((seed) => fakeTrial({ seed }));
  const pids: number[] = [];
  for (const trial of trials) {
    const ending = await run(trial);
    expect(ending).toMatchObject({ code: TrialExit.recorded, signal: null, state: 'done' });
    pids.push(ending.pid);
  }
  expect(new Set(pids).size).toBe(1);
  expect(alive(pids[0]!)).toBe(true);
  await launcher.close!();
  expect(alive(pids[0]!)).toBe(false);
  for (const { id } of trials) expect(readFileSync(store.logFile(id), 'utf8')).toBe('training\n');
});

it('a process whose trial failed runs no other', async () => {
  const launcher = make();
  const { run } = series(launcher);
  const failed = await run(fakeTrial({ mishap: Mishap.error }));
  expect(failed).toMatchObject({ code: TrialExit.recorded, state: 'failed' });
  const next = await run(fakeTrial({ seed: 1 }));
  expect(next.state).toBe('done');
  expect(next.pid).not.toBe(failed.pid);
  await launcher.close!();
});

it('what the engine itself prints when a later trial of a process crashes is in that trial`s log', async () => {
  const launcher = make();
  const { store, run } = series(launcher);
  await run(fakeTrial());
  const crash = fakeTrial({ mishap: Mishap.abort });
  const ending = await run(crash);
  expect(ending).toMatchObject({ signal: 'SIGABRT', state: 'absent' });
  expect(readFileSync(store.logFile(crash.id), 'utf8')).toMatch(/^training\n.*Native stack trace/s);
  await launcher.close!();
});

it('limits hold for every trial of a process', async () => {
  // Long enough for a process to start on a busy machine.
  const launcher = make({ time: 5 });
  const { run } = series(launcher);
  const first = await run(fakeTrial());
  const second = await run(fakeTrial({ epochs: 1000, stepSeconds: 0.05 }));
  expect(second).toMatchObject({ limit: 'time', pid: first.pid, state: 'absent' });
  await launcher.close!();
});

it.skipIf(process.platform !== 'linux')(
  'a process that holds half of its memory limit runs no other trial',
  async () => {
    const launcher = make({ memory: 80 * 2 ** 20 });
    const { run } = series(launcher);
    const first = await run(fakeTrial());
    const second = await run(fakeTrial({ seed: 1 }));
    expect([first.state, second.state]).toEqual(['done', 'done']);
    expect(second.pid).not.toBe(first.pid);
    await launcher.close!();
  },
);

it('a request to stop that comes too late stops no other trial', async () => {
  const launcher = make();
  const { store, start, run } = series(launcher);
  const first = start(fakeTrial());
  await first.ended;
  first.stop('checkpoint');
  first.stop('now');
  const next = await run(fakeTrial({ seed: 1 }));
  expect(next).toMatchObject({ code: TrialExit.recorded, state: 'done' });
  // Under way when the trial ends by itself: the process then takes no other.
  for (let seed = 2; seed < 8; seed++) {
    const trial = fakeTrial({ seed, stepSeconds: 0.005 });
    const running = start(trial, () => running.stop('checkpoint'));
    const { code } = await running.ended;
    expect([TrialExit.recorded, TrialExit.interrupted]).toContain(code);
    expect(store.readTrial(trial.id, NUMERIC_VERSION).state).toBe(code === 0 ? 'done' : 'absent');
  }
  await launcher.close!();
});
