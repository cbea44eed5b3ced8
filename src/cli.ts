#!/usr/bin/env node
/** The `perflaw` program: yargs wiring, one lazily imported file a command, exit codes. No work of its own. */
import { readFileSync } from 'node:fs';
import yargs, { type Argv } from 'yargs';
import { hideBin } from 'yargs/helpers';
import { type Arguments, type CommandModule, note } from './commands/options/command.js';
import { commandLine } from './commands/options/command-line.js';
import { describeError, ExitCode, UserError } from './util/errors.js';
import { nearest } from './util/nearest.js';

type Loader = () => Promise<CommandModule>;

const COMMANDS: [usage: string, description: string, load: Loader][] = [
  [
    'answer <data>',
    'From a data set to what to train on it, in one command; run again to resume',
    () => import('./commands/answer.js'),
  ],
  [
    'init <data>',
    'Write a sweep file fitted to a data set and to the time there is',
    () => import('./commands/init.js'),
  ],
  [
    'sweep <file>',
    'Train every configuration of a sweep file; run again to resume',
    () => import('./commands/sweep.js'),
  ],
  [
    'fit [runs]',
    'Fit performance laws to a sweep or to a table of results',
    () => import('./commands/fit.js'),
  ],
  [
    'predict [runs]',
    'Name the best configuration for a budget, with its uncertainty',
    () => import('./commands/predict.js'),
  ],
  ['report [runs]', 'Write one self-contained HTML report of a sweep', () => import('./commands/report.js')],
  ['results [runs]', 'Show, query and export the trials of a sweep', () => import('./commands/results.js')],
  [
    'compare <a> <b>',
    'Compare two finished runs user by user: difference, interval and p-value of every metric',
    () => import('./commands/compare.js'),
  ],
  ['train', 'Train one model on one data set', () => import('./commands/train.js')],
  [
    'export <run>',
    'Write the best weights of a finished run as safetensors, for PyTorch or to go on from',
    () => import('./commands/export.js'),
  ],
  [
    'data <action> [source]',
    'List, fetch, import and describe data sets',
    () => import('./commands/data.js'),
  ],
  ['entropy <file>', 'Measure the entropy of the histories in a file', () => import('./commands/entropy.js')],
  [
    'conformance <folder>',
    'Check this build against numbers of the published code',
    () => import('./commands/conformance.js'),
  ],
  [
    'bench',
    'Time training steps on this machine, beside what bounds a GPU',
    () => import('./commands/bench.js'),
  ],
  ['doctor', 'Say what is installed, what works and what is missing', () => import('./commands/doctor.js')],
];

function version(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}

/** Runs one command line and returns its exit code. Never throws. */
export async function main(words: string[]): Promise<number> {
  let code: number = ExitCode.ok;
  const parser = commandLine(words)
    .scriptName('perflaw')
    .usage('$0 <command>\n\nDecide which sequential-recommendation model to train before you pay for it.')
    .recommendCommands()
    .demandCommand(1, 'Name a command.')
    .completion('completion', 'Print a shell completion script')
    .version(version())
    .help()
    .alias('h', 'help')
    .wrap(Math.min(110, process.stdout.columns ?? 100));
  for (const [usage, description, load] of COMMANDS)
    parser.command(
      usage,
      description,
      (async (y: Argv) => (await load()).options(y)) as unknown as (y: Argv) => Argv,
      async (args) => {
        code = await (await load()).run(args as Arguments);
      },
    );
  try {
    await parser.parseAsync();
    return code;
  } catch (error) {
    return report(await withSuggestion(error, words));
  }
}

/** Names the option that a misspelt one was probably meant to be; yargs does so for commands alone. */
async function withSuggestion(error: unknown, words: string[]): Promise<unknown> {
  const unknown =
    error instanceof UserError ? /^Unknown arguments?: ([^,]+)/.exec(error.message)?.[1] : undefined;
  const command = COMMANDS.find(([usage]) => usage.split(' ')[0] === words[0]);
  if (unknown === undefined || !command || !words.some((word) => word.split('=')[0] === `--${unknown}`))
    return error;
  const help = await (await command[2]()).options(yargs([])).getHelp();
  const near = nearest(
    unknown,
    [...help.matchAll(/ --([a-z][a-z0-9-]*)/g)].map((match) => match[1]!),
  );
  return new UserError(`unknown option --${unknown}`, {
    remedy: near ? `Did you mean \`--${near}\`?` : `See \`perflaw ${words[0]} --help\`.`,
  });
}

function report(error: unknown): number {
  note(`perflaw: ${describeError(error)}`);
  if (error instanceof UserError) return error.exitCode;
  note('  This is a fault in perflaw. Please report it with the lines below.');
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return ExitCode.internal;
}

// A reader that has seen enough (`perflaw results | head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(ExitCode.ok);
});
process.exitCode = await main(hideBin(process.argv));
