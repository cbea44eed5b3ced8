/** The Slurm launcher against a stand-in for Slurm's commands; against a real one in test/slurm. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  FAKE_ENTRY,
  fakeTrial,
  letGo,
  Mishap,
  NUMERIC_VERSION,
  temporaryFolder,
} from '../../../../src/contract/fake.js';
import { launcherContract } from '../../../../src/contract/launcher.js';
import type { Launcher, LaunchLimits } from '../../../../src/sweep/launch/launcher.js';
import { endingOf } from '../../../../src/sweep/launch/slurm/follow.js';
import { SlurmQueue } from '../../../../src/sweep/launch/slurm/queue.js';
import {
  cancelJobs,
  openJobs,
  type SlurmOptions,
  slurmLauncher,
} from '../../../../src/sweep/launch/slurm/slurm.js';
import { type RunOptions, runSweep } from '../../../../src/sweep/run/run.js';
import { tryClaim } from '../../../../src/sweep/store/claim.js';
import type { StoredTrial } from '../../../../src/sweep/store/layout.js';
import { SweepStore } from '../../../../src/sweep/store/store.js';
import { type FakeSlurm, fakeSlurm } from './fake.js';

const launcherOn = (slurm: FakeSlurm, more: Partial<SlurmOptions> = {}): Launcher =>
  slurmLauncher({
    sweep: 'fake',
    settings: {},
    workspace: slurm.folder,
    entry: FAKE_ENTRY,
    commands: slurm.folder,
    lookMs: 50,
    askMs: 150,
    ...more,
  });

launcherContract('slurm (stand-in)', {
  make: (limits?: LaunchLimits) => launcherOn(fakeSlurm(), { limits }),
});

/** A sweep on a stand-in for Slurm; each `run` is a command of its own. */
function sweepOn(trials: StoredTrial[]) {
  const slurm = fakeSlurm();
  const store = new SweepStore(join(temporaryFolder(), "sweep's folder 100%"));
  const notes: string[] = [];
  const run = (options: Partial<RunOptions> = {}, more: Partial<SlurmOptions> = {}) =>
    runSweep(
      store,
      trials,
      launcherOn(slurm, { onNote: (text) => notes.push(text), ...more }),
      { numericVersion: NUMERIC_VERSION, data: 'fake', pollMs: 50, ...options },
      { note: (text) => notes.push(text) },
    );
  const until = async (condition: () => boolean) => {
    while (!condition()) await sleep(20);
  };
  const running = () => slurm.tasks().filter(({ state }) => state === 'RUNNING');
  const trained = ({ id }: StoredTrial) => readFileSync(store.logFile(id), 'utf8').match(/training/g)?.length;
  return { slurm, store, notes, run, until, running, trained };
}

const seeds = (count: number, options: object = {}) =>
  Array.from({ length: count }, (_, seed) => fakeTrial({ seed, ...options }));

