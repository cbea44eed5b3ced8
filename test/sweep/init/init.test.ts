/** Files that `init` drafts for five very different data sets: valid, within their budget, and sensible to a reader. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { importFile } from '../../../src/data/import/import.js';
import { storeDataset } from '../../../src/data/import/stored.js';
import type { Interactions } from '../../../src/data/interactions.js';
import { draftSweep, type Wishes } from '../../../src/sweep/init/init.js';
import { ASSUMED, evaluatedOf, secondsAt } from '../../../src/sweep/run/pace/pace.js';
import { wallSeconds } from '../../../src/sweep/run/share-cores.js';
import { type PreparedSweep, prepareSweep } from '../../../src/sweep/run/start.js';
import { UserError } from '../../../src/util/errors.js';
import { generated, wideCatalogue } from './inputs.js';

// what is measured on a busy machine would refuse what an idle one takes
vi.mock('../../../src/sweep/run/pace/probe.js', () => ({ probe: async () => undefined }));

const ML100K = new URL('../../../../shared/data/ml-100k/u.data', import.meta.url).pathname;
const present = existsSync(ML100K);
if (!present) console.log('Skipped: init on MovieLens 100K, no u.data beside the project.');

/** As fast as is assumed: what is measured on a busy machine would make another file. */
const paceOf = async () => ASSUMED;
const MACHINE = { cores: 2, memory: 8 * 2 ** 30, paceOf };
let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'perflaw-init-'));
  vi.stubEnv('PERFLAW_HOME', home);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

const draftOf = (data: Interactions, wishes: Wishes, machine = MACHINE) =>
  draftSweep(data, { name: data.name, data: data.name, madeBy: 'm', run: 'r' }, wishes, machine);

/** A draft written to a file, and that file as the sweep command reads and plans it. */
async function prepared(data: Interactions, wishes: Wishes, machine = MACHINE) {
  const { name } = data;
  const draft = await draftOf(data, wishes, machine);
  storeDataset(join(home, 'datasets'), { interactions: data }, name, {}, false);
  const file = join(home, `${name}.yaml`);
  writeFileSync(file, draft.text);
  return { draft, ...(await prepareSweep(file)) };
}

/** What `--dry-run` says it takes at most. */
function dryRunHours({ plan, stored }: PreparedSweep, workers: number): number {
  const evaluated = evaluatedOf(stored);
  return (
    wallSeconds(
      plan.trials
        .map((trial) => ({ work: secondsAt(ASSUMED, trial, evaluated), most: 1 }))
        .sort((a, b) => b.work - a.work),
      workers,
      workers,
    ) / 3600
  );
}

const WIDE = wideCatalogue('wide', 500_000, 20_000, 12);
const wide = () => WIDE;
const INPUTS: [name: string, make: () => Promise<Interactions> | Interactions, wishes: Wishes][] = [
  ...(present
    ? ([
        ['ml-100k', async () => (await importFile(ML100K, { name: 'ml-100k' })).interactions, { hours: 4 }],
      ] as [string, () => Promise<Interactions>, Wishes][])
    : []),
  [
    'sessions',
    () => generated('sessions', { users: 3000, items: 800, meanLength: 25, repeats: 0.6, markov: 0.4 }),
    { hours: 2 },
  ],
  ['few', () => generated('few', { users: 200, items: 150, meanLength: 25 }), { hours: 0.5, params: 1e6 }],
  ['wide', wide, { hours: 8, params: 50e6 }],
  ['long', () => generated('long', { users: 300, items: 2000, meanLength: 1500 }), { hours: 4 }],
];

