/** `perflaw export`: weights of trials and of single runs, in and out again; and everything that may be wrong with them. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import * as exporting from '../../src/commands/export.js';
import * as train from '../../src/commands/train.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/model/files/safetensors.js';
import { CLI } from '../sweep/killing.js';
import { runCommand, useWorkspace } from './run.js';

const { folder } = useWorkspace();
const SETTINGS = ['--dim', '4', '--d-state', '2', '--max-length', '10'];
const trainWith = (settings: string[], ...words: string[]) =>
  runCommand(train, 'train', ['train', '--data', join(folder(), 'events.csv'), ...settings, ...words]);
const trainOn = (...words: string[]) => trainWith(SETTINGS, ...words);
const exportRun = (...words: string[]) => runCommand(exporting, 'export <run>', ['export', ...words]);

const SWEEP = (name: string, more = '') => `name: ${name}
data: events.csv
model: {dim: 4, dState: 2, maxLength: 10}
training: {epochs: 1}
grid: {layers: [1, 2]}
${more}`;

/** A step too small for single precision: training with it changes no weight, so it scores what it was given. */
const NO_STEP = ['--epochs', '1', '--learning-rate', '1e-30', '--json'];

let trials: string[];
const trialFolder = (id: string, sweep = 'tiny') => join(folder(), 'reports', sweep, 'trials', id);
const configOf = (id: string) =>
  JSON.parse(readFileSync(join(trialFolder(id), 'config.json'), 'utf8')).config;
const resultOf = (id: string) =>
  JSON.parse(readFileSync(join(trialFolder(id), 'result.json'), 'utf8')).result;

beforeAll(async () => {
  const lines = ['userId,movieId,timestamp'];
  for (let u = 0; u < 30; u++)
    for (let i = 0; i < 8; i++) lines.push(`${u},film-${(u + i * 3) % 30},${1000 + i}`);
  writeFileSync(join(folder(), 'events.csv'), `${lines.join('\n')}\n`);
  writeFileSync(join(folder(), 'tiny.yaml'), SWEEP('tiny'));
  writeFileSync(
    join(folder(), 'light.yaml'),
    SWEEP('light', 'keepWeights: false\n').replace('[1, 2]', '[1]'),
  );
  for (const file of ['light.yaml', 'tiny.yaml']) {
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'sweep', file], {
      cwd: folder(),
      env: { ...process.env, PERFLAW_HOME: folder() },
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
  }
  trials = readdirSync(join(folder(), 'reports', 'tiny', 'trials'));
}, 120_000);