describe('a sweep on slurm', () => {
  it('runs every trial, in arrays within the cluster’s limit; again it submits nothing', async () => {
    const trials = seeds(5);
    const { slurm, store, notes, run } = sweepOn(trials);
    slurm.maxArraySize(2);
    expect(await run()).toMatchObject({ done: 5, open: 0, left: 0 });
    expect(slurm.tasks().map(({ name }) => name)).toEqual(['100_0', '100_1', '101_0', '101_1', '102_0']);
    expect(notes.filter((note) => note.startsWith('Submitted'))).toHaveLength(3);
    expect(await run()).toMatchObject({ done: 5, kept: 5 });
    expect(slurm.tasks()).toHaveLength(5);
    const [first] = readdirSync(join(store.path, 'slurm')).sort();
    expect(readlinkSync(join(store.path, 'slurm', first!, '1.log'))).toBe(
      `../../trials/${trials[1]!.id}/log.txt`,
    );
  });

  it('detached returns at once; the same command comes back and submits only what is missing', async () => {
    const trials = seeds(4, { mishap: Mishap.waits });
    const { slurm, store, notes, run, until, running, trained } = sweepOn(trials);
    expect(await run({ detach: true })).toMatchObject({ done: 0, open: 4, left: 4, interrupted: false });
    await until(() => running().length === 2);
    expect(await run({ detach: true })).toMatchObject({ open: 4, left: 4 });
    expect(slurm.tasks()).toHaveLength(4);
    expect(notes.join('\n')).toMatch(/4 trials submitted before: 2 running, 2 waiting, 0 ended/);
    letGo(store, ...trials);
    expect(await run()).toMatchObject({ done: 4, left: 0 });
    expect(slurm.tasks()).toHaveLength(4);
    for (const trial of trials) expect(trained(trial)).toBe(1);
  });

  it('interrupted leaves its jobs running', async () => {
    const trials = seeds(2, { mishap: Mishap.waits });
    const { slurm, store, run, until, running } = sweepOn(trials);
    const stop = new AbortController();
    const going = run({ signal: stop.signal });
    await until(() => running().length === 2);
    stop.abort();
    expect(await going).toMatchObject({ interrupted: true, left: 2 });
    letGo(store, ...trials);
    expect(await run()).toMatchObject({ done: 2 });
    expect(slurm.tasks()).toHaveLength(2);
  });

  it('records a cancelled job, and retries it when asked', async () => {
    const trials = [fakeTrial({ mishap: Mishap.waits }), fakeTrial({ seed: 1 })];
    const { slurm, store, run, until } = sweepOn(trials);
    const going = run();
    await until(() => existsSync(store.checkpointFolder(trials[0]!.id)));
    new SlurmQueue(slurm.folder).cancel(['100_0']);
    const { records } = await going;
    expect(records.get(trials[0]!.id)).toMatchObject({ status: 'failed', reason: 'cancelled' });
    expect(records.get(trials[1]!.id)).toMatchObject({ status: 'done' });
    expect(await run()).toMatchObject({ done: 1, failed: 1, kept: 2 });
    letGo(store, trials[0]!);
    expect(await run({ retryFailed: true })).toMatchObject({ done: 2, failed: 0 });
    expect(slurm.tasks()).toHaveLength(3);
  });

  it('goes on with a requeued job from its checkpoint, in the same job', async () => {
    const [trial] = seeds(1, { mishap: Mishap.waits });
    const { slurm, store, run, until } = sweepOn([trial!]);
    const going = run();
    await until(() => existsSync(join(store.checkpointFolder(trial!.id), 'state.json')));
    spawnSync(join(slurm.folder, 'scontrol'), ['requeue', '100_0']);
    letGo(store, trial!);
    expect(await going).toMatchObject({ done: 1 });
    expect(slurm.tasks()).toMatchObject([{ restarts: 1 }]);
    const undisturbed = sweepOn([trial!]);
    letGo(undisturbed.store, trial!);
    await undisturbed.run();
    const test = (from: SweepStore) => {
      const found = from.readTrial(trial!.id, NUMERIC_VERSION);
      return found.state === 'done' && found.record.status === 'done' ? found.record.result.test : found;
    };
    expect(test(store)).toEqual(test(undisturbed.store));
  });

  it('withdrawn by --cancel stays open, and goes on with the next command', async () => {
    const trials = seeds(3, { mishap: Mishap.waits });
    const { slurm, store, run, until, running } = sweepOn(trials);
    const going = run();
    await until(() => running().length === 2);
    expect(openJobs(store.path)).toEqual(['100']);
    expect(await cancelJobs(store.path, 'fake', slurm.folder)).toBe(3);
    expect(await going).toMatchObject({ done: 0, failed: 0, open: 3, left: 0 });
    expect(openJobs(store.path)).toEqual([]);
    expect(await cancelJobs(store.path, 'fake', slurm.folder)).toBe(0);
    letGo(store, ...trials);
    expect(await run()).toMatchObject({ done: 3 });
  });

  it('killed from outside is started again; what fails is recorded with its log', async () => {
    const killed = fakeTrial({ mishap: Mishap.killedOnce });
    const broken = fakeTrial({ mishap: Mishap.error });
    const gone = fakeTrial({ mishap: Mishap.killedAlways });
    const { store, run } = sweepOn([killed, broken, gone]);
    const { records } = await run();
    expect(records.get(killed.id)).toMatchObject({ status: 'done' });
    expect(records.get(broken.id)).toMatchObject({ reason: 'error' });
    expect(records.get(gone.id)).toMatchObject({ reason: 'killed' });
    expect(readFileSync(store.logFile(broken.id), 'utf8')).toContain('the fake training broke');
  });

  it('learns from the accounting, or at the next command, what became of jobs', async () => {
    const trials = [fakeTrial({ mishap: Mishap.abort }), fakeTrial({ seed: 1 })];
    const { slurm, run, until } = sweepOn(trials);
    slurm.fault('forgetful');
    await run({ detach: true });
    await until(() => slurm.tasks().every(({ state }) => state !== 'PENDING' && state !== 'RUNNING'));
    const { records } = await run();
    expect(records.get(trials[0]!.id)).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/error|killed/),
    });
    expect(records.get(trials[1]!.id)).toMatchObject({ status: 'done' });
  });

  it('submits again what nobody knows anything of', async () => {
    const trials = [fakeTrial({ mishap: Mishap.killedOnce })];
    const { slurm, run, until } = sweepOn(trials);
    slurm.fault('amnesia');
    await run({ detach: true });
    await until(() => slurm.tasks()[0]!.state === 'FAILED');
    expect(await run()).toMatchObject({ done: 1 });
    expect(slurm.tasks()).toHaveLength(2);
  });

  it('finds jobs whose number was not written down', async () => {
    const trials = seeds(2, { mishap: Mishap.waits });
    const { slurm, store, run } = sweepOn(trials);
    await run({ detach: true });
    const folder = join(store.path, 'slurm', readdirSync(join(store.path, 'slurm'))[0]!);
    writeFileSync(join(folder, 'job.txt'), '');
    expect(await run({ detach: true })).toMatchObject({ left: 2 });
    expect(readFileSync(join(folder, 'job.txt'), 'utf8')).toBe('100\n');
    letGo(store, ...trials);
    expect(await run()).toMatchObject({ done: 2 });
    expect(slurm.tasks()).toHaveLength(2);
  });

  it('submits nothing twice when two commands begin at once', async () => {
    const { slurm, notes, run } = sweepOn(seeds(3));
    const both = await Promise.all([run(), run()]);
    for (const summary of both) expect(summary).toMatchObject({ done: 3, open: 0 });
    expect(slurm.tasks()).toHaveLength(3);
    expect(notes).toContain('3 trials submitted by another command meanwhile.');
  });

  it('waits its turn while another command submits', async () => {
    const { slurm, store, run, until } = sweepOn(seeds(2));
    const folder = join(store.path, 'slurm');
    mkdirSync(folder, { recursive: true });
    const claim = tryClaim(folder)!;
    const summary = run({}, { submitWaitMs: 100 });
    await until(() => existsSync(join(store.path, 'trials')));
    await sleep(500);
    expect(slurm.tasks()).toEqual([]);
    claim.release();
    expect(await summary).toMatchObject({ done: 2, open: 0 });
    expect(slurm.tasks()).toHaveLength(2);
  });

  it('waits while Slurm does not answer, and while it takes no more jobs', async () => {
    const trials = seeds(2, { mishap: Mishap.waits });
    const { slurm, store, notes, run, until } = sweepOn(trials);
    const going = run({}, { askMs: 100 });
    await until(() => slurm.tasks().length === 2);
    slurm.fault('silent');
    await until(() => notes.some((note) => note.includes('Slurm does not answer')));
    slurm.fault('');
    letGo(store, ...trials);
    expect(await going).toMatchObject({ done: 2 });

    const more = sweepOn(seeds(3));
    more.slurm.maxArraySize(1);
    const wrapped = more.run(
      {},
      {
        onNote: (text) => {
          more.notes.push(text);
          if (text.startsWith('Submitted')) more.slurm.fault('full');
          if (text.includes('no more jobs')) more.slurm.fault('');
        },
      },
    );
    expect(await wrapped).toMatchObject({ done: 3 });
    expect(more.notes.join('\n')).toMatch(/Slurm takes no more jobs for now \(.*AssocMaxSubmitJobLimit/);
  });

  it('refuses with Slurm’s words what Slurm refuses, and says where Slurm is missing', async () => {
    const { slurm, store, run } = sweepOn(seeds(1));
    slurm.fault('refuse');
    await expect(run()).rejects.toThrow(/Slurm refused the jobs: .*invalid partition specified: nowhere/);
    expect(readdirSync(join(store.path, 'slurm')).filter((name) => !name.startsWith('claim-'))).toEqual([]);
    await expect(run({}, { commands: temporaryFolder() })).rejects.toThrow(
      /there is no Slurm here: .*scontrol/,
    );
  });
});

describe('the end of a task', () => {
  const end = (state: string, code: number | null = 0, signal: string | null = null) =>
    endingOf('1_0', { state, code, signal });
  it('is read from Slurm’s words', () => {
    expect(end('CANCELLED', 75)).toMatchObject({ fate: 'cancelled', endedJob: '1_0' });
    expect(end('TIMEOUT')).toMatchObject({ limit: 'time' });
    expect(end('FAILED', null, 'SIGUSR2')).toMatchObject({ limit: 'time' });
    expect(end('OUT_OF_MEMORY')).toMatchObject({ limit: 'memory' });
    expect(end('PREEMPTED')).toMatchObject({ fate: 'displaced', endedJob: '1_0' });
    expect(end('FAILED', 3)).toEqual({ code: 3, signal: null, endedJob: '1_0' });
    expect(endingOf('1_0', undefined)).toMatchObject({ fate: 'lost' });
  });
  it('of a node that cannot be reached proves nothing about its processes', () => {
    expect(end('NODE_FAIL')).toEqual({ code: 0, signal: null, fate: 'displaced' });
  });
});
