/** Data with too little in them, as people bring them: a result, or a message with the remedy; never a fault of the program. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as data from '../../src/commands/data.js';
import * as entropy from '../../src/commands/entropy.js';
import * as train from '../../src/commands/train.js';
import { describeError, UserError } from '../../src/util/errors.js';
import { runCommand, useWorkspace } from './run.js';

const { folder } = useWorkspace();
const TINY = ['--dim', '4', '--d-state', '2', '--max-length', '10', '--epochs', '1'];
const run = (...words: string[]) => runCommand(train, 'train', ['train', ...TINY, ...words]);

/** Histories by their items. */
function csv(name: string, histories: number[][]): string {
  const path = join(folder(), `${name}.csv`);
  const rows = histories.flatMap((items, u) => items.map((item, i) => `${u},${item},${1_600_000_000 + i}`));
  writeFileSync(path, `user,item,time\n${rows.join('\n')}\n`);
  return path;
}

const users = <T>(count: number, of: (u: number) => T) => Array.from({ length: count }, (_, u) => of(u));
/** `length` events of `items` items, everybody beginning elsewhere. */
const walks = (length: number, items: number, count = 20) =>
  users(count, (u) => Array.from({ length }, (_, i) => (u + 3 * i) % items));

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).exitCode).toBe(2);
  expect((error as UserError).remedy).toBeTruthy();
  return describeError(error);
}

describe('perflaw train', () => {
  it.each([
    [1, 'no user has three interactions'],
    [2, 'no user has three interactions'],
    [3, 'no history has two events to train on'],
  ])('on histories of %i events says what is missing', async (length, message) => {
    const path = csv(`each-${length}`, walks(length, 20));
    expect(await refusal(run('--data', path, '--k-core', '0'))).toContain(message);
    expect(await refusal(run('--data', path))).toContain('--k-core 0');
  });

  it('trains on the few histories that are long enough', async () => {
    const path = csv('mostly-short', [...walks(1, 20, 60), ...walks(9, 20, 3)]);
    const { code, out } = await run('--data', path, '--k-core', '0', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out).result.tokens.perEpoch).toBe(3 * 6);
  });

  it('on one item says that there is nothing to rank', async () => {
    expect(await refusal(run('--data', csv('one-item', walks(8, 1))))).toContain('there is only one item');
  });

  it('on two items that everybody had ranks with the history, and says which numbers mean nothing', async () => {
    const path = csv('two-items', walks(8, 2));
    expect(await refusal(run('--data', path))).toMatch(/nothing to rank\n.*--history unmasked/);
    const { code, err } = await run('--data', path, '--history', 'unmasked');
    expect(code).toBe(0);
    expect(err).toContain('there are only 2 items, so that hr@5, hr@10 and hr@20 are 1 whatever the model');
  });

  it('says when the history leaves fewer items than a cut-off', async () => {
    const { err } = await run('--data', csv('left', walks(9, 12)));
    expect(err).toContain('there are only 12 items, so that hr@20 is 1 whatever the model');
    expect(err).toMatch(/nobody has more than 10 items left to rank, so that hr@10 is 1 whatever/);
  });

  it('says when negatives are no sample', async () => {
    const path = csv('negatives', walks(8, 12));
    expect((await run('--data', path, '--negatives', '13')).err).toContain('13 negatives are all of them');
    expect((await run('--data', path, '--negatives', '12')).err).not.toContain('negatives');
  });
});

const CASES = new URL('../../../shared/cases/21-training/', import.meta.url).pathname;
const present = existsSync(CASES);
if (!present) console.log('Skipped: small inputs of the cases, none beside the project.');
const files = present ? readdirSync(CASES).filter((name) => name.endsWith('.csv')) : [];

describe.skipIf(!present).each(present ? files : ['none'])('the case %s', (name) => {
  const path = join(CASES, name);
  const all = ['--k-core', '0'];
  const describeIt = (...words: string[]) =>
    runCommand(data, 'data <action> [source]', ['data', 'describe', path, ...words, '--json']);
  const trainOn = (...words: string[]) => run('--data', path, ...words, '--json');
  const calls: [string, () => ReturnType<typeof runCommand>][] = [
    ['train', () => trainOn()],
    ['train --k-core 0', () => trainOn(...all)],
    ['train tim4rec', () => trainOn(...all, '--model', 'tim4rec', '--head-dim', '4')],
    ['train ssd4rec', () => trainOn(...all, '--model', 'ssd4rec', '--head-dim', '4')],
    ['train --negatives', () => trainOn(...all, '--negatives', '9', '--loss', 'last')],
    ['describe', () => describeIt()],
    ['describe --k-core 0', () => describeIt(...all)],
    ['entropy', () => runCommand(entropy, 'entropy <file>', ['entropy', path, '--json'])],
  ];
  it.each(calls)('%s: a result without a hole, or a message with the remedy', async (command, call) => {
    try {
      const { code, out } = await call();
      expect(code).toBe(0);
      // JSON has no NaN; a metric of a training that is none would be null.
      if (command.startsWith('train'))
        expect(JSON.stringify(JSON.parse(out).result.test)).not.toContain('null');
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).remedy).toBeTruthy();
    }
  });
});