describe('perflaw export', () => {
  it('writes a trial by the beginning of its identity: weights, and a card with settings, items and scores', async () => {
    const id = trials[0]!;
    const out = join(folder(), 'best.safetensors');
    const { code, out: words } = await exportRun(id.slice(0, 6), '--out', out);
    expect(code).toBe(0);
    expect(words).toContain(out);
    const card = JSON.parse(readFileSync(join(folder(), 'best.json'), 'utf8'));
    const result = resultOf(id);
    const { layers } = configOf(id).model;
    expect(card).toMatchObject({
      schema: 1,
      sha256: result.weights.sha256,
      model: { name: 'mamba4rec', dim: 4, layers },
      upstream: { hidden_size: 4, num_layers: layers, d_state: 2, MAX_ITEM_LIST_LENGTH: 10, n_items: 31 },
      parameters: result.parameters.total,
      numItems: 30,
      test: result.test,
    });
    expect(card.items[0]).toBe('');
    expect([...card.items].sort()).toEqual(['', ...Array.from({ length: 30 }, (_, i) => `film-${i}`)].sort());
    const { tensors } = decodeSafetensors(readFileSync(out), out);
    expect(tensors.get('item_embedding.weight')!.shape).toEqual([31, 4]);
  });

  it('says which model of one layer the weights are of: both have the same tensors', async () => {
    const id = trials.find((trial) => configOf(trial).model.layers === 1)!;
    const out = join(folder(), 'one.safetensors');
    await exportRun(trialFolder(id), '--out', out);
    expect(JSON.parse(readFileSync(join(folder(), 'one.json'), 'utf8'))).toMatchObject({
      model: { residual: 'always' },
      upstream: { residual: 'always' },
    });
    await expect(trainOn('--layers', '1', '--init', out, ...NO_STEP)).rejects.toMatchObject({
      message: expect.stringContaining('`residual: always`'),
      remedy: expect.stringContaining('--residual always'),
    });
  });

  it('what it wrote scores the same when training starts from it', async () => {
    for (const id of trials) {
      const out = join(folder(), `${id}.safetensors`);
      await exportRun(trialFolder(id), '--out', out);
      const { layers, residual } = configOf(id).model;
      expect(residual).toBe('always');
      const shape = ['--layers', String(layers), '--residual', residual];
      const { out: json } = await trainOn(...shape, '--init', out, ...NO_STEP);
      const { result } = JSON.parse(json);
      expect(result.test).toEqual(resultOf(id).test);
      expect(result.validation).toEqual(resultOf(id).validation);
    }
  });

  it('writes a run of `perflaw train --out`; --json names the files', async () => {
    const run = join(folder(), 'single');
    await trainOn('--epochs', '2', '--out', run);
    const { out: json } = await exportRun(run, '--out', `${folder()}/exports/`, '--json');
    const { weights, card, model, numItems } = JSON.parse(json);
    expect(weights).toBe(join(folder(), 'exports', 'single.safetensors'));
    expect(model).toMatchObject({ name: 'mamba4rec', dim: 4 });
    expect(numItems).toBe(30);
    expect(JSON.parse(readFileSync(card, 'utf8')).trial.training.epochs).toBe(2);
    const { out: again } = await trainOn('--layers', '1', '--init', weights, ...NO_STEP);
    const first = JSON.parse(readFileSync(join(run, 'result.json'), 'utf8'));
    expect(JSON.parse(again).result.test).toEqual(first.result.test);
  });

  it('weights that number items otherwise are put in order by the list beside them', async () => {
    const out = join(folder(), 'shuffled.safetensors');
    const id = trials.find((trial) => configOf(trial).model.layers === 1)!;
    await exportRun(id, '--out', out);
    const file = decodeSafetensors(readFileSync(out), out);
    const card = join(folder(), 'shuffled.json');
    const { items } = JSON.parse(readFileSync(card, 'utf8')) as { items: string[] };
    const init = ['--layers', '1', '--residual', 'always', '--init', out, ...NO_STEP];
    // Rows turned round, and one item more than the data has.
    const rows = ['', ...items.slice(1).reverse(), 'film-unseen'];
    const table = file.tensors.get('item_embedding.weight')!;
    const values = new Float32Array(rows.length * 4);
    rows.forEach((item, row) => {
      const from = Math.max(0, items.indexOf(item));
      values.set(table.values.subarray(4 * from, 4 * from + 4), 4 * row);
    });
    file.tensors.set('item_embedding.weight', { shape: [rows.length, 4], values });
    writeFileSync(out, encodeSafetensors(file));
    writeFileSync(card, JSON.stringify({ items: rows }));
    const { out: json, err } = await trainOn(...init);
    expect(err).toContain('put in the order of');
    expect(JSON.parse(json).result.test).toEqual(resultOf(id).test);
    for (const [content, message] of [
      [{ items: rows.slice(1) }, /names 31 rows and the item table .* has 32/],
      [
        { items: rows.map((item) => item.replace('film-3', 'film-x')) },
        /items of events have no row in these weights, such as "film-3/,
      ],
      [{ items: 7 }, '`items` is not a list of texts'],
    ] as const) {
      writeFileSync(card, JSON.stringify(content));
      await expect(trainOn(...init)).rejects.toThrow(message);
    }
    // Without a list, the rows count as they come.
    writeFileSync(card, '{}');
    await expect(trainOn(...init)).rejects.toThrow(/'item_embedding.weight' is \[32, 4\]/);
  });

  it('names weights of another shape or model with the options that fit', async () => {
    const out = join(folder(), 'other.safetensors');
    const id = trials.find((trial) => configOf(trial).model.layers === 2)!;
    await exportRun(id, '--out', out);
    const init = ['--init', out, '--epochs', '1'];
    await expect(trainOn(...init)).rejects.toMatchObject({
      message: expect.stringContaining("no place for the tensor 'mamba_layers.1.mamba.A_log'"),
      remedy: expect.stringContaining('--layers 2'),
    });
    const wider = ['--dim', '8', ...SETTINGS.slice(2)];
    await expect(trainWith(wider, ...init, '--layers', '2')).rejects.toMatchObject({
      message: expect.stringMatching(/'item_embedding.weight' is \[31, 4\] .* needs \[31, 8\]/),
      remedy: expect.stringContaining('--dim 4.'),
    });
    await expect(
      trainOn(...init, '--model', 'tim4rec', '--head-dim', '4', '--layers', '2'),
    ).rejects.toMatchObject({
      message: expect.stringContaining('these are the weights of a mamba4rec'),
      remedy: expect.stringContaining('--model mamba4rec'),
    });
  });

  it('refuses what is not there, open, without weights, deleted or damaged, and writes nothing', async () => {
    const out = join(folder(), 'never.safetensors');
    const refused = (run: string, ...words: string[]) =>
      expect(exportRun(run, '--out', out, ...words)).rejects;
    await refused('zzzz').toThrow('neither a run folder nor the beginning of a trial');
    const deep = trials.find((trial) => configOf(trial).model.layers === 2)!;
    await refused(deep, '--sweep', 'light').toThrow('no trial of the sweep light');
    await refused('', '--sweep', 'tiny').toThrow('2 trials of tiny begin with this');
    const [light] = readdirSync(join(folder(), 'reports', 'light', 'trials'));
    await refused(light!, '--sweep', 'light').toMatchObject({
      message: 'this trial kept no weights',
      remedy: expect.stringContaining('keepWeights: true'),
    });
    await expect(exportRun(trials[0]!, '--out', 'weights.bin')).rejects.toThrow('ends with .safetensors');

    const [id, other] = trials as [string, string];
    const weights = join(trialFolder(id), 'weights.safetensors');
    const bytes = readFileSync(weights);
    writeFileSync(
      weights,
      bytes.map((b, i) => (i === bytes.length - 3 ? b ^ 1 : b)),
    );
    await refused(id).toThrow('their checksum is not the one of the result');
    copyFileSync(join(trialFolder(other), 'weights.safetensors'), weights);
    await refused(id).toThrow('their checksum is not the one of the result');
    rmSync(weights);
    await refused(id).toThrow('the weights of this run are gone');
    writeFileSync(weights, bytes);
    const result = join(trialFolder(id), 'result.json');
    const text = readFileSync(result);
    rmSync(result);
    await refused(id).toThrow('this trial has not finished');
    writeFileSync(result, text);
    expect(existsSync(out)).toBe(false);
    expect((await exportRun(id, '--out', out)).code).toBe(0);
  });
});
