/** Samples of users, and evaluations within epochs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { sampleRows } from '../../../src/data/sample.js';
import { sliceSequences } from '../../../src/data/slice.js';
import { leaveOneOut } from '../../../src/data/split.js';
import { popularityBaseline } from '../../../src/train/evaluation/baseline.js';
import { evaluationSet } from '../../../src/train/evaluation/evaluation-set.js';
import { RANKS_FILE, readRanks } from '../../../src/train/evaluation/ranks.js';
import { TrainingInterrupted } from '../../../src/train/hooks.js';
import type { TrainingResult } from '../../../src/train/result.js';
import { trainModel } from '../../../src/train/trainer.js';
import { ringWalks, smallConfig } from '../small.js';

const folder = mkdtempSync(join(tmpdir(), 'perflaw-sample-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a sample of users', () => {
  it('is rising, without repeats, the same every time, and holds every smaller one', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat({ max: 1e6 }), { maxLength: 200 }),
        fc.nat({ max: 250 }),
        (list, count) => {
          const users = Int32Array.from(list.sort((a, b) => a - b));
          const rows = [...sampleRows(users, count, 1)];
          expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
          expect(rows).toHaveLength(Math.min(count, users.length));
          const larger = new Set(sampleRows(users, count + 3, 1));
          expect(rows.every((row) => larger.has(row))).toBe(true);
          expect([...sampleRows(users, count, 1)]).toEqual(rows);
        },
      ),
    );
  });

  it('has nothing to do with the slices, nor with a sample of another salt', () => {
    const users = Int32Array.from({ length: 20_000 }, (_, u) => u);
    const one = {
      users,
      offsets: Int32Array.from({ length: 20_001 }, (_, u) => u),
      items: users,
      timestamps: null,
    };
    const sliced = new Set(sliceSequences(one, { users: 0.25 }).users);
    const [first, second] = [sampleRows(users, 4000, 1), sampleRows(users, 4000, 2)];
    const share = (rows: Int32Array, set: Set<number>) =>
      rows.filter((row) => set.has(row)).length / rows.length;
    expect(share(first, sliced)).toBeGreaterThan(0.23);
    expect(share(first, sliced)).toBeLessThan(0.27);
    expect(share(second, new Set(first))).toBeGreaterThan(0.18);
    expect(share(second, new Set(first))).toBeLessThan(0.22);
  });

  it('is what validation and test rank, with the ranks that all users would show', async () => {
    const data = ringWalks();
    const config = smallConfig(data, { epochs: 1 });
    const train = async (name: string, evaluation: Partial<typeof config.evaluation>) => {
      const path = join(folder, name);
      const own = { ...config, evaluation: { ...config.evaluation, ...evaluation } };
      const result = await trainModel(own, data, { ranksPath: path });
      return { result, ranks: readRanks(path, result.ranks!.sha256, data.hash), evaluation: own.evaluation };
    };
    const all = await train('all', {});
    const some = await train('some', { users: 25 });
    const wide = await train('wide', { users: 25, testUsers: 'all' });
    const other = await train('other', { users: 25, testUsers: 30 });
    expect(some.ranks.test.users).toEqual(some.ranks.validation.users);
    expect([some, wide, other].map(({ ranks }) => ranks.test.users.length)).toEqual([25, 60, 30]);
    expect(other.ranks.test.users).not.toEqual(some.ranks.test.users);
    expect(other.ranks.validation).toEqual(some.ranks.validation);
    expect(wide.ranks.test).toEqual(all.ranks.test);
    some.ranks.test.users.forEach((user, i) => {
      expect(some.ranks.test.masked[i]).toBe(all.ranks.test.masked[user]);
      expect(some.ranks.test.losses[i]).toBe(all.ranks.test.losses[user]);
    });
    const { masked } = some.ranks.test;
    expect(some.result.test.masked['hr@10']).toBe(masked.filter((rank) => rank <= 10).length / 25);
    // The baseline is that of the same users.
    const popularity = popularityBaseline(data, config.slice, some.evaluation);
    const set = evaluationSet(data, leaveOneOut(data), 'test', some.evaluation);
    expect(set.users).toEqual(some.ranks.test.users);
    expect(popularity.test.masked['hr@1']! * 25).toBeCloseTo(
      Math.round(popularity.test.masked['hr@1']! * 25),
      9,
    );
  });
});

/** All that may not depend on how often a training was stopped. */
function numbers({ seconds: _s, tokensPerSecond: _t, peakMemoryBytes: _p, curve, ...rest }: TrainingResult) {
  return { ...rest, curve: curve.map(({ seconds: _cs, tokensPerSecond: _ct, ...record }) => record) };
}

describe('evaluation within epochs', () => {
  it('comes every so many steps, and changes nothing of what is trained', async () => {
    const data = ringWalks();
    const plain = await trainModel(smallConfig(data, { epochs: 2 }), data);
    const often = await trainModel(smallConfig(data, { epochs: 2, evaluateSteps: 4 }), data);
    expect(often.curve.map(({ loss }) => loss)).toEqual(plain.curve.map(({ loss }) => loss));
    expect(often.curve.map(({ validation }) => validation)).toEqual(
      plain.curve.map(({ validation }) => validation),
    );
    const [first, second] = often.curve;
    const steps = [...first!.within!, ...second!.within!].map(({ step }) => step);
    expect(steps).toEqual(
      [...steps.keys()].map((i) => 4 * (i + 1 + Number(4 * (i + 1) >= first!.step && first!.step % 4 === 0))),
    );
    const values = often.curve.flatMap(({ within = [], step, validation }) => [
      ...within.map((one) => [one.step, one.validation.masked['ndcg@10']!] as const),
      [step, validation!.masked['ndcg@10']!] as const,
    ]);
    const best = values.reduce((a, b) => (b[1] > a[1] ? b : a));
    expect([often.bestStep, often.validation.masked['ndcg@10']]).toEqual([...best]);
  });

  it('ends a training within an epoch when patience is over', async () => {
    const data = ringWalks();
    const config = smallConfig(data, { epochs: 30, patience: 3, evaluateSteps: 3, learningRate: 2e-2 });
    const result = await trainModel(config, data);
    expect(result.stopped).toBe('patience');
    const last = result.curve.at(-1)!;
    expect(last.epoch).toBe(result.epochsRun);
    expect(last.validation).toBeDefined();
    expect(result.bestStep!).toBeLessThan(last.step);
  });

  it.each([1, 3, 7])('stopped every %i steps and resumed, it ends with the same bits', async (every) => {
    const data = ringWalks(40, 15);
    const config = smallConfig(data, { epochs: 4, patience: 3, evaluateSteps: 3, learningRate: 2e-2 });
    const whole = await trainModel(config, data, { ranksPath: join(folder, `whole-${every}`) });
    const path = mkdtempSync(join(folder, 'resume-'));
    for (let attempt = 0; ; attempt++) {
      expect(attempt).toBeLessThan(300);
      const stop = new AbortController();
      let steps = 0;
      try {
        const resumed = await trainModel(config, data, {
          checkpointDir: path,
          ranksPath: join(path, RANKS_FILE),
          signal: stop.signal,
          onProgress: () => {
            if (++steps > every) stop.abort();
          },
        });
        expect(numbers(resumed)).toEqual(numbers(whole));
        break;
      } catch (error) {
        if (!(error instanceof TrainingInterrupted)) throw error;
      }
    }
  });
});
