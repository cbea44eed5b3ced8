/** What `init` and `answer` are asked for, and the sweep file that they make of it. */
import { existsSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Argv } from 'yargs';
import type { Draft } from '../../sweep/init/draft.js';
import type { Wishes } from '../../sweep/init/init.js';
import { UserError } from '../../util/errors.js';
import { writeAtomic } from '../../util/files.js';
import { formatCount, formatDuration, parseCount } from '../../util/format.js';
import { shellWord } from '../../util/shell.js';
import { workspace } from '../../util/workspace.js';
import { type Arguments, note } from './command.js';

/** The options of both. */
export function wishOptions(yargs: Argv): Argv {
  return yargs
    .positional('data', {
      type: 'string',
      describe: "A data set's name, a file, or synthetic for the embedded one",
    })
    .option('hours', {
      type: 'string',
      describe: 'Wall hours of this machine, such as 8, .5 or 30min [default: 4]',
    })
    .option('params', {
      type: 'string',
      describe:
        'Most parameters of the model to be trained, such as 50M [default: the largest size of the sweep]',
    })
    .option('metric', { type: 'string', describe: 'Metric that decides [default: ndcg@10]' })
    .option('out', { type: 'string', describe: "The sweep file [default: the data's name .yaml]" })
    .option('force', { type: 'boolean', describe: 'Write the file anew where it is there already' });
}

/** What the words ask for. @throws UserError for what is no amount. */
export function readWishes(args: Arguments): Wishes {
  const wishes: Wishes = {
    hours: hoursOf(args['hours']),
    params: paramsOf(args['params']),
    metric: metricOf(args['metric']),
  };
  return Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== undefined));
}

function hoursOf(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const match = /^\s*(\d*\.?\d+(?:e[+-]?\d+)?)\s*(h|hours?|m|min|s|d|days?)?\s*$/i.exec(String(value));
  const unit = { h: 1, m: 1 / 60, s: 1 / 3600, d: 24 }[(match?.[2] ?? 'h')[0]!.toLowerCase()]!;
  const hours = Number(match?.[1]) * unit;
  if (hours > 0 && hours <= 1e5) return hours;
  throw new UserError(`"${value}" is no time above 0`, {
    place: '--hours',
    remedy: 'Give for instance --hours 8, --hours .5 or --hours 30min.',
  });
}

function paramsOf(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const params = parseCount(String(value));
  if (params !== undefined && params >= 1) return Math.round(params);
  throw new UserError(`"${value}" is no number of parameters`, {
    place: '--params',
    remedy: 'Give for instance --params 50M.',
  });
}

function metricOf(value: unknown): string | undefined {
  if (value === undefined || /^(hr|ndcg|mrr)@[1-9][0-9]{0,5}$/.test(String(value)))
    return value as string | undefined;
  throw new UserError(`"${value}" is not measured`, {
    place: '--metric',
    remedy: 'Measured are hr@K, ndcg@K and mrr@K: give for instance --metric ndcg@10.',
  });
}

/** The data set as asked for, by its name or its path, and the sweep file that goes with it. */
export interface Target {
  data: string;
  /** Path of the sweep file. */
  file: string;
  /** The sweep's name. */
  name: string;
}

/** @throws UserError where there is no data set in the words, or its name is no sweep's. */
export async function targetOf(args: Arguments): Promise<Target> {
  const data = String(args['data'] ?? '');
  if (data === '')
    throw new UserError('which data?', {
      remedy: 'Name a data set, a file, or synthetic for the embedded one.',
    });
  const { nameOf } = await import('../../data/import/import.js');
  const file = (args['out'] as string | undefined) ?? `${nameOf(data)}.yaml`;
  const name = basename(file).replace(/\.(ya?ml|json)$/i, '');
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name)) return { data, file, name };
  throw new UserError(`"${name}" cannot name a sweep`, {
    place: '--out',
    remedy: 'Give a file name of letters, digits, dots and dashes, such as --out my.yaml.',
  });
}

/**
 * Fits a sweep file to the data and writes it.
 * @throws UserError where something is there already and `--force` is not given, or the data or the budget do not allow it.
 */
export async function writeDraft(
  target: Target,
  wishes: Wishes,
  args: Arguments,
  onNote: (text: string) => void = note,
): Promise<Draft> {
  const { data, file, name } = target;
  if (args['force'] !== true) refuseToReplace(target);
  const [{ openDataset }, { draftSweep }] = await Promise.all([
    import('../../data/dataset.js'),
    import('../../sweep/init/init.js'),
  ]);
  const interactions = await withImportHint(data, () => openDataset(data, { onNote }));
  const draft = await draftSweep(
    interactions,
    {
      name,
      data: referenceFrom(file, data),
      madeBy: ['perflaw init', shellWord(data), ...givenWords(args)].join(' '),
      run: `perflaw sweep ${shellWord(file)} (the same again resumes); to an answer and a report: perflaw answer ${shellWord(data)}${args['out'] === undefined ? '' : ` --out ${shellWord(file)}`}`,
    },
    wishes,
  );
  writeAtomic(file, draft.text);
  return draft;
}

/** What was drafted, and which limits nobody named. */
export function draftWords({ file }: Target, wishes: Wishes, draft: Draft): string[] {
  const { hours, params, trials, workers, seconds } = draft;
  const open = [
    ...(wishes.hours === undefined ? [`${hours} hours (--hours)`] : []),
    ...(wishes.params === undefined ? ['parameters up to the largest size measured (--params)'] : []),
  ];
  return [
    `${file}: ${trials} trials, at most ${formatDuration(seconds)} of ${formatDuration(3600 * hours)} with ${workers} workers; what to train with at most ${formatCount(params)} parameters.`,
    ...(open.length > 0 ? [`  Nothing else being said: ${open.join(', ')}.`] : []),
  ];
}

function refuseToReplace({ file, name }: Target): void {
  const remedy = `Choose another name (--out other.yaml), or replace it: --force.`;
  if (existsSync(file)) throw new UserError('this file is there already', { place: file, remedy });
  const folder = join(workspace().reports, name);
  if (existsSync(join(folder, 'plan.json')))
    throw new UserError(`a sweep named ${name} has results there already`, {
      place: relative('.', folder),
      remedy: `Choose another name (--out other.yaml), or let the new file take its place: --force. What was trained with the same settings is kept.`,
    });
}

/** A sweep file's columns are those that are found: a file in which they are not is imported first. */
async function withImportHint<T>(data: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof UserError) || !error.remedy?.includes('--user')) throw error;
    throw new UserError(error.message, {
      place: error.place,
      remedy: `${error.remedy}\n  Import it so, and go on with its name: perflaw data import ${shellWord(data)} --user ... --item ... --name NAME.`,
      exitCode: error.exitCode,
      cause: error,
    });
  }
}

/** The data as a file beside `file` would name them: paths are meant from its folder. */
function referenceFrom(file: string, data: string): string {
  if (!existsSync(data) || isAbsolute(data)) return data;
  const path = relative(dirname(resolve(file)), resolve(data));
  return /[\\/.]/.test(path) ? path : `./${path}`;
}

const givenWords = (args: Arguments) =>
  ['hours', 'params', 'metric', 'out'].flatMap((name) =>
    args[name] === undefined ? [] : [`--${name}`, shellWord(String(args[name]))],
  );
