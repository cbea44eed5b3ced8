/** Ranks that a sweep's trials kept, as the commands read them: compare, results --k, the noise that fit splits, any K fitted. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import * as compare from '../../src/commands/compare.js';
import * as fit from '../../src/commands/fit.js';
import * as results from '../../src/commands/results.js';
import * as train from '../../src/commands/train.js';
import type { RankComparison } from '../../src/sweep/results/compare-ranks.js';
import type { Row } from '../../src/sweep/results/index-row.js';
import { readRanks } from '../../src/train/evaluation/ranks.js';
import { CLI } from '../sweep/killing.js';
import { runCommand, useWorkspace } from './run.js';

const { folder } = useWorkspace();
const comparing = (...words: string[]) => runCommand(compare, 'compare <a> <b>', ['compare', ...words]);
const showing = (...words: string[]) => runCommand(results, 'results [runs]', ['results', 'tiny', ...words]);
const fitting = (...words: string[]) =>
  runCommand(fit, 'fit [runs]', ['fit', 'tiny', '--form', 'log-linear', '--bootstrap', '0', ...words]);
const training = (...words: string[]) => runCommand(train, 'train', ['train', ...words]);

const SWEEP = `name: tiny
data: {synthetic: {users: 60, items: 40, meanLength: 12}}
model: {dState: 2, maxLength: 10}
training: {epochs: 1, learningRate: 0.01}
seeds: [0, 1]
grid: {layers: [1, 2], dim: [4, 8]}
`;

let rows: Row[];
const trialFolder = (id: string) => join(folder(), 'reports', 'tiny', 'trials', id);
const recordOf = (id: string) => JSON.parse(readFileSync(join(trialFolder(id), 'result.json'), 'utf8'));
const idOf = (layers: number, dim: number, seed: number) =>
  String(rows.find((row) => row['layers'] === layers && row['dim'] === dim && row['seed'] === seed)!['id']);

beforeAll(async () => {
  writeFileSync(join(folder(), 'tiny.yaml'), SWEEP);
  const { status, stderr } = spawnSync(process.execPath, [CLI, 'sweep', 'tiny.yaml'], {
    cwd: folder(),
    env: { ...process.env, PERFLAW_HOME: folder() },
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  rows = JSON.parse((await showing('--json')).out);
}, 120_000);

describe('perflaw compare', () => {
  it('tells the difference of two trials over the same users, paired and unpaired, and by groups', async () => {
    const [a, b] = [idOf(2, 4, 0), idOf(2, 8, 0)];
    const { code, out } = await comparing(a, b, '--json');
    expect(code).toBe(0);
    const found = JSON.parse(out) as RankComparison;
    expect(found).toMatchObject({
      users: 60,
      part: 'test',
      history: 'masked',
      groups: { metric: 'ndcg@10' },
    });
    for (const [name, one] of Object.entries(found.metrics)) {
      const measured = (id: string) => {
        const { test } = recordOf(id).result;
        return name === 'loss' ? test.loss : test.masked[name];
      };
      expect(one.a).toBeCloseTo(measured(a), 12);
      expect(one.b).toBeCloseTo(measured(b), 12);
      expect(one.difference).toBeCloseTo(one.b - one.a, 12);
      expect(one.interval[0]).toBeLessThanOrEqual(one.difference);
      expect(one.interval[1]).toBeGreaterThanOrEqual(one.difference);
    }
    const errors = recordOf(a).result.standardErrors.test.masked;
    const others = recordOf(b).result.standardErrors.test.masked;
    expect(found.metrics['hr@10']!.unpaired.standardError).toBeCloseTo(
      Math.hypot(errors['hr@10'], others['hr@10']),
      12,
    );
    for (const groups of [found.groups.historyLength, found.groups.targetPopularity]) {
      expect(groups.length).toBeGreaterThan(1);
      expect(groups.reduce((sum, { users }) => sum + users, 0)).toBe(60);
      const mean = groups.reduce((sum, one) => sum + one.users * one.difference, 0) / 60;
      expect(mean).toBeCloseTo(found.metrics['ndcg@10']!.difference, 12);
    }
    const { out: text } = await comparing(a.slice(0, 8), trialFolder(b), '--k', '1,30', '--metric', 'hr@30');
    expect(text).toMatch(/ndcg@30/);
    expect(text).toMatch(/A {2}[0-9a-f]{10}: dim 4\nB {2}[0-9a-f]{10}: dim 8\n/);
    expect(text).toContain('hr@30 by items in the history');
  });

  it('takes several seeds of each, and tells what other seeds would change', async () => {
    const [a, b] = [4, 8].map((dim) => [0, 1].map((seed) => idOf(2, dim, seed)));
    const found = JSON.parse((await comparing(a!.join(), b!.join(), '--json')).out) as RankComparison;
    const value = (id: string) => recordOf(id).result.test.masked['ndcg@10'] as number;
    const mean = (ids: string[]) => (value(ids[0]!) + value(ids[1]!)) / 2;
    const one = found.metrics['ndcg@10']!;
    expect([found.a.seeds, found.b.seeds]).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(one.difference).toBeCloseTo(mean(b!) - mean(a!), 12);
    const half = (ids: string[]) => (value(ids[0]!) - value(ids[1]!)) ** 2 / 2;
    expect(one.overSeeds!.betweenSeeds).toBeCloseTo(Math.sqrt((half(a!) + half(b!)) / 2), 12);
    expect(one.overSeeds!.standardError).toBeGreaterThan(one.standardError);
    const { out } = await comparing(a!.join(), b![0]!);
    expect(out).toMatch(/A {2}\w+, \w+: dim 4, seeds 0, 1\nB {2}\w+: dim 8, seed 0\n/);
    expect(out).toContain('Over other users and other seeds:');
    await expect(comparing(`${a![0]},${b![0]}`, b![1]!)).rejects.toThrow(/differ in their seed alone/);
    await expect(comparing(a!.join(), a![1]!)).rejects.toThrow(/one configuration and seed/);
  });

  it('takes folders of train --out, and refuses other data, the same run twice, and runs without ranks', async () => {
    const out = join(folder(), 'alone');
    const settings = ['--dim', '4', '--d-state', '2', '--max-length', '10', '--epochs', '1'];
    const lines = ['userId,movieId,timestamp'];
    for (let u = 0; u < 45; u++)
      for (let i = 0; i < 8; i++) lines.push(`${u},film-${(u + i * 3) % 30},${1000 + i}`);
    writeFileSync(join(folder(), 'events.csv'), `${lines.join('\n')}\n`);
    for (const seed of ['1', '2'])
      await training(
        '--out',
        `${out}${seed}`,
        ...settings,
        '--seed',
        seed,
        '--data',
        join(folder(), 'events.csv'),
      );
    const { code, out: text } = await comparing(`${out}1`, `${out}2`);
    expect([code, text]).toEqual([
      0,
      expect.stringContaining('A  alone1: seed 1\nB  alone2: seed 2\ntest, 45 users'),
    ]);
    const other = [
      '--model',
      'tim4rec',
      '--head-dim',
      '4',
      '--seed',
      '1',
      '--data',
      join(folder(), 'events.csv'),
    ];
    await training('--out', `${out}3`, ...settings, ...other);
    expect((await comparing(`${out}1`, `${out}3`)).out).toMatch(
      /A {2}alone1: model mamba4rec, headDim -, time -\nB {2}alone3: model tim4rec, headDim 4, time causal\n/,
    );
    const id = idOf(1, 4, 0);
    await expect(comparing(id, `${out}1`)).rejects.toThrow(/evaluated on different data/);
    await expect(comparing(id, id)).rejects.toThrow(/one configuration and seed/);
    rmSync(join(`${out}2`, 'ranks.bin'));
    await expect(comparing(`${out}1`, `${out}2`)).rejects.toThrow(/ranks of this result are gone/);
    const result = JSON.parse(readFileSync(join(`${out}2`, 'result.json'), 'utf8'));
    delete result.result.ranks;
    writeFileSync(join(`${out}2`, 'result.json'), JSON.stringify(result));
    await expect(comparing(`${out}1`, `${out}2`)).rejects.toThrow(/no ranks were kept with this result/);
  });
});

describe('perflaw results --k', () => {
  it('shows every metric at other cut-offs with its standard error, as the ranks tell it', async () => {
    const other = JSON.parse((await showing('--k', '3,10', '--json')).out) as Row[];
    for (const row of other) {
      const { config, result } = recordOf(String(row['id']));
      const ranks = readRanks(
        join(trialFolder(String(row['id'])), 'ranks.bin'),
        result.ranks.sha256,
        config.data.hash,
      );
      const hits = ranks.test.masked.filter((rank) => rank <= 3).length;
      expect(row['hr@3']).toBe(hits / 60);
      expect(row['ndcg@10']).toBe(result.test.masked['ndcg@10']);
      expect(row['se:ndcg@10']).toBe(result.standardErrors.test.masked['ndcg@10']);
      expect(row).not.toHaveProperty('hr@5');
    }
    expect((await showing('--k', '3')).out).toMatch(/ndcg@3 .*hr@3[\s\S]*0\.\d+ ± 0\.\d+/);
    for (const wrong of ['0', '40', 'x', ''])
      await expect(showing(`--k=${wrong}`)).rejects.toThrow(/no list of cut-offs|needs a value/);
  });

  it('names results that kept none', async () => {
    const id = idOf(2, 8, 1);
    const path = join(trialFolder(id), 'result.json');
    const text = readFileSync(path, 'utf8');
    const record = JSON.parse(text);
    for (const name of ['ranks', 'standardErrors']) delete record.result[name];
    writeFileSync(path, JSON.stringify(record));
    const { code, out, err } = await showing('--k', '3', '--json');
    expect(code).toBe(0);
    expect(err).toContain(
      `1 result was written before ranks were kept and has only the cut-offs of the training: ${id}`,
    );
    const row = (JSON.parse(out) as Row[]).find((one) => one['id'] === id)!;
    expect(row['hr@10']).toBe(record.result.test.masked['hr@10']);
    expect(row).not.toHaveProperty('hr@3');
    writeFileSync(path, text);
  });
});

describe('perflaw fit on a sweep with ranks', () => {
  it('splits the noise of a run into seeds and users, in text and JSON', async () => {
    const [slice] = JSON.parse((await fitting('--json')).out).slices;
    const { noise } = slice;
    expect(noise.split).toMatchObject({ configurations: 4, runs: 8, users: 60 });
    // Two seeds each: the variance between them is half the squared difference.
    const differences = [1, 2].flatMap((layers) =>
      [4, 8].map((dim) => {
        const [a, b] = [0, 1].map((seed) => recordOf(idOf(layers, dim, seed)).result.test.masked['ndcg@10']);
        return (a - b) ** 2 / 2;
      }),
    );
    expect(noise.split.betweenSeeds).toBeCloseTo(Math.sqrt(differences.reduce((a, b) => a + b, 0) / 4), 12);
    expect((await fitting()).out).toMatch(
      /standard error of a run over its users: 0\.\d+\nof 8 runs of 4 configurations/,
    );
  });

  it('fits a metric at a K that the training did not compute', async () => {
    const { out } = await fitting('--metric', 'hr@33', '--json');
    const [slice] = JSON.parse(out).slices;
    expect(slice).toMatchObject({ metric: 'hr@33', runs: 8 });
    expect(slice.noise.standardError).toBeGreaterThan(0);
    await expect(fitting('--metric', 'auc@33')).rejects.toThrow(/no observation has the metric/);
  });

  it('fits the loss, of which less is better, on test and validation', async () => {
    for (const [metric, part] of [
      ['loss', 'test'],
      ['validation:loss', 'validation'],
    ] as const) {
      const { out } = await fitting('--metric', metric, '--json');
      const { direction, slices } = JSON.parse(out);
      expect([direction, slices[0].runs]).toEqual(['minimize', 8]);
      expect(slices[0].noise.split.runs).toBe(8);
      const { config, result } = recordOf(idOf(1, 4, 0));
      const path = join(trialFolder(idOf(1, 4, 0)), 'ranks.bin');
      const { losses } = readRanks(path, result.ranks.sha256, config.data.hash)[part];
      expect(result[part].loss).toBe(losses.reduce((sum, loss) => sum + loss, 0) / 60);
      // About ln 40 where little was learnt.
      expect(result[part].loss).toBeGreaterThan(2);
      expect(result[part].loss).toBeLessThan(4);
    }
    const { curve, bestEpoch, validation } = recordOf(idOf(1, 4, 0)).result;
    expect(curve[bestEpoch - 1].validation.loss).toBe(validation.loss);
    const { out } = await comparing(idOf(1, 4, 0), idOf(1, 8, 0), '--json');
    expect(JSON.parse(out).metrics.loss.a).toBeCloseTo(recordOf(idOf(1, 4, 0)).result.test.loss, 12);
  });

  it('reads its own table back without taking standard errors for metrics', async () => {
    const table = join(folder(), 'table.csv');
    await showing('--csv', table);
    expect(readFileSync(table, 'utf8')).toContain('se:ndcg@10');
    const { out } = await runCommand(fit, 'fit [runs]', [
      'fit',
      table,
      '--form',
      'log-linear',
      '--bootstrap',
      '0',
      '--json',
    ]);
    const { metrics, slices } = JSON.parse(out);
    expect(metrics.filter((name: string) => name.startsWith('se'))).toEqual([]);
    expect(slices).toHaveLength(1);
    expect(slices[0].noise).toBeNull();
  });
});

it('leaves nothing half-written in a trial’s folder', () => {
  for (const row of rows)
    expect(readdirSync(trialFolder(String(row['id']))).filter((name) => /\.[0-9]+$/.test(name))).toEqual([]);
});
