import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  fakeLauncher,
  fakeRecord,
  fakeTrial,
  Mishap,
  NUMERIC_VERSION,
  temporaryFolder,
} from '../../../src/contract/fake.js';
import { type RunObserver, type RunOptions, runSweep } from '../../../src/sweep/run/run.js';
import type { StoredTrial } from '../../../src/sweep/store/layout.js';
import type { TrialRecord } from '../../../src/sweep/store/record.js';
import { SweepStore } from '../../../src/sweep/store/store.js';
import { fillDisk, mountSmallDisk } from '../small-disk.js';

const OPTIONS: RunOptions = { numericVersion: NUMERIC_VERSION, data: 'fake', pollMs: 50 };
const SWEEPER = fileURLToPath(new URL('../programs/sweeper.mjs', import.meta.url));

/** What two runs of the same trials must agree on: everything but times and memory. */
function numbers(store: SweepStore, trials: StoredTrial[]): unknown[] {
  return trials.map((trial) => {
    const found = store.readTrial(trial.id, NUMERIC_VERSION);
    if (found.state !== 'done' || found.record.status !== 'done') return found.state;
    const { test, validation, curve } = found.record.result;
    return { id: trial.id, test, validation, losses: curve.map(({ loss }) => loss) };
  });
}

async function run(
  store: SweepStore,
  trials: StoredTrial[],
  options: Partial<RunOptions> = {},
  observer: RunObserver = {},
) {
  return runSweep(store, trials, fakeLauncher(2, options.limits), { ...OPTIONS, ...options }, observer);
}

const reasonOf = (record: TrialRecord | undefined) =>
  record?.status === 'failed' ? record.reason : record?.status;

