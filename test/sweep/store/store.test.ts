import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fakeRecord, fakeTrial, NUMERIC_VERSION, temporaryFolder } from '../../../src/contract/fake.js';
import { readSweepObservations } from '../../../src/sweep/results/observations.js';
import type { StoredPlan, StoredTrial } from '../../../src/sweep/store/layout.js';
import { findSweep, listSweeps, rememberSweep } from '../../../src/sweep/store/locate.js';
import { SweepStore } from '../../../src/sweep/store/store.js';
import { DEFAULT_EVALUATION } from '../../../src/train/config.js';
import { UserError } from '../../../src/util/errors.js';
import { createRandom } from '../../../src/util/random.js';
import { fillDisk, mountSmallDisk } from '../small-disk.js';

const WRITER = fileURLToPath(new URL('../programs/writer.mjs', import.meta.url));

function planOf(trials: StoredTrial[], name = 'tiny'): StoredPlan {
  return {
    schema: 1,
    name,
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

function useWorkspace(): string {
  const root = temporaryFolder();
  const before = process.env['PERFLAW_HOME'];
  process.env['PERFLAW_HOME'] = root;
  onTestFinished(() => {
    if (before === undefined) delete process.env['PERFLAW_HOME'];
    else process.env['PERFLAW_HOME'] = before;
  });
  return root;
}

describe('a store', () => {
  it('gives back the plan and the results it was given', () => {
    const store = new SweepStore(join(temporaryFolder(), 's'));
    const trials = [fakeTrial({ dim: 8 }), fakeTrial({ dim: 16 })];
    store.writePlan(planOf(trials));
    expect(store.readPlan()).toEqual(planOf(trials));
    const record = fakeRecord(trials[0]!);
    store.writeResult(record);
    expect(store.readTrial(record.id, NUMERIC_VERSION)).toEqual({ state: 'done', record });
    expect(store.readTrial(trials[1]!.id, NUMERIC_VERSION)).toEqual({ state: 'absent' });
    const bare = { ...record, result: { ...record.result, curve: [] } };
    expect(store.readTrial(record.id, NUMERIC_VERSION, { curve: false })).toEqual({
      state: 'done',
      record: bare,
    });
  });

  const record = fakeRecord(fakeTrial());
  const text = () => JSON.stringify(record);
  type Parts = { config?: object; result: { test?: { masked: object } }; status?: string };
  const without = (change: (r: Parts) => void) => {
    const copy = JSON.parse(text()) as Parts;
    change(copy);
    return JSON.stringify(copy);
  };
  it.each([
    ['cut off', () => text().slice(0, -40), /not valid JSON/],
    ['empty', () => '', /is empty/],
    ['full of zeros, as after a power cut', () => '\0'.repeat(400), /not valid JSON/],
    ['of another schema', () => without((r) => Object.assign(r, { schema: 99 })), /another version.*99/],
    [
      'of another trial',
      () => without((r) => Object.assign(r, { id: '0123456789' })),
      /belongs to trial "0123456789"/,
    ],
    [
      'with another configuration',
      () => without((r) => Object.assign(r.config!, { seed: 5 })),
      /does not match/,
    ],
    ['without a configuration', () => without((r) => delete r.config), /no configuration/],
    ['without a metric', () => without((r) => delete r.result.test), /result\.test\.masked/],
    [
      'with a word for a metric',
      () => without((r) => Object.assign(r.result.test!.masked, { 'hr@10': '<b>' })),
      /no metrics/,
    ],
    [
      'with a metric above one',
      () => without((r) => Object.assign(r.result.test!.masked, { 'hr@10': 7 })),
      /no metrics/,
    ],
    ['without a status', () => without((r) => delete r.status), /no status/],
    ['that is a list', () => '[]', /another version/],
    ['that is null', () => 'null', /not a record/],
  ])('takes no result that is %s', (_, damaged, reason) => {
    const store = new SweepStore(temporaryFolder());
    mkdirSync(store.folder(record.id), { recursive: true });
    writeFileSync(join(store.folder(record.id), 'result.json'), damaged());
    const found = store.readTrial(record.id, NUMERIC_VERSION);
    expect(found).toMatchObject({ state: 'damaged', reason: expect.stringMatching(reason) });
    store.setAside(record.id, 'damaged');
    expect(store.readTrial(record.id, NUMERIC_VERSION).state).toBe('absent');
    expect(existsSync(join(store.folder(record.id), 'result.damaged.json'))).toBe(true);
  });

  it('of another schema is refused, and left as it was', () => {
    const store = new SweepStore(temporaryFolder());
    const path = join(store.path, 'plan.json');
    writeFileSync(path, '{"schema": 2}');
    expect(() => store.readPlan()).toThrow(/another version of perflaw \(schema 2/);
    expect(() => store.writePlan(planOf([]))).toThrow(/another version/);
    expect(readFileSync(path, 'utf8')).toBe('{"schema": 2}');
  });

  it.each([
    ['a path for an id', (t: StoredTrial) => ({ ...t, id: '../../../etc' })],
    ['no configuration', (t: StoredTrial) => ({ ...t, config: undefined })],
    ['no numbers', (t: StoredTrial) => ({ ...t, flops: 'many' })],
    ['nothing', () => null],
  ])('takes no plan in which a trial has %s', (_, change) => {
    const store = new SweepStore(temporaryFolder());
    const plan = { ...planOf([]), trials: [change(fakeTrial())] };
    writeFileSync(join(store.path, 'plan.json'), JSON.stringify(plan));
    expect(() => store.readPlan()).toThrow(/this plan is damaged/);
  });

  it('does not run a job that is not its folder’s', () => {
    const store = new SweepStore(temporaryFolder());
    const [a, b] = [fakeTrial({ dim: 8 }), fakeTrial({ dim: 16 })];
    const job = { schema: 1 as const, numericVersion: NUMERIC_VERSION, data: 'fake' };
    store.writeJob({ ...job, id: a.id, config: b.config });
    expect(() => store.readJob(a.id)).toThrow(/not the one of its folder/);
  });

  it('leaves the old or the new result, never a part, when its writer is killed', {
    timeout: 60_000,
  }, async () => {
    const store = new SweepStore(join(temporaryFolder(), 's'));
    const recordFile = join(temporaryFolder(), 'record.json');
    writeFileSync(recordFile, text());
    const random = createRandom('writer kills');
    let written = 0;
    for (let kill = 0; kill < 8; kill++) {
      const child = spawn(process.execPath, [WRITER, store.path, recordFile], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const gone = new Promise((resolve) => child.on('exit', resolve));
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, 5 + random.uniform() * 60));
      child.kill('SIGKILL');
      await gone;
      const found = store.readTrial(record.id, NUMERIC_VERSION);
      expect(found.state).not.toBe('damaged');
      if (found.state === 'done') written++;
    }
    expect(written).toBeGreaterThan(0);
    store.cleanTrial(record.id, { checkpoint: false });
    expect(readdirSync(store.folder(record.id))).toEqual(['result.json']);
  });

  it('in an unwritable place says so', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const inFile = new SweepStore(join(folder, 'file', 's'));
    expect(() => inFile.writePlan(planOf([]))).toThrow(UserError);
    expect(() => inFile.writePlan(planOf([]))).toThrow(/part of the path is a file/);
  });

  const root = process.getuid?.() === 0;
  if (root) console.log('skipped: folder without write permission (root may write anywhere)');
  it.skipIf(root)('without permission says so', () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o500);
    expect(() => new SweepStore(join(folder, 't')).writePlan(planOf([]))).toThrow(/permission denied/);
  });

  const disk = mountSmallDisk(256);
  it.skipIf(!disk)('on a full disk says so and leaves what was there', () => {
    const store = new SweepStore(join(disk!, 's'));
    store.writeResult(record);
    fillDisk(disk!);
    expect(() => store.writeResult({ ...record, finishedAt: 'later' })).toThrow(/no space left/);
    expect(store.readTrial(record.id, NUMERIC_VERSION)).toEqual({ state: 'done', record });
    expect(readdirSync(store.folder(record.id))).toEqual(['result.json']);
  });
});

