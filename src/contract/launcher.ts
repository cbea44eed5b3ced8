/** What every launcher must do; each launcher's own test calls this with a way to make one. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Ending, Launcher } from '../sweep/launch/launcher.js';
import { TrialExit } from '../sweep/launch/launcher.js';
import type { StoredTrial } from '../sweep/store/layout.js';
import { SweepStore } from '../sweep/store/store.js';
import type { TrainingProgress } from '../train/hooks.js';
import { fakeTrial, letGo, Mishap, NUMERIC_VERSION, temporaryFolder } from './fake.js';

export interface LauncherUnderTest {
  make(limits?: { memory?: number; time?: number }): Launcher;
}

export function launcherContract(name: string, subject: LauncherUnderTest): void {
  /** What ended a trial: by the launcher's word, or by the result that its process could still write. */
  const reasonOf = (store: SweepStore, { id }: StoredTrial, ending: Ending) => {
    const found = store.readTrial(id, NUMERIC_VERSION);
    return found.state === 'failed' && found.record.status === 'failed'
      ? found.record.reason
      : ending.limit === 'time'
        ? 'time-limit'
        : ending.limit === 'memory'
          ? 'out-of-memory'
          : undefined;
  };
  const prepare = (trial: StoredTrial) => {
    const store = new SweepStore(temporaryFolder());
    store.writeJob({
      schema: 1,
      id: trial.id,
      numericVersion: NUMERIC_VERSION,
      config: trial.config,
      data: 'fake',
    });
    return store;
  };

  describe(`launcher contract: ${name}`, () => {
    it('runs a trial to a result in the store, with progress on the way', async () => {
      // It waits until its progress was seen, however long that takes.
      const trial = fakeTrial({ mishap: Mishap.waits });
      const store = prepare(trial);
      const seen: TrainingProgress[] = [];
      const [running] = subject.make().start(store.path, [{ id: trial.id }], (id, progress) => {
        expect(id).toBe(trial.id);
        seen.push(progress);
        letGo(store, trial);
      });
      expect(await running!.ended).toMatchObject({
        code: TrialExit.recorded,
        signal: null,
      });
      const found = store.readTrial(trial.id, NUMERIC_VERSION);
      expect(found.state).toBe('done');
      // Ranks come before the result, so whoever sees a result may read them.
      if (found.state === 'done' && found.record.status === 'done')
        expect(store.readRanks(found.record).test.users).toHaveLength(10);
      expect(seen.length).toBeGreaterThan(0);
      expect(seen[0]).toMatchObject({ epochs: 2, stepsPerEpoch: 4 });
    });

    it('stops with a checkpoint when asked, and goes on from it to the same result', async () => {
      const trial = fakeTrial({ mishap: Mishap.waits });
      const store = prepare(trial);
      const first = subject.make().start(store.path, [{ id: trial.id }], () => first[0]!.stop('checkpoint'));
      expect((await first[0]!.ended).code).toBe(TrialExit.interrupted);
      expect(store.readTrial(trial.id, NUMERIC_VERSION).state).toBe('absent');
      letGo(store, trial);
      const second = subject.make().start(store.path, [{ id: trial.id }], () => {});
      await second[0]!.ended;
      const undisturbed = prepare(trial);
      letGo(undisturbed, trial);
      await subject.make().start(undisturbed.path, [{ id: trial.id }], () => {})[0]!.ended;
      const metrics = (s: SweepStore) => {
        const found = s.readTrial(trial.id, NUMERIC_VERSION);
        return found.state === 'done' && found.record.status === 'done' ? found.record.result.test : found;
      };
      expect(metrics(store)).toEqual(metrics(undisturbed));
    });

    it('ends a trial at once when told so', async () => {
      const trial = fakeTrial({ mishap: Mishap.hang });
      const store = prepare(trial);
      const running = subject.make().start(store.path, [{ id: trial.id }], () => running[0]!.stop('now'));
      const ending = await running[0]!.ended;
      expect(ending.code === TrialExit.recorded).toBe(false);
      expect(store.readTrial(trial.id, NUMERIC_VERSION).state).toBe('absent');
    });

    it('has a trial trained by one process only, however often it is started', async () => {
      const trial = fakeTrial({ epochs: 5, stepSeconds: 0.02 });
      const store = prepare(trial);
      const launcher = subject.make();
      const running = launcher.start(store.path, [{ id: trial.id }, { id: trial.id }], () => {});
      const codes = (await Promise.all(running.map(({ ended }) => ended))).map(({ code }) => code);
      for (const code of codes) expect([TrialExit.recorded, TrialExit.held]).toContain(code);
      expect(store.readTrial(trial.id, NUMERIC_VERSION).state).toBe('done');
      // Printed by whoever trains.
      expect(readFileSync(store.logFile(trial.id), 'utf8').match(/training/g)).toHaveLength(1);
    });

    it('stops a trial past its time limit and says so', async () => {
      const trial = fakeTrial({ epochs: 1000, stepSeconds: 0.05 });
      const store = prepare(trial);
      const [running] = subject.make({ time: 1 }).start(store.path, [{ id: trial.id }], () => {});
      expect(reasonOf(store, trial, await running!.ended)).toBe('time-limit');
    });

    it.skipIf(process.platform !== 'linux')('stops a trial past its memory limit and says so', async () => {
      const trial = fakeTrial({ mishap: Mishap.memory });
      const store = prepare(trial);
      const [running] = subject
        .make({ memory: 200 * 2 ** 20 })
        .start(store.path, [{ id: trial.id }], () => {});
      const ending = await running!.ended;
      expect(reasonOf(store, trial, ending)).toBe('out-of-memory');
      if (ending.peakMemory !== undefined) expect(ending.peakMemory).toBeGreaterThan(200 * 2 ** 20);
    });

    it('keeps what a trial prints in its log', async () => {
      const trial = fakeTrial({ mishap: Mishap.error });
      const store = prepare(trial);
      await subject.make().start(store.path, [{ id: trial.id }], () => {})[0]!.ended;
      expect(readFileSync(store.logFile(trial.id), 'utf8')).toContain('the fake training broke');
    });
  });
}
