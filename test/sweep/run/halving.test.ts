import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fakeLauncher,
  fakeRecord,
  fakeTrial,
  NUMERIC_VERSION,
  temporaryFolder,
} from '../../../src/contract/fake.js';
import type { Halving } from '../../../src/sweep/file/schema.js';
import { type Contender, standings } from '../../../src/sweep/run/halving.js';
import { type RunOptions, runSweep } from '../../../src/sweep/run/run.js';
import { type DoneRecord, isHalved } from '../../../src/sweep/store/record.js';
import { SweepStore } from '../../../src/sweep/store/store.js';
import { trialId } from '../../../src/train/identity.js';

/** A trial whose validation value rises by `gain` an epoch, trained to `epochs`. */
function record(seed: number, gain: number, epochs: number, whole: boolean): DoneRecord {
  const done = fakeRecord(fakeTrial({ seed }));
  const ranking = (value: number) => ({
    masked: { 'ndcg@10': value },
    unmasked: { 'ndcg@10': value },
  });
  done.result.curve = Array.from({ length: epochs }, (_, i) => ({
    epoch: i + 1,
    step: i + 1,
    loss: 1,
    validation: ranking(gain * (i + 1)),
    seconds: 1,
    tokensPerSecond: 1,
  }));
  done.result.epochsRun = epochs;
  done.result.stopped = whole ? 'epochs' : 'halving';
  return done;
}

/** Does what it is told until nobody has anything left to do; returns the epochs that each trial was trained for. */
function play(gains: number[], halving: Halving, epochs: number): number[] {
  const contenders: Contender[] = gains.map((_, i) => ({
    id: `t${String(i).padStart(2, '0')}`,
    slice: { users: i % 2 ? 1 : 0.5 },
    record: undefined,
  }));
  for (let round = 0; round < 100; round++) {
    const found = standings(contenders, halving);
    let moved = false;
    contenders.forEach((contender, i) => {
      const standing = found.get(contender.id)!;
      const known = contender.record as DoneRecord | undefined;
      if (standing.next !== 'train' || (known && !isHalved(known))) return;
      const to = Math.min(epochs, standing.untilEpoch ?? epochs);
      contender.record = record(i, gains[i]!, to, to === epochs);
      moved = true;
    });
    if (!moved) break;
  }
  return contenders.map(({ record: known }) => (known as DoneRecord).result.epochsRun);
}

describe('successive halving', () => {
  it('sends the best of every eta on at each rung, slice by slice', () => {
    // Slice 0.5 has the gains 9, 7, 5, 3, 1, slice 1 the gains 8, 6, 4, 2.
    expect(play([9, 8, 7, 6, 5, 4, 3, 2, 1], { rungs: [2, 4], eta: 2 }, 10)).toEqual([
      10, 10, 10, 4, 4, 2, 2, 2, 2,
    ]);
  });

  it('always ends, trains the best of each slice to the end, and never a worse one further', () => {
    const gains = fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 2, maxLength: 20 });
    const rungs = fc
      .uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 })
      .map((given) => given.sort((a, b) => a - b));
    fc.assert(
      fc.property(gains, rungs, fc.double({ min: 1.1, max: 5, noNaN: true }), (values, steps, eta) => {
        const trained = play(values, { rungs: steps, eta }, 10);
        for (const parity of [0, 1]) {
          const slice = values.map((gain, i) => ({ gain, i, epochs: trained[i]! }));
          const ranked = slice.filter(({ i }) => i % 2 === parity).sort((a, b) => b.gain - a.gain);
          expect(ranked[0]!.epochs).toBe(10);
          for (let i = 1; i < ranked.length; i++)
            expect(ranked[i]!.epochs).toBeLessThanOrEqual(ranked[i - 1]!.epochs);
        }
      }),
    );
  });

  it('does not wait for trials that failed or never run', () => {
    const contenders: Contender[] = [
      { id: 'a', slice: { users: 1 }, record: record(0, 5, 2, false) },
      { id: 'b', slice: { users: 1 }, record: 'out' },
      { id: 'c', slice: { users: 1 }, record: record(1, 4, 2, false) },
    ];
    const found = standings(contenders, { rungs: [2], eta: 2 });
    expect([...found]).toEqual([
      ['b', { next: 'drop', rung: 2 }],
      ['a', { next: 'train' }],
      ['c', { next: 'train' }],
    ]);
  });
});