describe.each(INPUTS)('init on %s', (name, make, wishes) => {
  let made: Awaited<ReturnType<typeof prepared>>;
  beforeAll(async () => {
    made = await prepared(await make(), wishes);
  });

  it('is valid, and its plan holds the hours, the parameters and the memory', () => {
    const { draft, plan, sweep } = made;
    expect(plan.trials).toHaveLength(draft.trials);
    const hours = dryRunHours(made, draft.workers);
    expect(hours).toBeLessThanOrEqual(wishes.hours!);
    expect(3600 * hours).toBeCloseTo(draft.seconds, 6);
    for (const { parameters, memory } of plan.trials) {
      expect(parameters).toBeLessThanOrEqual(wishes.params ?? sweep.goal!.params!);
      expect(draft.workers * memory).toBeLessThanOrEqual(MACHINE.memory);
    }
  });

  it('varies what a law needs, and asks for what was wished', () => {
    const { sweep } = made;
    expect(sweep.grid['layers']!.length).toBeGreaterThanOrEqual(3);
    expect(sweep.grid['dim']!.length).toBeGreaterThanOrEqual(3);
    expect(sweep.slices.length).toBeGreaterThanOrEqual(2);
    expect(sweep.goal).toMatchObject({ hours: wishes.hours, metric: sweep.evaluation.select });
    if (wishes.params) expect(sweep.goal!.params).toBe(wishes.params);
    expect(sweep.data).toBe(name);
  });

  it('gives every choice its reason in the line above', () => {
    const lines = made.draft.text.split('\n');
    // A section's own line, the items of a list and what follows from the line above need none.
    const free =
      /^(name|data|model|training|grid|tune|evaluation|goal|slices):|^\s*- |^ {2}(metric|name|learningRate):/;
    const bare = lines.filter(
      (line, i) => line !== '' && !/^\s*#/.test(line) && !free.test(line) && !/^\s*#/.test(lines[i - 1]!),
    );
    expect(bare).toEqual([]);
    expect(made.draft.text).not.toMatch(/NaN|undefined|Infinity|null/);
    for (const line of lines) expect(line.length).toBeLessThan(200);
  });
});

describe('what init chooses', () => {
  const drafted = async (data: Interactions, wishes: Wishes = { hours: 2 }, machine = MACHINE) =>
    (await prepared(data, wishes, machine)).sweep;

  it.skipIf(!present)(
    'on MovieLens 100K: sizes around the known best, all items, seen ones left out',
    async () => {
      const sweep = await drafted((await importFile(ML100K, { name: 'ml-100k' })).interactions);
      expect(Math.min(...(sweep.grid['dim'] as number[]))).toBeLessThan(32);
      expect(Math.max(...(sweep.grid['dim'] as number[]))).toBeGreaterThan(32);
      expect(sweep.evaluation.history).toBe('masked');
      expect(sweep.training.negatives).toBeUndefined();
      expect(sweep.model.maxLength).toBe(310); // 95 % of the training histories are 308 or shorter
      expect(sweep.slices.at(-1)).toEqual({ users: 1 });
    },
  );

  it('where people come back: seen items stay among the candidates', async () => {
    const log = generated('sessions', { users: 500, items: 800, meanLength: 25, repeats: 0.6, markov: 0.4 });
    expect((await drafted(log)).evaluation.history).toBe('unmasked');
  });

  it('for few users: small models, a wide tolerance, repeats', async () => {
    const { sweep, plan } = await prepared(generated('few', { users: 200, items: 150, meanLength: 25 }), {});
    expect(Math.max(...(sweep.grid['dim'] as number[]))).toBeLessThanOrEqual(48);
    expect(sweep.goal!.tolerance).toBe(0.007);
    expect(sweep.seeds.length).toBeGreaterThan(1);
    // repeats only where it is decided what to train
    expect(sweep.slices.length).toBeGreaterThan(1);
    const seedsOn = (isLargest: boolean) =>
      new Set(
        plan.trials
          .filter(({ config }) => (config.slice.users === 1) === isLargest)
          .map(({ config }) => config.seed),
      );
    expect([...seedsOn(true)].sort()).toEqual(sweep.seeds);
    expect([...seedsOn(false)]).toEqual([0]);
  });

  it('for many items: a sampled loss, large steps, some of the users, within the memory there is', async () => {
    const sweep = await drafted(wide(), { hours: 8, params: 50e6 });
    expect(sweep.training.negatives).toBe(2000);
    expect(sweep.training.rows * sweep.model.maxLength).toBeGreaterThan(5000);
    expect(sweep.evaluation.users).toBe(1000);
    const little = await prepared(
      wide(),
      { hours: 8, params: 50e6 },
      { cores: 4, memory: 3 * 2 ** 30, paceOf },
    );
    expect(little.draft.workers).toBeLessThan(4);
    expect(little.sweep.workers).toBe(little.draft.workers);
    for (const { memory } of little.plan.trials)
      expect(little.draft.workers * memory).toBeLessThan(3 * 2 ** 30);
  });

  it('for histories of thousands: windows, and slices by time where a share of the users would be few', async () => {
    const sweep = await drafted(generated('long', { users: 300, items: 2000, meanLength: 1500 }), {
      hours: 4,
    });
    expect(sweep.model.maxLength).toBe(500);
    expect(sweep.slices[0]).toMatchObject({ users: 1, time: expect.any(Number) });
  });

  it('more hours: more data, larger models or more runs, never less', async () => {
    const data = generated('hours', { users: 1000, items: 400, meanLength: 30 });
    const trials: number[] = [];
    const largest: number[] = [];
    for (const hours of [0.05, 0.5, 5]) {
      const { plan } = await prepared(data, { hours });
      trials.push(plan.trials.length);
      largest.push(Math.max(...plan.trials.map(({ flops }) => flops)));
    }
    expect(trials).toEqual([...trials].sort((a, b) => a - b));
    expect(largest).toEqual([...largest].sort((a, b) => a - b));
  });

  it('on ten items: cut-offs that say something', async () => {
    const sweep = await drafted(generated('ten', { users: 300, items: 10, meanLength: 8 }));
    expect(sweep.evaluation).toMatchObject({ ks: [5], select: 'ndcg@5' });
  });

  it('the metric that is asked for', async () => {
    const data = generated('metric', { users: 300, items: 100, meanLength: 10 });
    const { evaluation, goal } = await drafted(data, { metric: 'hr@50' });
    expect(evaluation).toMatchObject({ select: 'hr@50', ks: [5, 10, 20, 50] });
    expect(goal!.metric).toBe('hr@50');
  });
});

