/** What is refused of a command line before any command runs: the shared parser, and the program as a person types it. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import * as data from '../../../src/commands/data.js';
import * as entropy from '../../../src/commands/entropy.js';
import * as fit from '../../../src/commands/fit.js';
import type { Arguments } from '../../../src/commands/options/command.js';
import { commandLine } from '../../../src/commands/options/command-line.js';
import * as predict from '../../../src/commands/predict.js';
import * as report from '../../../src/commands/report.js';
import * as results from '../../../src/commands/results.js';
import * as sweep from '../../../src/commands/sweep.js';
import * as train from '../../../src/commands/train.js';
import { UserError } from '../../../src/util/errors.js';
import { CLI } from '../../sweep/killing.js';

const COMMANDS = {
  'data <action> [source]': data,
  'entropy <file>': entropy,
  'fit [runs]': fit,
  'predict [runs]': predict,
  'report [runs]': report,
  'results [runs]': results,
  'sweep <file>': sweep,
  train,
};
type Usage = keyof typeof COMMANDS;

/** What the command would be called with. */
async function parse(usage: Usage, words: string[]): Promise<Arguments> {
  let args: Arguments | undefined;
  await commandLine([usage.split(' ')[0]!, ...words])
    .command(
      usage,
      '',
      (y) => COMMANDS[usage].options(y),
      (parsed) => {
        args = parsed as unknown as Arguments;
      },
    )
    .parseAsync();
  return args!;
}

interface Defined {
  key: Record<string, true>;
  array: string[];
  boolean: string[];
  number: string[];
  choices: Record<string, readonly string[]>;
}

/** The options of a command as yargs knows them, its positionals left out. */
function optionsOf(usage: Usage): { name: string; kind: 'array' | 'boolean' | 'one'; value: string }[] {
  const parser = COMMANDS[usage].options(commandLine([]));
  const { key, array, boolean, number, choices } = (
    parser as unknown as { getOptions(): Defined }
  ).getOptions();
  return Object.keys(key)
    .filter((name) => !['help', 'version'].includes(name) && !usage.includes(name))
    .map((name) => ({
      name,
      kind: array.includes(name) ? 'array' : boolean.includes(name) ? 'boolean' : 'one',
      value: number.includes(name) ? '1' : String(choices[name]?.[0] ?? 'x'),
    }));
}

const POSITIONAL: Partial<Record<Usage, string[]>> = {
  'data <action> [source]': ['list'],
  'entropy <file>': ['f.csv'],
  'sweep <file>': ['f.yaml'],
};

describe.each(Object.keys(COMMANDS) as Usage[])('perflaw %s', (usage) => {
  const bare = POSITIONAL[usage] ?? [];

  it.each(optionsOf(usage))('--$name ($kind), given twice', async ({ name, kind, value }) => {
    const word = `--${name}`;
    if (kind === 'boolean') {
      expect((await parse(usage, [...bare, word, word]))[name]).toBe(true);
      await expect(parse(usage, [...bare, word, `--no-${name}`])).rejects.toThrow(
        `--${name} is given twice, once on and once off`,
      );
    } else if (kind === 'array') {
      const words = [...bare, word, value, word, value];
      expect((await parse(usage, words))[name]).toEqual([value, value]);
    } else
      await expect(parse(usage, [...bare, word, value, `${word}=${value}`])).rejects.toThrow(
        `--${name} is given twice`,
      );
  });
});

describe('a command line', () => {
  const refusal = async (usage: Usage, ...words: string[]) => {
    const error: unknown = await parse(usage, words).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UserError);
    const { message, remedy, exitCode } = error as UserError;
    expect(exitCode).toBe(2);
    return `${message}: ${remedy ?? ''}`;
  };

  it('says which values there are to keep', async () => {
    expect(await refusal('train', '--user', 'a', '--user=b')).toBe(
      '--user is given twice: It holds one value. Keep one of: --user a, --user b.',
    );
    expect(await refusal('train', '--seed', '1', '--seed', '-2', '--seed', '1')).toContain(
      '--seed is given 3 times: It holds one value. Keep one of: --seed 1, --seed -2, --seed 1.',
    );
  });

  it('knows an option by its aliases, its camel case and its place', async () => {
    expect(await refusal('entropy <file>', 'f', '-m', '3', '--window', '4')).toContain('-m 3, --window 4');
    expect(await refusal('entropy <file>', 'f', '-m3', '-m=4')).toContain('-m 3, -m 4');
    expect(await refusal('train', '--k-core', '3', '--kCore', '5')).toContain('--k-core 3, --kCore 5');
    expect(await refusal('sweep <file>', 'a.yaml', '--file', 'b.yaml')).toContain('--file b.yaml, a.yaml');
  });

  it.each([
    ['train', ['--user='], '--user needs a value'],
    ['train', ['--user', '--item', 'x'], '--user needs a value'],
    ['results [runs]', ['--where', ''], '--where needs a value'],
    ['data <action> [source]', ['describe', 'f', '--slice', 'all', '--slice='], '--slice needs a value'],
    ['train', ['--seed'], '--seed needs a number'],
    ['train', ['--k-core='], '--k-core needs a number'],
    ['train', ['--seed', 'abc'], '--seed needs a number, not "abc"'],
    ['predict [runs]', ['--level', 'Infinity'], '--level needs a number, not "Infinity"'],
    ['train', ['--no-user'], 'unknown option --no-user'],
    ['train', ['--no-history'], 'Argument: history'],
    ['report [runs]', ['--format'], '--format needs a value'],
    ['train', ['--header=maybe'], '--header takes no value, not "maybe"'],
    ['train', ['--header', 'false', '--header'], 'once on and once off'],
    ['fit [runs]', ['--', 'a', '--seed', '3'], 'nothing behind `--` is read: a --seed 3'],
  ] as [Usage, string[], string][])('%s %j is refused: %s', async (usage, words, message) => {
    expect(await refusal(usage, ...words)).toContain(message);
  });

  it('leaves alone what only looks odd', async () => {
    expect(
      await parse('train', ['--seed', '-1', '--user', '-5', '--item', '7', '--header=false']),
    ).toMatchObject({ seed: -1, user: '-5', item: '7', header: false });
    expect(await parse('results [runs]', ['--csv'])).toMatchObject({ csv: '-' });
    expect(await parse('results [runs]', ['--where', `"a" = "--where"`])).toMatchObject({
      where: `"a" = "--where"`,
    });
  });

  it('ends the program with code 2 and no stack trace', () => {
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'fit', '--metric', 'a', '--metric', 'b'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe(
      'perflaw: --metric is given twice\n  It holds one value. Keep one of: --metric a, --metric b.\n',
    );
    expect(status).toBe(2);
  });
});