describe('observations of a sweep', () => {
  it('are the test metrics under their plain names, validation and the other history beside them', async () => {
    const root = useWorkspace();
    const trials = [
      fakeTrial({ dim: 8 }),
      fakeTrial({ dim: 16 }),
      fakeTrial({ dim: 32 }),
      fakeTrial({ dim: 64 }),
    ];
    const store = new SweepStore(join(root, 'reports', 'tiny'));
    store.writePlan(planOf(trials));
    const done = fakeRecord(trials[0]!);
    done.result.test = { masked: { 'hr@10': 0.3, 'ndcg@10': 0.2 }, unmasked: { 'hr@10': 0.2 } };
    done.result.validation = { masked: { 'hr@10': 0.4 }, unmasked: { 'hr@10': 0.1 } };
    store.writeResult(done);
    store.writeResult({
      ...fakeRecord(trials[1]!),
      status: 'failed',
      reason: 'killed',
      message: 'x',
    } as never);
    mkdirSync(store.folder(trials[2]!.id), { recursive: true });
    writeFileSync(join(store.folder(trials[2]!.id), 'result.json'), '{');
    const read = await readSweepObservations('tiny');
    expect(read).toMatchObject({ name: 'tiny', numItems: 300, failed: 1, planned: 4, belowPopularity: 1 });
    expect(read.damaged).toHaveLength(1);
    expect(read.models).toEqual([trials[0]!.config.model]);
    expect(read.observations).toHaveLength(1);
    expect(read.observations[0]).toMatchObject({
      slice: 'all',
      dim: 8,
      layers: 1,
      metrics: { 'hr@10': 0.3, 'validation:hr@10': 0.4, 'unmasked:hr@10': 0.2 },
      params: 1000,
      flops: 1e6,
      tokens: 1000,
      quality: { apen: 1.5, shannon: 5 },
      seed: 0,
      config: { model: 'mamba4rec', dState: 32 },
      source: trials[0]!.id,
    });
  });

  it('are found by folder, by name, or as the sweep that ran last', () => {
    const root = useWorkspace();
    expect(() => findSweep()).toThrow(/there is no sweep yet/);
    for (const name of ['alpha', 'beta'])
      new SweepStore(join(root, 'reports', name)).writePlan(planOf([], name));
    const elsewhere = join(temporaryFolder(), 'gamma');
    new SweepStore(elsewhere).writePlan(planOf([], 'gamma'));
    expect(listSweeps().sort()).toEqual(['alpha', 'beta']);
    expect(findSweep('alpha')).toBe(join(root, 'reports', 'alpha'));
    expect(findSweep(elsewhere)).toBe(elsewhere);
    rememberSweep(join(root, 'reports', 'alpha'));
    expect(findSweep()).toBe(join(root, 'reports', 'alpha'));
    rememberSweep(elsewhere);
    expect(findSweep()).toBe(elsewhere);
    try {
      findSweep('alhpa');
      expect.unreachable();
    } catch (error) {
      expect((error as UserError).remedy).toContain('`alpha`');
    }
  });
});

describe('the facts of a slice', () => {
  const slice = { users: 1 };
  it('are computed once by several that need them, again when damaged, and by the next when one fails', async () => {
    const store = new SweepStore(temporaryFolder());
    let computed = 0;
    const facts = (fail = false) =>
      store.sliceFacts('hash', { slice, evaluation: DEFAULT_EVALUATION }, 'v', async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        if (fail) throw new Error('not this time');
        return { made: ++computed };
      });
    await expect(facts(true)).rejects.toThrow('not this time');
    const [a, b, c] = await Promise.all([facts(), facts(), facts()]);
    expect([a, b, c]).toEqual([{ made: 1 }, { made: 1 }, { made: 1 }]);
    const [file] = readdirSync(join(store.path, 'slices')).filter((name) => name.endsWith('.json'));
    writeFileSync(join(store.path, 'slices', file!), '{"schema": 1, "fac');
    expect(await facts()).toEqual({ made: 2 });
    expect(await facts()).toEqual({ made: 2 });
  });
});
