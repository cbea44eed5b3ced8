import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import * as conformance from '../../src/commands/conformance.js';
import * as doctor from '../../src/commands/doctor.js';
import * as train from '../../src/commands/train.js';
import { runCommand, useWorkspace } from './run.js';

const { folder } = useWorkspace();
const TINY = ['--dim', '4', '--d-state', '2', '--max-length', '10', '--epochs', '1'];
const run = (...words: string[]) => runCommand(train, 'train', ['train', ...words]);

function csv(name: string): string {
  const path = join(folder(), name);
  const lines = ['userId,movieId,timestamp'];
  for (let u = 0; u < 30; u++) for (let i = 0; i < 8; i++) lines.push(`${u},${(u + i * 3) % 12},${1000 + i}`);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

describe('perflaw train', () => {
  it('trains on a file straight from disk and prints both rankings beside popularity', async () => {
    const { code, out, err } = await run('--data', csv('a.csv'), ...TINY);
    expect(code).toBe(0);
    expect(err).toContain('user = userId, item = movieId, time = timestamp');
    expect(err).toContain('only 12 items, so that hr@20 is 1');
    expect(out).toMatch(
      /epoch 1\/1 {2}loss \d\.\d{4} {2}validation ndcg@10 0\.\d{4} masked, 0\.\d{4} unmasked/,
    );
    expect(out).toMatch(/popularity, test +unmasked +0\.\d{4}/);
  });

  it('--json prints one value on stdout: configuration, result, baseline', async () => {
    const { code, out } = await run('--data', csv('b.csv'), ...TINY, '--json');
    const { config, result, popularity } = JSON.parse(out);
    expect(code).toBe(0);
    expect(config.model).toMatchObject({ name: 'mamba4rec', dim: 4, dState: 2, maxLength: 10 });
    expect(result.curve).toHaveLength(1);
    expect(result.tokensPerSecond).toBeGreaterThan(0);
    expect(Object.keys(result.test.masked)).toEqual(Object.keys(popularity.test.masked));
  });

  it('--threads changes no number', async () => {
    const words = ['--data', csv('t.csv'), '--dim', '32', '--epochs', '1', '--json'];
    const of = async (threads: string) => {
      const { result, config } = JSON.parse((await run(...words, '--threads', threads)).out);
      return { config, validation: result.validation, loss: result.curve[0].loss, test: result.test };
    };
    expect(await of('2')).toEqual(await of('1'));
  });

  it('--out keeps result and weights', async () => {
    const out = join(folder(), 'kept');
    await run('--data', csv('c.csv'), ...TINY, '--out', out);
    expect(JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')).result.bestEpoch).toBe(1);
    expect(existsSync(join(out, 'weights.safetensors'))).toBe(true);
  });

  it.each([
    ['tim4rec', ['--time-mode', 'masked', '--loss', 'last']],
    ['tim4rec', ['--time-gate', 'position']],
    ['ssd4rec', ['--beta', '0.2', '--reverse-output', 'aligned']],
  ])('trains %s with %j, and goes on from its weights', async (model, words) => {
    const out = join(folder(), `${model}-${words[0]}`);
    const settings = ['--data', csv('m.csv'), ...TINY, '--model', model, '--head-dim', '4', ...words];
    expect((await run(...settings, '--out', out)).code).toBe(0);
    const first = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8'));
    const more = await run(...settings, '--init', join(out, 'weights.safetensors'), '--json');
    const { config, result } = JSON.parse(more.out);
    expect(config.startFrom).toMatch(/^[0-9a-f]{64}$/);
    expect(config.model.init).toBe('mamba');
    expect(result.curve[0].loss).toBeLessThan(first.result.curve[0].loss);
  });

  it('data without a clock is named; without the time path it trains', async () => {
    const path = join(folder(), 'order.csv');
    writeFileSync(path, readFileSync(csv('clock.csv'), 'utf8').replace('timestamp', 'position'));
    const data = ['--data', path, '--order', 'position'];
    const words = [...data, ...TINY, '--model', 'tim4rec', '--head-dim', '4'];
    await expect(run(...words)).rejects.toThrow('has no timestamps');
    expect((await run(...words, '--time-mode', 'none')).code).toBe(0);
  });

  it.each([
    [['--dim', '0'], '--dim is "0": expected a whole number from 1'],
    [['--epochs', 'many'], '--epochs is "many"'],
    [['--dropout', '1'], '--dropout is "1"'],
    [['--schedule', 'linear'], 'expected one of constant, cosine'],
    [['--data', 'nowhere.csv'], 'no such file'],
    [['--model', 'gru4rec'], 'Invalid values'],
    [['--model', 'ssd4rec', '--loss', 'all'], 'both directions'],
    [
      ['--model', 'tim4rec', '--time-mode', 'paper'],
      'with a loss at all positions every position would know',
    ],
    [['--model', 'tim4rec', '--dim', '20'], 'headDim 32 does not divide'],
    [['--time-mode', 'causal'], '--time-mode means nothing to mamba4rec'],
    [['--prefixes', 'random'], '--prefixes says what a loss at the last position trains on'],
    [['--prefixes', '0', '--loss', 'last'], 'expected every, random, or a whole number of prefixes'],
    [['--proposal', 'uniform'], '--proposal says how negatives are sampled'],
    [['--negatives', '-3'], '--negatives is'],
    [['--hidden-share', '1', '--model', 'ssd4rec'], '--hidden-share is "1"'],
    [['--init', 'nowhere.safetensors'], 'cannot read these weights'],
    [['--threads', '0'], '--threads must be auto or a whole number from 1 to 64, not 0'],
    [['--threads', '2', '--backend', 'cpu'], 'the backend cpu has no threads of its own'],
    [['--backend', 'quantum'], "unknown backend 'quantum'"],
    [['--backend', 'tensorflow'], "the backend 'tensorflow' needs a package that is not installed"],
  ])('refuses %j in words', async (words, message) => {
    // A folder without packages, whatever the person has who runs this.
    vi.stubEnv('PERFLAW_TENSORFLOW', folder());
    await expect(run(...words)).rejects.toThrow(message);
  });
});

describe('perflaw doctor', () => {
  it('finds every backend that comes inside the package in order', async () => {
    const { code, out } = await runCommand(doctor, 'doctor', ['doctor', '--json']);
    const findings = JSON.parse(out) as { what: string; state: string; remedy?: string }[];
    expect(code).toBe(0);
    for (const name of ['wasm', 'composed', 'cpu'])
      expect(findings.find((f) => f.what === `Backend ${name}`)?.state).toBe('ok');
    expect(findings.filter((f) => f.state === 'missing').every((f) => f.remedy)).toBe(true);
  });
});

const FIXTURES = new URL('../../../shared/fixtures', import.meta.url).pathname;
const present = existsSync(FIXTURES);
if (!present) console.log('Skipped: conformance with the published code, no fixtures beside the project.');

describe('perflaw conformance', () => {
  const check = (...words: string[]) =>
    runCommand(conformance, 'conformance <folder>', ['conformance', ...words, '--json']);

  it.skipIf(!present).each(['wasm', 'composed', 'cpu'])('every known case passes on %s', async (backend) => {
    const { code, out } = await check(FIXTURES, '--backend', backend);
    const { cases } = JSON.parse(out) as {
      cases: { file: string; status: string; worst: number; errors: unknown[] }[];
    };
    expect(code).toBe(0);
    const known = cases.filter((c) => /selective_scan|mamba4rec/.test(c.file));
    expect(known.length).toBeGreaterThanOrEqual(5);
    for (const { status, worst, errors } of known) {
      expect(status).toBe('passed');
      expect(worst).toBeLessThan(1e-4);
      expect(errors.length).toBeGreaterThan(5);
    }
  });

  it('an unknown kind of case is not covered, a wrong value fails', async () => {
    const cases = join(folder(), 'cases');
    mkdirSync(cases);
    writeFileSync(join(cases, 'other.json'), JSON.stringify({ weights: { 'transformer.0': {} } }));
    const tensor = (shape: number[], data: number[]) => ({ shape, dtype: 'float32', data });
    const one = tensor([1, 1, 1], [1]);
    const scan = {
      delta_softplus: false,
      inputs: { u: one, delta: one, A: tensor([1, 1], [-1]), B: one, C: one },
      y: one,
      grad_y: one,
      grads: { u: one, delta: one, A: tensor([1, 1], [0]), B: one, C: one },
    };
    writeFileSync(join(cases, 'scan.json'), JSON.stringify(scan));
    const good = await check(cases);
    expect(good.code).toBe(0);
    expect(JSON.parse(good.out).cases.map((c: { status: string }) => c.status)).toEqual([
      'not covered',
      'passed',
    ]);
    writeFileSync(join(cases, 'scan.json'), JSON.stringify({ ...scan, y: tensor([1, 1, 1], [1.001]) }));
    const bad = await check(cases);
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.out).cases[1].errors[0]).toMatchObject({ tensor: 'y' });
  });

  it('a folder that is not there, or holds no case, is named', async () => {
    await expect(check(join(folder(), 'nowhere'))).rejects.toThrow('no such file or folder');
    const empty = join(folder(), 'empty');
    mkdirSync(empty);
    await expect(check(empty)).rejects.toThrow('no case');
  });
});