describe('init refuses', () => {
  const refusal = async (data: Interactions, wishes: Wishes, machine = MACHINE) => {
    const error: unknown = await prepared(data, wishes, machine).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ exitCode: 2, remedy: expect.any(String) });
    return error as UserError;
  };

  it('fewer parameters than the item table takes, and the number it names is enough', async () => {
    const { message, remedy, place } = await refusal(wide(), { hours: 8, params: 50_000 });
    expect(place).toBe('--params');
    expect(message).toContain('of which the table of 500,000 items takes 2.00M');
    expect(remedy).toContain('--params 2.1');
    const { draft } = await prepared(wide(), { hours: 8, params: 2.11e6 });
    expect(draft.trials).toBeGreaterThan(0);
  });

  it('an hour for what takes ten, and the hours it names are enough', async () => {
    const data = generated('long', { users: 1000, items: 2000, meanLength: 300 });
    const { message, remedy, place } = await refusal(data, { hours: 0.002 });
    expect(place).toBe('--hours');
    expect(message).toMatch(
      /^0\.002 hours are too few: the smallest sweep worth running on this data takes [\d.]+ hours/,
    );
    const hours = Number(/--hours ([\d.]+)/.exec(remedy!)![1]);
    expect((await draftOf(data, { hours })).seconds).toBeLessThanOrEqual(3600 * hours);
  });

  it('a cut-off beyond the items, histories with nothing to train on, and too little memory', async () => {
    const data = generated('small', { users: 300, items: 100, meanLength: 10 });
    expect((await refusal(data, { metric: 'hr@200' })).message).toContain('cut-off 200 is not below');
    const short = wideCatalogue('short', 50, 300, 3);
    expect((await refusal(short, {})).message).toContain('no history');
    const memory = await refusal(wide(), { hours: 8 }, { cores: 2, memory: 2 ** 28, paceOf });
    expect(memory.message).toContain('memory');
  });
});
