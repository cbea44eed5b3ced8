/** What `fit` and `predict` read: a sweep's results or a table made elsewhere. Light: no tfjs, no DuckDB unless Parquet. */
import { existsSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import type { Argv } from 'yargs';
import { askedDirection, type Direction, directionNote, directionOf } from '../../law/points/direction.js';
import type { Observation } from '../../law/points/observation.js';
import { chooseMetric } from '../../law/points/points.js';
import { settingNamed, settingsNote, withoutSettings } from '../../law/points/settings.js';
import { type Tuning, tunedEnvelope } from '../../law/points/tuned.js';
import { keepWhere } from '../../law/points/where.js';
import type { ModelConfig } from '../../model/config.js';
import { UserError } from '../../util/errors.js';
import type { Arguments } from './command.js';

export interface LawInput {
  name: string;
  observations: Observation[];
  /** The metric to fit, asked for or the usual one, and which way it is better. */
  metric: string;
  direction: Direction;
  /** Items of the catalogue and the models measured; known for sweeps only. */
  numItems?: number;
  models?: ModelConfig[];
  /** What was tuned, and how it came out; absent where nothing was. */
  tuning?: Tuning;
  /** The sweep's folder. */
  path?: string;
  notes: string[];
}

/** What is read before a metric is chosen. */
interface Source extends Omit<LawInput, 'metric' | 'direction' | 'tuning'> {
  /** Settings of which the best stands for a configuration. */
  tuned: string[];
  /** Runs that successive halving ended early. */
  dropped?: Observation[];
}

const TABLES = ['.csv', '.tsv', '.txt', '.json', '.jsonl', '.ndjson', '.parquet'];

/** What `fit` and `predict` ask of their input. */
export function lawInputOptions(yargs: Argv): Argv {
  return yargs
    .option('metric', { type: 'string', describe: 'Metric to fit [default: ndcg@10, then hr@10]' })
    .option('minimize', {
      type: 'boolean',
      describe: 'Lower is better [default: for a loss, an error, a perplexity by its name]',
    })
    .option('maximize', { type: 'boolean', describe: 'Larger is better' })
    .option('ignore', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'A column of a table or a setting of a sweep to leave out; may be given several times',
    })
    .option('where', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'Only runs that meet a condition, such as "layers>1"; may be given several times',
    })
    .option('tuned', {
      type: 'string',
      array: true,
      nargs: 1,
      describe:
        'Settings (or columns) that were tuned, such as lr,wd: the best by validation stands for each configuration',
    })
    .option('setting', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'Settings (or columns), each value of which has a law of its own, tuned in the sweep or not',
    });
}

/** Reads `runs`: a table by its ending (or any other file), otherwise a sweep; the last sweep where there is none. */
export async function readLawInput(args: Arguments): Promise<LawInput> {
  const source = args['runs'] as string | undefined;
  const asked = args['metric'] as string | undefined;
  const wanted = askedDirection(args['minimize'], args['maximize']);
  const ignore = (args['ignore'] as string[] | undefined) ?? [];
  const isFile = source !== undefined && existsSync(source) && statSync(source).isFile();
  const halved = args['halved'] === true;
  const tuned = names(args['tuned']);
  const settings = names(args['setting']);
  const both = tuned.find((name) => settings.includes(name));
  if (both !== undefined)
    throw new UserError(`"${both}" cannot be both`, {
      place: '--tuned, --setting',
      remedy:
        'Tuned, the best of its values stands for each configuration; as a setting each value has a law.',
    });
  let read: Source;
  if (source !== undefined && (isFile || TABLES.includes(extname(source).toLowerCase()))) {
    const { readTable } = await import('../../law/points/table.js');
    read = await readTable(source, { metric: asked, ignore, halved, tuned, settings });
  } else {
    const sweep = await readSweep(source, { halved, metric: asked });
    const known = knownSettings(sweep.observations);
    const named = (option: string, list: string[]) => list.map((name) => settingNamed(known, name, option));
    const law = named('--setting', settings);
    read = {
      ...sweep,
      observations: withoutSettings(sweep.observations, named('--ignore', ignore)),
      tuned: [...new Set([...sweep.tuned, ...named('--tuned', tuned)])].filter((name) => !law.includes(name)),
    };
  }
  const where = (args['where'] as string[] | undefined) ?? [];
  if (where.length > 0) {
    const kept = keepWhere(read.observations, where);
    const note = `${kept.length} of ${read.observations.length} runs meet ${where.join(' and ')}`;
    read = { ...read, observations: kept, notes: [...read.notes, note] };
  }
  const { tuned: roles, dropped, ...rest } = read;
  const metric = chooseMetric(read.observations, asked);
  const direction = directionOf(metric, wanted);
  const envelope =
    roles.length > 0
      ? tunedEnvelope(read.observations, { tuned: roles, metric, direction, dropped })
      : undefined;
  const observations = envelope?.observations ?? read.observations;
  const said = [
    settingsNote(observations.map(({ config }) => config)),
    ...(envelope?.tuning.notes ?? []),
    directionNote(metric, wanted),
  ].filter((note) => note !== undefined);
  return {
    ...rest,
    observations,
    metric,
    direction,
    ...(envelope ? { tuning: envelope.tuning } : {}),
    notes: [...read.notes, ...said],
  };
}

