/** `perflaw compare A B`: two finished runs on the same users, metric by metric and group by group. */

import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Argv } from 'yargs';
import { compareRanks, type RankedRun } from '../sweep/results/compare-ranks.js';
import type { TrialConfig } from '../train/config.js';
import type { StoredRanks } from '../train/evaluation/ranks.js';
import { ExitCode, UserError } from '../util/errors.js';
import { readJson } from '../util/files.js';
import { type Arguments, note, print, printJson } from './options/command.js';
import { comparisonText } from './words/compare-text.js';

export function options(yargs: Argv): Argv {
  const run =
    "A trial's identity or its beginning, its folder, or a folder of train --out; several seeds separated by commas";
  return yargs
    .positional('a', { type: 'string', describe: run })
    .positional('b', { type: 'string', describe: 'The run that is held against it' })
    .option('sweep', {
      type: 'string',
      describe: 'Look for identities in this sweep (folder or name) [default: the last, then all others]',
    })
    .option('k', {
      type: 'string',
      describe: 'Cut-offs, separated by commas [default: those of the training]',
    })
    .option('metric', {
      type: 'string',
      describe: 'Metric of the groups of users [default: the one that selected]',
    })
    .option('part', {
      choices: ['test', 'validation'] as const,
      default: 'test' as const,
      describe: 'Held-out items that were ranked',
    })
    .option('history', {
      choices: ['masked', 'unmasked'] as const,
      describe: 'Rankings without or with the items already seen [default: as selected]',
    })
    .option('level', { type: 'number', default: 0.95, describe: 'Share inside an interval' })
    .example('$0 compare 3f9a 81c0', 'Two trials of the last sweep, on the same users')
    .example('$0 compare 3f9a,77b1,0c2d 81c0,e5a4,19f3', 'Three seeds each')
    .example('$0 compare runs/small runs/large --k 1,10,100', 'Two folders of perflaw train --out')
    .epilogue(
      'Of one run each the intervals tell what other users would change; another seed may change more. Name several seeds of each.',
    );
}

export async function run(args: Arguments): Promise<number> {
  const level = Number(args['level']);
  if (!(level > 0 && level < 1))
    throw new UserError(`${args['level']} is not between 0 and 1`, {
      place: '--level',
      remedy: 'Give 0.95.',
    });
  const sweep = args['sweep'] as string | undefined;
  const readSide = (names: unknown) =>
    Promise.all(
      // a folder may have commas in its name
      (existsSync(String(names)) ? [String(names)] : String(names).split(',')).map((name) =>
        readRun(name.trim(), sweep),
      ),
    );
  const comparison = compareRanks(await readSide(args['a']), await readSide(args['b']), {
    part: args['part'] as keyof Omit<StoredRanks, 'data'>,
    history: args['history'] as 'masked' | 'unmasked' | undefined,
    ks: cutOffs(args['k']),
    metric: args['metric'] as string | undefined,
    level,
  });
  for (const text of comparison.notes) note(`note: ${text}`);
  if (args.json) printJson(comparison);
  else print(comparisonText(comparison));
  return ExitCode.ok;
}

function cutOffs(text: unknown): number[] | undefined {
  if (text === undefined) return undefined;
  const ks = [...new Set(String(text).split(',').map(Number))].sort((one, two) => one - two);
  if (ks.some((k) => !Number.isInteger(k) || k < 1))
    throw new UserError(`"${text}" is no list of cut-offs`, {
      place: '--k',
      remedy: 'Give for instance --k 1,5,20.',
    });
  return ks;
}

/** @throws UserError where there is no such run, or it kept no ranks. */
async function readRun(run: string, sweep: string | undefined): Promise<RankedRun> {
  const { RANKS_FILE, readRanks } = await import('../train/evaluation/ranks.js');
  const folder = resolve(run);
  const result = join(folder, 'result.json');
  if (existsSync(result) && !existsSync(join(folder, 'config.json'))) {
    const found = readJson(result) as { config: TrialConfig; result: { ranks?: { sha256: string } } };
    if (!found?.config?.data || !found.result)
      throw new UserError('this is no result of perflaw train', { place: result });
    if (!found.result.ranks)
      throw new UserError(
        'no ranks were kept with this result: it is of a version of perflaw before they were',
        {
          place: result,
          remedy: 'Train it again with --overwrite.',
        },
      );
    const { config } = found;
    const ranks = readRanks(join(folder, RANKS_FILE), found.result.ranks.sha256, config.data.hash);
    return { name: basename(folder), config, ranks };
  }
  const { findTrial } = await import('../sweep/store/find-trial.js');
  const { store, record } = findTrial(run, sweep);
  return { name: record.id, config: record.config, ranks: store.readRanks(record) };
}