describe('a run', () => {
  it('runs every trial once; running it again keeps them all', { timeout: 30_000 }, async () => {
    const store = new SweepStore(temporaryFolder());
    const trials = [1, 2, 3].map((seed) => fakeTrial({ seed }));
    const started: string[] = [];
    const first = await run(store, trials, {}, { started: ({ id }) => started.push(id) });
    expect(first).toMatchObject({ done: 3, failed: 0, kept: 0, open: 0, interrupted: false });
    expect(started.sort()).toEqual(trials.map(({ id }) => id).sort());
    const before = numbers(store, trials);
    const again = await run(store, trials, {}, { started: () => expect.unreachable() });
    expect(again).toMatchObject({ done: 3, kept: 3 });
    expect(numbers(store, trials)).toEqual(before);
    for (const { id } of trials) expect(existsSync(store.checkpointFolder(id))).toBe(false);
  });

  it('starts those that take longest first, and the smallest where hours are limited', {
    timeout: 30_000,
  }, async () => {
    const trials = [1, 3, 2].map((seed) => ({ ...fakeTrial({ seed }), flops: seed * 1e6 }));
    const order = async (options: Partial<RunOptions>) => {
      const started: string[] = [];
      const observer: RunObserver = { started: ({ label }) => started.push(label) };
      const store = new SweepStore(temporaryFolder());
      await runSweep(store, trials, fakeLauncher(1), { ...OPTIONS, ...options }, observer);
      return started;
    };
    expect(await order({})).toEqual(['d8 seed 3', 'd8 seed 2', 'd8 seed 1']);
    expect(await order({ hours: 1 })).toEqual(['d8 seed 1', 'd8 seed 3', 'd8 seed 2']);
  });

  it('gives the cores that become free to the trials that still run', { timeout: 30_000 }, async () => {
    const store = new SweepStore(temporaryFolder());
    const short = fakeTrial({ seed: 1 });
    const long = { ...fakeTrial({ seed: 2, epochs: 1000, stepSeconds: 0.01 }), flops: 1e9 };
    const seen = new Map<string, Set<number | undefined>>([
      [short.id, new Set()],
      [long.id, new Set()],
    ]);
    const ended: string[] = [];
    const stop = new AbortController();
    const summary = await run(
      store,
      [short, long],
      { cores: { count: 2, mostOf: () => 3 }, signal: stop.signal },
      {
        progress({ id }, { threads }) {
          seen.get(id)!.add(threads);
          // Two are given once the other is done, never before; how soon either tells of itself is the machine's.
          if (threads === 2) {
            expect(ended).toEqual([short.id]);
            stop.abort();
          }
        },
        finished: ({ id }) => void ended.push(id),
      },
    );
    expect(summary).toMatchObject({ done: 1, open: 1 });
    expect([...seen.get(long.id)!].at(-1)).toBe(2);
    expect([...seen.get(long.id)!].every((threads) => threads === 1 || threads === 2)).toBe(true);
    expect([...seen.get(short.id)!].every((threads) => threads === 1)).toBe(true);
  });

  it('records what fails, in its category and with its log, and goes on with the rest', {
    timeout: 40_000,
  }, async () => {
    const store = new SweepStore(temporaryFolder());
    const bad = {
      nan: fakeTrial({ mishap: Mishap.notANumber }),
      error: fakeTrial({ mishap: Mishap.error }),
      abort: fakeTrial({ mishap: Mishap.abort }),
      killed: fakeTrial({ mishap: Mishap.killedAlways }),
    };
    const good = fakeTrial({ dim: 64 });
    const trials = [...Object.values(bad), good];
    const { records, done, failed } = await run(store, trials);
    expect([done, failed]).toEqual([1, 4]);
    expect(reasonOf(records.get(bad.nan.id))).toBe('not-a-number');
    expect(reasonOf(records.get(bad.error.id))).toBe('error');
    expect(reasonOf(records.get(bad.abort.id))).toBe('error');
    expect(reasonOf(records.get(bad.killed.id))).toBe('killed');
    expect(readFileSync(store.logFile(bad.error.id), 'utf8')).toContain('the fake training broke');
    expect(store.readTrial(good.id, NUMERIC_VERSION).state).toBe('done');
    // Kept on the next run, tried again only on request.
    expect(await run(store, trials)).toMatchObject({ kept: 5, failed: 4 });
    const retried: string[] = [];
    const again = await run(
      store,
      [bad.nan, good],
      { retryFailed: true },
      { started: ({ id }) => retried.push(id) },
    );
    expect(retried).toEqual([bad.nan.id]);
    expect(again).toMatchObject({ kept: 1, failed: 1 });
    expect(existsSync(join(store.folder(bad.nan.id), 'result.failed.json'))).toBe(true);
  });

  it('stops a trial past its time limit', { timeout: 30_000 }, async () => {
    const store = new SweepStore(temporaryFolder());
    const slow = fakeTrial({ epochs: 1000, stepSeconds: 0.05 });
    const { records } = await run(store, [slow], { limits: { time: 1 } });
    expect(reasonOf(records.get(slow.id))).toBe('time-limit');
  });

  it.skipIf(process.platform !== 'linux')(
    'stops a trial past its memory limit',
    { timeout: 30_000 },
    async () => {
      const store = new SweepStore(temporaryFolder());
      const greedy = fakeTrial({ mishap: Mishap.memory });
      const { records } = await run(store, [greedy], { limits: { memory: 300 * 2 ** 20 } });
      expect(reasonOf(records.get(greedy.id))).toBe('out-of-memory');
    },
  );

  it('goes on with a trial that was killed from outside', { timeout: 30_000 }, async () => {
    const store = new SweepStore(temporaryFolder());
    const trial = fakeTrial({ mishap: Mishap.killedOnce });
    const notes: string[] = [];
    expect(await run(store, [trial], {}, { note: (text) => notes.push(text) })).toMatchObject({ done: 1 });
    expect(notes.join()).toContain('goes on from its checkpoint');
    const undisturbed = new SweepStore(temporaryFolder());
    const same = fakeTrial({ mishap: Mishap.none });
    await run(undisturbed, [same]);
    const [a] = numbers(store, [trial]) as { test: unknown }[];
    const [b] = numbers(undisturbed, [same]) as { test: unknown }[];
    expect(a!.test).toEqual(b!.test);
  });

  it('interrupted once keeps checkpoints and goes on from them next time', { timeout: 30_000 }, async () => {
    const store = new SweepStore(temporaryFolder());
    const trials = [1, 2, 3].map((seed) => fakeTrial({ seed, epochs: 8, stepSeconds: 0.02 }));
    const stop = new AbortController();
    const first = await run(store, trials, { signal: stop.signal }, { progress: () => stop.abort() });
    expect(first).toMatchObject({ interrupted: true, open: 3 });
    expect(trials.some(({ id }) => existsSync(join(store.checkpointFolder(id), 'state.json')))).toBe(true);
    expect(await run(store, trials)).toMatchObject({ done: 3, interrupted: false });
    const undisturbed = new SweepStore(temporaryFolder());
    await run(undisturbed, trials);
    expect(numbers(store, trials)).toEqual(numbers(undisturbed, trials));
  });

  it('interrupted twice leaves no process behind', { timeout: 30_000 }, async () => {
    const store = new SweepStore(temporaryFolder());
    const kill = new AbortController();
    const hang = fakeTrial({ mishap: Mishap.hang });
    const summary = await run(store, [hang], { killSignal: kill.signal }, { progress: () => kill.abort() });
    expect(summary).toMatchObject({ interrupted: true, open: 1 });
  });

  it('runs a damaged result again and keeps the damaged file aside', { timeout: 30_000 }, async () => {
    const store = new SweepStore(temporaryFolder());
    const trial = fakeTrial();
    mkdirSync(store.folder(trial.id), { recursive: true });
    writeFileSync(join(store.folder(trial.id), 'result.json'), '{"schema": 1, "id"');
    const notes: string[] = [];
    expect(await run(store, [trial], {}, { note: (text) => notes.push(text) })).toMatchObject({
      done: 1,
      kept: 0,
    });
    expect(notes[0]).toMatch(/result\.json: this result is not valid JSON/);
  });

  it('starts nothing that is expected to pass the budget of hours', { timeout: 30_000 }, async () => {
    const store = new SweepStore(temporaryFolder());
    // A stored result tells the speed: 1e6 FLOPs in 32 s.
    const known = fakeTrial({ seed: 9 });
    store.writeResult(fakeRecord(known));
    const trials = [known, fakeTrial({ seed: 1 }), { ...fakeTrial({ seed: 2 }), flops: 1e9 }];
    const summary = await run(store, trials, { hours: 100 / 3600 });
    expect(summary).toMatchObject({ done: 2, overBudget: 1, open: 1 });
    // A failed one spent its time too: a minute of 100 s, where a second trial of 32 s would have fitted.
    const spent = new SweepStore(temporaryFolder());
    const { result: _result, popularity: _popularity, slice: _slice, ...head } = fakeRecord(known);
    spent.writeResult({ ...head, status: 'failed', reason: 'error', message: 'broke' });
    spent.writeResult(fakeRecord(fakeTrial({ seed: 8 })));
    const after = [known, fakeTrial({ seed: 8 }), fakeTrial({ seed: 1 })];
    expect(await run(spent, after, { hours: 100 / 3600 })).toMatchObject({
      failed: 1,
      done: 1,
      overBudget: 1,
    });
  });

  it('by three commands at once runs every trial once', { timeout: 60_000 }, async () => {
    const store = new SweepStore(join(temporaryFolder(), 's'));
    const trials = Array.from({ length: 8 }, (_, seed) => fakeTrial({ seed, epochs: 1 }));
    const order = join(temporaryFolder(), 'order.json');
    writeFileSync(order, JSON.stringify({ path: store.path, trials }));
    const outputs = await Promise.all(
      [1, 2, 3].map(async () => {
        const child = spawn(process.execPath, [SWEEPER, order], { stdio: ['ignore', 'pipe', 'inherit'] });
        let text = '';
        child.stdout.on('data', (data) => {
          text += data;
        });
        const code = await new Promise((resolve) => child.on('exit', resolve));
        expect(code).toBe(0);
        return JSON.parse(text) as { done: number; trained: string[] };
      }),
    );
    for (const { done } of outputs) expect(done).toBe(8);
    // A log line is printed by whoever trains: once a trial.
    for (const { id } of trials)
      expect(readFileSync(store.logFile(id), 'utf8').match(/training/g), id).toHaveLength(1);
    for (const { id } of trials)
      expect(readdirSync(store.folder(id)).filter((n) => n.startsWith('result'))).toHaveLength(1);
  });

  const disk = mountSmallDisk(512);
  it.skipIf(!disk)(
    'on a full disk stops with a clear message; with space again it goes on',
    { timeout: 30_000 },
    async () => {
      const store = new SweepStore(join(disk!, 's'));
      const trials = [1, 2].map((seed) => fakeTrial({ seed, epochs: 4, stepSeconds: 0.05 }));
      await expect(run(store, trials, {}, { progress: () => fillDisk(disk!) })).rejects.toThrow(
        /no space left/,
      );
      for (const { id } of trials) expect(store.readTrial(id, NUMERIC_VERSION).state).toBe('absent');
      writeFileSync(join(disk!, 'filler'), '');
      expect(await run(store, trials)).toMatchObject({ done: 2, failed: 0 });
      const undisturbed = new SweepStore(temporaryFolder());
      await run(undisturbed, trials);
      expect(numbers(store, trials)).toEqual(numbers(undisturbed, trials));
    },
  );
});
