/** `perflaw train --out`: whose results lie in the folder, what is done already, what may be replaced, what stays of a training that diverged. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as train from '../../src/commands/train.js';
import { describeError, UserError } from '../../src/util/errors.js';
import { CLI } from '../sweep/killing.js';
import { fillDisk, mountSmallDisk } from '../sweep/small-disk.js';
import { runCommand, useWorkspace } from './run.js';

const { folder } = useWorkspace();
const TINY = ['--dim', '4', '--d-state', '2', '--max-length', '10'];
const run = (...words: string[]) => runCommand(train, 'train', ['train', ...TINY, ...words]);

let data: string;
let out: string;
const again = (...words: string[]) => run('--data', data, '--epochs', '1', '--out', out, ...words);
/** Every file of the folder with its content. */
const content = () =>
  Object.fromEntries(readdirSync(out).map((name) => [name, readFileSync(join(out, name), 'base64')]));

function csv(name: string, shift: number): string {
  const path = join(folder(), name);
  const lines = ['userId,movieId,timestamp'];
  for (let u = 0; u < 30; u++)
    for (let i = 0; i < 8; i++) lines.push(`${u},${(u + shift + i * 3) % 30},${1_600_000_000 + i}`);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

async function refusal(promise: Promise<unknown>): Promise<{ text: string; code: number }> {
  const error: unknown = await promise.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  return { text: describeError(error), code: (error as UserError).exitCode };
}

/** Ctrl-C as soon as the training listens for it: it stops after its first step. */
function interruptAtOnce(): void {
  process.on('newListener', function listens(name: string | symbol, handler: () => void) {
    if (name !== 'SIGINT') return;
    process.off('newListener', listens);
    setImmediate(handler);
  });
}

beforeAll(() => {
  data = csv('a.csv', 0);
});
beforeEach(() => {
  out = mkdtempSync(join(folder(), 'out-'));
});

describe('a folder with a finished training', () => {
  let finished: string;
  let before: Record<string, string>;
  let result: unknown;
  beforeAll(async () => {
    out = mkdtempSync(join(folder(), 'out-'));
    result = JSON.parse((await again('--json')).out);
    finished = out;
    before = content();
    expect(Object.keys(before).sort()).toEqual([
      'ranks.bin',
      'result.json',
      'weights.json',
      'weights.safetensors',
    ]);
  });
  beforeEach(() => cpSync(finished, out, { recursive: true }));

  it('the same command says that it is done, prints the result, and trains nothing', async () => {
    const { code, out: text } = await again();
    expect(code).toBe(0);
    expect(text).toContain('Done already');
    expect(text).toMatch(/test +masked/);
    expect(text).not.toContain('epoch 1/1');
    const { out: json, err } = await again('--json');
    expect(JSON.parse(json)).toEqual(result);
    expect(err).toContain('Done already');
    expect(content()).toEqual(before);
  });

  it('a file of the same content under another name is the same data', async () => {
    expect((await run('--data', csv('b.csv', 0), '--epochs', '1', '--out', out)).out).toContain(
      'Done already',
    );
  });

  it('a checkpoint that was left over changes nothing', async () => {
    interruptAtOnce();
    const other = out;
    out = mkdtempSync(join(folder(), 'out-'));
    expect((await again('--seed', '2')).code).toBe(130);
    const leftover = readFileSync(join(out, 'checkpoint.safetensors'));
    out = other;
    for (const bytes of [leftover, Buffer.from('cut off')]) {
      writeFileSync(join(out, 'checkpoint.safetensors'), bytes);
      expect((await again()).out).toContain('Done already');
      expect(readFileSync(join(out, 'checkpoint.safetensors'))).toEqual(bytes);
    }
  });

  it.each([
    [['--seed', '2'], 'seed is 1 there and 2 here'],
    [['--learning-rate', '0.01'], 'learningRate is 0.001 there and 0.01 here'],
    [['--model', 'ssd4rec', '--head-dim', '4'], 'model is mamba4rec there and ssd4rec here'],
    [['--negatives', '3'], 'negatives is not set there and 3 here'],
  ])('other settings, %j, are refused', async (words, message) => {
    const { text, code } = await refusal(again(...words));
    expect(text).toContain(`${join(out, 'result.json')}: here lies the result of another training`);
    expect(text).toContain(message);
    expect(text).toContain('--overwrite');
    expect(code).toBe(2);
    expect(content()).toEqual(before);
  });

  it('--overwrite replaces it', async () => {
    const words = ['--seed', '2'];
    expect((await again(...words, '--overwrite')).out).toContain('epoch 1/1');
    expect((await again(...words)).out).toContain('Done already');
    expect((await refusal(again())).text).toContain('seed is 2 there and 1 here');
  });

  it('other data are refused by their names and contents', async () => {
    const { text } = await refusal(run('--data', csv('c.csv', 1), '--epochs', '1', '--out', out));
    expect(text).toMatch(/data is a \([0-9a-f]{10}\) there and c \([0-9a-f]{10}\) here/);
    expect(content()).toEqual(before);
  });

  it('lost or foreign weights are said', async () => {
    rmSync(join(out, 'weights.safetensors'));
    const { code, err } = await again();
    expect([code, err]).toEqual([0, expect.stringContaining('weights.safetensors is not there any more')]);
    writeFileSync(join(out, 'weights.safetensors'), 'mine');
    expect((await refusal(again())).text).toContain('not of a training of perflaw');
    expect(readFileSync(join(out, 'weights.safetensors'), 'utf8')).toBe('mine');
  });
});

describe('a folder with something else', () => {
  it.each([
    ['result.json', '{"accuracy": 1}'],
    ['result.json', '[]'],
    ['result.json', 'not JSON'],
    ['weights.json', '{}'],
    ['weights.safetensors', 'somebody else wrote this'],
  ])('%s, %j, is not replaced without --overwrite', async (name, text) => {
    writeFileSync(join(out, name), text);
    const { text: words } = await refusal(again());
    expect(words).toContain(`a ${name} lies here that is not of a training of perflaw's`);
    expect(words).toContain('--overwrite');
    expect(readdirSync(out)).toEqual([name]);
    expect(readFileSync(join(out, name), 'utf8')).toBe(text);
  });

  it('files of other names are no hindrance', async () => {
    writeFileSync(join(out, 'notes.txt'), 'mine');
    expect((await again()).code).toBe(0);
    expect(readFileSync(join(out, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('a file in its place is said before the data are read', async () => {
    const file = join(out, 'file');
    writeFileSync(file, 'mine');
    for (const path of [file, join(file, 'below', 'it')]) {
      const { text, code } = await refusal(run('--data', 'nowhere.csv', '--out', path));
      expect(text).toContain(`${file}: this is a file, and a folder is needed`);
      expect(code).toBe(2);
    }
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it('a folder that cannot be made is said before training', async () => {
    const { text } = await refusal(run('--data', data, '--epochs', '1', '--out', '/proc/perflaw'));
    expect(text).toContain('/proc/perflaw: cannot write to this folder');
  });

  it('--overwrite without a folder means nothing', async () => {
    expect((await refusal(run('--data', data, '--overwrite'))).text).toContain('--out FOLDER');
  });
});

describe('a folder with an unfinished training', () => {
  it('goes on with the same command, refuses another, and leaves no checkpoint when it is done', async () => {
    interruptAtOnce();
    const { code, err } = await again();
    expect([code, err]).toEqual([130, expect.stringContaining(`goes on from ${out}`)]);
    expect(readdirSync(out)).toEqual(['checkpoint.safetensors']);
    const before = content();
    const { text } = await refusal(again('--seed', '2'));
    expect(text).toContain(`${join(out, 'checkpoint.safetensors')}: here lies the checkpoint of another`);
    expect(text).toContain('seed is 1 there and 2 here');
    expect(text).toContain('--overwrite');
    expect(content()).toEqual(before);
    const { out: json } = await again('--json');
    expect(readdirSync(out).sort()).toEqual([
      'ranks.bin',
      'result.json',
      'weights.json',
      'weights.safetensors',
    ]);
    out = mkdtempSync(join(folder(), 'out-'));
    const whole = JSON.parse((await again('--json')).out);
    expect(JSON.parse(json).result.test).toEqual(whole.result.test);
    expect(JSON.parse(json).result.weights).toEqual(whole.result.weights);
  });

  it('--overwrite begins anew, and itself goes on after an interruption', async () => {
    await again();
    const before = content();
    interruptAtOnce();
    expect((await again('--seed', '2', '--overwrite')).code).toBe(130);
    expect(content()).toMatchObject(before); // the result that is to be replaced is there until then
    expect((await again('--seed', '2', '--overwrite', '--json')).code).toBe(0);
    expect(JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')).config.seed).toBe(2);
    expect(existsSync(join(out, 'checkpoint.safetensors'))).toBe(false);
  });
});

describe('a training that diverges', () => {
  const DIVERGES = ['--learning-rate', '10', '--epochs', '200', '--patience', '0'];
  const perflaw = (...words: string[]) =>
    spawnSync(process.execPath, [CLI, 'train', ...TINY, '--data', data, ...words], {
      env: { ...process.env, PERFLAW_HOME: folder() },
      encoding: 'utf8',
    });

  it('is no fault of the program: step, epoch, rate and remedies are named', () => {
    const { status, stderr } = perflaw(...DIVERGES);
    expect(stderr).toMatch(
      /perflaw: the training diverged: .* at step \d+ \(epoch \d+\), with a learning rate of 10\n/,
    );
    for (const remedy of [
      '--learning-rate',
      '--clip-norm 1',
      '--warmup 100',
      'Nothing is kept without --out',
    ])
      expect(stderr).toContain(remedy);
    expect(stderr).not.toMatch(/fault in perflaw|^\s+at /m);
    expect(status).toBe(3);
  });

  it('keeps the last good checkpoint and says so', async () => {
    const words = ['--data', data, '--out', out, ...DIVERGES];
    expect((await refusal(run(...words))).text).toContain('No checkpoint was due yet');
    expect(readdirSync(out)).toEqual([]);
    interruptAtOnce();
    expect((await run(...words)).code).toBe(130);
    const before = content();
    const { text, code } = await refusal(run(...words));
    expect(text).toContain('the training diverged');
    expect(text).toContain(
      `The last good checkpoint (epoch 1, step 1) is kept: ${join(out, 'checkpoint.safetensors')}`,
    );
    expect(code).toBe(3);
    expect(content()).toEqual(before);
    // The remedy, taken in the same folder, replaces nothing unasked.
    const mended = ['--data', data, '--out', out, '--epochs', '1'];
    expect((await refusal(run(...mended))).text).toContain('learningRate is 10 there and 0.001 here');
    expect((await run(...mended, '--overwrite')).code).toBe(0);
  });
});

const disk = mountSmallDisk(64);
it.skipIf(!disk)(
  'on a full disk the error names the remedy, and the same command goes on later',
  async () => {
    out = join(disk!, 'run');
    mkdirSync(out);
    fillDisk(disk!);
    const { text, code } = await refusal(again());
    expect(text).toContain('no space left on the device');
    expect(text).toContain('run the same command again');
    expect(code).toBe(2);
    rmSync(join(disk!, 'filler'));
    expect((await again()).code).toBe(0);
  },
);
