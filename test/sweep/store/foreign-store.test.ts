/** Stores that somebody else wrote, another version wrote, or that cannot be written: clear words, and nothing lost. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  fakeLauncher,
  fakeRecord,
  fakeTrial,
  NUMERIC_VERSION,
  temporaryFolder,
} from '../../../src/contract/fake.js';
import { type RunOptions, runSweep } from '../../../src/sweep/run/run.js';
import { runTrial } from '../../../src/sweep/run/trial.js';
import { ClaimWatch, readClaim, tryClaim } from '../../../src/sweep/store/claim.js';
import type { StoredTrial } from '../../../src/sweep/store/layout.js';
import { SweepStore } from '../../../src/sweep/store/store.js';
import { trialId } from '../../../src/train/identity.js';
import { mountSmallDisk } from '../small-disk.js';

const OPTIONS: RunOptions = { numericVersion: NUMERIC_VERSION, data: 'fake', pollMs: 50 };
const run = (store: SweepStore, trials: StoredTrial[], options: Partial<RunOptions> = {}) =>
  runSweep(store, trials, fakeLauncher(1), { ...OPTIONS, ...options });
const trial = fakeTrial({ epochs: 1 });

describe('a store with a symbolic link in it', () => {
  const outside = () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'precious'), 'mine');
    return folder;
  };

  it.each([
    'result.json',
    'config.json',
    'log.txt',
    'progress.json',
    'checkpoint/state.json',
    'checkpoint',
    '',
  ])('at a trial’s "%s" is refused, and what it leads to stays as it was', async (at) => {
    const store = new SweepStore(temporaryFolder());
    const target = outside();
    const link = join(store.folder(trial.id), at);
    mkdirSync(join(link, '..'), { recursive: true });
    symlinkSync(/[.]/.test(at) ? join(target, 'precious') : target, link);
    await expect(run(store, [trial], { retryFailed: true })).rejects.toThrow(
      /a symbolic link inside a sweep/,
    );
    expect(readdirSync(target)).toEqual(['precious']);
    expect(readFileSync(join(target, 'precious'), 'utf8')).toBe('mine');
  });

  it.each(['plan.json', 'index.json', 'slices', 'trials'])(
    'at %s is refused before anything is written',
    (at) => {
      const store = new SweepStore(temporaryFolder());
      const target = outside();
      symlinkSync(at.endsWith('.json') ? join(target, 'precious') : target, join(store.path, at));
      expect(() => store.writePlan(planOf([trial]))).toThrow(/a symbolic link inside a sweep/);
      expect(readdirSync(target)).toEqual(['precious']);
      expect(readFileSync(join(target, 'precious'), 'utf8')).toBe('mine');
    },
  );

  it('above it is the user’s own doing', () => {
    const real = temporaryFolder();
    const link = join(temporaryFolder(), 'sweep');
    symlinkSync(real, link);
    new SweepStore(link).writePlan(planOf([trial]));
    expect(existsSync(join(real, 'plan.json'))).toBe(true);
  });
});

function planOf(trials: StoredTrial[]) {
  return {
    schema: 1 as const,
    name: 'tiny',
    perflaw: '0',
    numericVersion: NUMERIC_VERSION,
    updatedAt: '2025-01-01T00:00:00.000Z',
    data: { name: 'fake', hash: 'fake-hash', numItems: 300, reference: 'fake' },
    workers: 1,
    file: 'tiny.yaml',
    text: 'data: fake\n',
    trials,
  };
}

describe('a store with strange files in it', () => {
  it('a claim with a number that nobody reaches does not hold a trial for ever', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'claim-99999999999999999999.json'), '{}');
    expect(tryClaim(folder)?.held()).toBe(true);
    writeFileSync(join(folder, 'claim-999999999999.json'), JSON.stringify({ schema: 1, released: true }));
    const watch = new ClaimWatch(-1);
    watch.look(folder);
    expect(() => tryClaim(folder, watch.look(folder).token)).toThrow(/nobody claimed this trial so often/);
  });

  it.each([
    'null',
    '[]',
    '{"schema": 1, "token": "a", "pid": "1; reboot"}',
    '{"schema": 1, "token": 3}',
    '{',
  ])('a claim that reads %s proves nothing, and can be taken over once it stands still', (text) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'claim-1.json'), text);
    expect(readClaim(folder).state).toBe('unknown');
    const watch = new ClaimWatch(-1);
    watch.look(folder);
    expect(tryClaim(folder, watch.look(folder).token)?.held()).toBe(true);
  });

  it('a heartbeat from the future counts as alive until it stands still', async () => {
    const folder = temporaryFolder();
    tryClaim(folder);
    const path = join(folder, 'claim-1.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), machine: 'elsewhere' }));
    const future = new Date(Date.now() + 10 * 365 * 86_400_000);
    utimesSync(path, future, future);
    const watch = new ClaimWatch(0.05);
    expect(watch.look(folder).state).toBe('alive');
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(watch.look(folder).state).toBe('dead');
  });

  it.skipIf(process.platform === 'win32')(
    'a pipe in the place of a result is not read, but kept aside',
    async () => {
      const store = new SweepStore(temporaryFolder());
      mkdirSync(store.folder(trial.id), { recursive: true });
      execFileSync('mkfifo', [join(store.folder(trial.id), 'result.json')]);
      expect(store.readTrial(trial.id, NUMERIC_VERSION)).toMatchObject({
        state: 'damaged',
        reason: 'is no ordinary file',
      });
      expect(await run(store, [trial])).toMatchObject({ done: 1 });
    },
  );

  it('an id that leads out of the store runs nothing', async () => {
    const store = new SweepStore(join(temporaryFolder(), 's'));
    const elsewhere = join(store.path, '..', 'elsewhere');
    mkdirSync(elsewhere, { recursive: true });
    const { config } = trial;
    writeFileSync(
      join(elsewhere, 'config.json'),
      JSON.stringify({
        schema: 1,
        id: '../../elsewhere',
        numericVersion: NUMERIC_VERSION,
        config,
        data: 'fake',
      }),
    );
    const load = () => Promise.reject(new Error('must not be loaded'));
    await expect(runTrial(store.path, '../../elsewhere', load)).rejects.toThrow(/not the one of its folder/);
    expect(readdirSync(elsewhere)).toEqual(['config.json']);
  });

  it('temporary files of killed writers go when they are old, younger ones stay', () => {
    const store = new SweepStore(temporaryFolder());
    store.writePlan(planOf([trial]));
    const [old, young] = ['index.json.123', 'plan.json.456'].map((name) => join(store.path, name));
    writeFileSync(old!, 'half');
    writeFileSync(young!, 'half');
    const past = new Date(Date.now() - 2 * 3_600_000);
    utimesSync(old!, past, past);
    store.removeLitter();
    expect(readdirSync(store.path).sort()).toEqual(['plan.json', 'plan.json.456', 'trials']);
  });
});

describe('two versions of perflaw on one store', () => {
  it('a result of another schema is refused, and stays where it is', async () => {
    const store = new SweepStore(temporaryFolder());
    const path = join(store.folder(trial.id), 'result.json');
    mkdirSync(store.folder(trial.id), { recursive: true });
    const foreign = JSON.stringify({ ...fakeRecord(trial), schema: 2 });
    writeFileSync(path, foreign);
    await expect(run(store, [trial], { retryFailed: true })).rejects.toMatchObject({
      message: expect.stringMatching(/another version of perflaw \(schema 2, this one reads 1\)/),
      place: path,
      remedy: expect.stringMatching(/--out/),
      exitCode: 2,
    });
    expect(readFileSync(path, 'utf8')).toBe(foreign);
  });

  it('with other numerics have other trials, and each keeps its results', async () => {
    const store = new SweepStore(temporaryFolder());
    expect(await run(store, [trial])).toMatchObject({ done: 1 });
    const later = { ...trial, id: trialId(trial.config, NUMERIC_VERSION + 1) };
    expect(later.id).not.toBe(trial.id);
    store.writeResult(fakeRecord(later));
    expect(store.readTrial(trial.id, NUMERIC_VERSION).state).toBe('done');
    expect(store.readTrial(later.id, NUMERIC_VERSION + 1).state).toBe('done');
    // One never takes the other's for its own.
    expect(store.readTrial(later.id, NUMERIC_VERSION)).toMatchObject({
      state: 'damaged',
      reason: 'does not match its configuration',
    });
  });
});

describe('a read-only folder', () => {
  const disk = mountSmallDisk(512);
  const readOnly = (on: boolean) => execFileSync('mount', ['-o', `remount,${on ? 'ro' : 'rw'}`, disk!]);
  if (disk) afterAll(() => readOnly(false));

  it.skipIf(!disk)('says so, loses nothing, and can still be read', async () => {
    const store = new SweepStore(join(disk!, 's'));
    store.writePlan(planOf([trial]));
    await run(store, [trial]);
    const open = fakeTrial({ seed: 5 });
    readOnly(true);
    expect(() => store.writePlan(planOf([trial]))).toThrow(/the file system is read-only/);
    await expect(run(store, [trial, open])).rejects.toThrow(/the file system is read-only/);
    expect(await run(store, [trial])).toMatchObject({ done: 1, kept: 1 });
    expect(store.readPlan().trials).toHaveLength(1);
    readOnly(false);
    expect(await run(store, [trial, open])).toMatchObject({ done: 2, kept: 1 });
  });
});