describe('successive halving of tuned settings', () => {
  const sides = { users: 1 };
  const member = (id: string, race: string, setting: string, gain: number, to = 2): Contender => ({
    id,
    slice: sides,
    race,
    setting,
    record: record(1, gain, to, false),
  });

  it('keeps the best settings of every configuration, however poor the configuration is', () => {
    const found = standings(
      [
        member('a', 'small', 'lr 1', 1),
        member('b', 'small', 'lr 2', 2),
        member('c', 'large', 'lr 1', 30),
        member('d', 'large', 'lr 2', 20),
      ],
      { rungs: [2], eta: 2 },
    );
    expect([...found].filter(([, { next }]) => next === 'train').map(([id]) => id)).toEqual(['b', 'c']);
  });

  it('compares means over seeds, and keeps or drops the seeds of a setting together', () => {
    const one = (id: string, setting: string, gain: number) => member(id, 'x', setting, gain);
    // the best run is of the setting with the worse mean
    const contenders = [one('a', 'lr 1', 10), one('b', 'lr 1', 1), one('c', 'lr 2', 6), one('d', 'lr 2', 7)];
    const next = (list: Contender[]) =>
      Object.fromEntries(
        [...standings(list, { rungs: [2], eta: 2 })].map(([id, { next: what }]) => [id, what]),
      );
    expect(next(contenders)).toEqual({ a: 'drop', b: 'drop', c: 'train', d: 'train' });
    // nothing is decided before every seed has come to the rung
    const early = contenders.map((contender) =>
      contender.id === 'd' ? { ...contender, record: undefined } : contender,
    );
    expect(next(early)).toEqual({ a: 'wait', b: 'wait', c: 'wait', d: 'train' });
    // a seed that failed leaves its setting to the others
    const failed = contenders.map((contender) =>
      contender.id === 'd' ? { ...contender, record: 'out' as const } : contender,
    );
    expect(next(failed)).toEqual({ a: 'drop', b: 'drop', c: 'train', d: 'drop' });
  });
});

describe('a run with successive halving', () => {
  const OPTIONS: RunOptions = { numericVersion: NUMERIC_VERSION, data: 'fake', pollMs: 50 };
  const halving: Halving = { rungs: [2, 4], eta: 2 };
  const trials = [8, 16, 32, 64].map((dim) => fakeTrial({ dim, epochs: 6 }));
  const run = (store: SweepStore, options: Partial<RunOptions> = {}) =>
    runSweep(store, trials, fakeLauncher(2), { ...OPTIONS, ...options });
  const epochsOf = (store: SweepStore) =>
    trials.map(({ id }) => {
      const found = store.readTrial(id, NUMERIC_VERSION);
      return found.state === 'done' && found.record.status === 'done'
        ? found.record.result.epochsRun
        : found.state;
    });
  const resultOf = (store: SweepStore, i: number) => {
    const found = store.readTrial(trials[i]!.id, NUMERIC_VERSION);
    return found.state === 'done' && found.record.status === 'done' ? found.record.result.test : found.state;
  };

  it('tunes: of every size the best settings are trained to their end', { timeout: 120_000 }, async () => {
    const tuned = [8, 64].flatMap((dim) =>
      [0, 0.1, 0.2].map((dropout) => {
        const trial = fakeTrial({ dim, epochs: 4 });
        const config = { ...trial.config, model: { ...trial.config.model, dropout } };
        return { ...trial, config, id: trialId(config, NUMERIC_VERSION) };
      }),
    );
    const store = new SweepStore(temporaryFolder());
    const summary = await runSweep(store, tuned, fakeLauncher(2), {
      ...OPTIONS,
      halving: { rungs: [2], eta: 3 },
      tuned: ['dropout'],
    });
    expect(summary).toMatchObject({ done: 6, halved: 4, open: 0 });
    const whole = tuned.filter(({ id }) => {
      const found = store.readTrial(id, NUMERIC_VERSION);
      return found.state === 'done' && !isHalved(found.record);
    });
    expect(whole.map(({ config }) => config.model.dim)).toEqual([8, 64]);
  });

  it('trains the best to their end, marks the others, and trains these on when it is asked no more', {
    timeout: 120_000,
  }, async () => {
    const whole = new SweepStore(temporaryFolder());
    await run(whole);
    const store = new SweepStore(temporaryFolder());
    expect(await run(store, { halving })).toMatchObject({ done: 4, halved: 3, kept: 0, open: 0 });
    expect(epochsOf(store)).toEqual([2, 2, 4, 6]);
    expect(resultOf(store, 3)).toEqual(resultOf(whole, 3));
    expect(existsSync(join(store.folder(trials[3]!.id), 'rungs'))).toBe(false);
    // Again: everything is kept.
    expect(await run(store, { halving })).toMatchObject({ done: 4, halved: 3, kept: 4 });
    // A milder rule: one more goes on, from where it stopped.
    expect(await run(store, { halving: { rungs: [2, 4], eta: 1.5 } })).toMatchObject({ done: 4, halved: 2 });
    expect(epochsOf(store)).toEqual([2, 4, 6, 6]);
    // No halving: all are trained on, to what they would have been.
    expect(await run(store)).toMatchObject({ done: 4, halved: 0 });
    for (const i of trials.keys()) expect(resultOf(store, i), String(i)).toEqual(resultOf(whole, i));
  });

  it('by two runs at once comes to the same answer', { timeout: 120_000 }, async () => {
    const store = new SweepStore(temporaryFolder());
    const [a, b] = await Promise.all([run(store, { halving }), run(store, { halving })]);
    expect([a.done, a.halved, b.done, b.halved]).toEqual([4, 3, 4, 3]);
    expect(epochsOf(store)).toEqual([2, 2, 4, 6]);
  });
});