/** `--tuned lr,wd --tuned dropout`: names by commas, or one an option. */
const names = (given: unknown): string[] =>
  ((given as string[] | undefined) ?? [])
    .flatMap((text) => text.split(',').map((name) => name.trim()))
    .filter((name) => name !== '');

const knownSettings = (observations: readonly Observation[]) => [
  ...new Set(observations.flatMap(({ config }) => Object.keys(config ?? {}))),
];

async function readSweep(
  source: string | undefined,
  options: { halved?: boolean; metric?: string },
): Promise<Source> {
  const { readSweepObservations } = await import('../../sweep/results/observations.js');
  const sweep = await readSweepObservations(source, options);
  if (sweep.observations.length === 0 && sweep.halved > 0)
    throw new UserError(`all ${sweep.halved} finished trials were ended early by successive halving`, {
      place: sweep.path,
      remedy: 'Run the sweep to its end, or fit to them with --halved.',
    });
  if (sweep.observations.length === 0)
    throw new UserError('no trial of this sweep is finished yet', {
      place: sweep.path,
      remedy: 'Wait for the first trials, or run `perflaw sweep` with its file again.',
    });
  const notes: string[] = [];
  const finished = sweep.observations.length + (options.halved ? 0 : sweep.halved);
  if (sweep.halved > 0)
    notes.push(
      options.halved
        ? `${sweep.halved} trials were ended early by successive halving: the law sees them below what their size could reach`
        : `${sweep.halved} trials were ended early by successive halving and are left out (--halved takes them)`,
    );
  if (finished < sweep.planned)
    notes.push(
      `${finished} of ${sweep.planned} trials are finished${sweep.failed > 0 ? `, ${sweep.failed} failed` : ''}`,
    );
  if (sweep.belowPopularity > 0)
    notes.push(
      `${sweep.belowPopularity} of ${sweep.observations.length} runs${sweep.tuned.length > 0 ? ', those of settings that were not chosen among them,' : ''} are not better than the popularity baseline: what they tell of larger models is little`,
    );
  for (const { path, reason } of sweep.damaged) notes.push(`${path}: left out, ${reason}`);
  return {
    name: sweep.name,
    observations: sweep.observations,
    numItems: sweep.numItems,
    models: sweep.models,
    tuned: sweep.tuned,
    dropped: sweep.dropped,
    path: sweep.path,
    notes,
  };
}

/** A whole number of at least `least` from an option, or undefined. */
export function wholeNumber(value: unknown, option: string, least: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (Number.isInteger(number) && number >= least) return number;
  throw new UserError(`"${value}" is not a whole number of at least ${least}`, {
    place: option,
    remedy: `Give for instance ${option} ${Math.max(least, 1000)}.`,
  });
}
