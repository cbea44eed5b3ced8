/** What `fit` and `predict` read: a sweep's results or a table made elsewhere. Light: no tfjs, no DuckDB unless Parquet. */
import { existsSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import type { Argv } from 'yargs';
import { askedDirection, type Direction, directionNote, directionOf } from '../../law/points/direction.js';
import type { Observation } from '../../law/points/observation.js';
import { chooseMetric } from '../../law/points/points.js';
import { settingsNote } from '../../law/points/settings.js';
import type { ModelConfig } from '../../model/config.js';
import { UserError } from '../../util/errors.js';
import { nearest } from '../../util/nearest.js';
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
  /** The sweep's folder. */
  path?: string;
  notes: string[];
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
  let read: Omit<LawInput, 'metric' | 'direction'>;
  if (source !== undefined && (isFile || TABLES.includes(extname(source).toLowerCase()))) {
    const { readTable } = await import('../../law/points/table.js');
    read = await readTable(source, { metric: asked, ignore, halved });
  } else {
    const sweep = await readSweep(source, { halved, metric: asked });
    read = { ...sweep, observations: ignoreSettings(sweep.observations, ignore) };
  }
  const metric = chooseMetric(read.observations, asked);
  const said = [
    settingsNote(read.observations.map(({ config }) => config)),
    directionNote(metric, wanted),
  ].filter((note) => note !== undefined);
  return { ...read, metric, direction: directionOf(metric, wanted), notes: [...read.notes, ...said] };
}

/** @throws UserError for a name that is no setting. */
function ignoreSettings(observations: Observation[], names: readonly string[]): Observation[] {
  if (names.length === 0) return observations;
  const known = [...new Set(observations.flatMap(({ config }) => Object.keys(config ?? {})))];
  for (const name of names) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw new UserError(`"${name}" is no setting of this sweep`, {
      place: '--ignore',
      remedy: `Settings are ${known.join(', ')}.${near ? ` Is "${near}" meant?` : ''}`,
    });
  }
  return observations.map((one) => ({
    ...one,
    config: Object.fromEntries(Object.entries(one.config ?? {}).filter(([name]) => !names.includes(name))),
  }));
}

async function readSweep(
  source: string | undefined,
  options: { halved?: boolean; metric?: string },
): Promise<Omit<LawInput, 'metric' | 'direction'>> {
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
      `${sweep.belowPopularity} of ${sweep.observations.length} runs are not better than the popularity baseline: what they tell of larger models is little`,
    );
  for (const { path, reason } of sweep.damaged) notes.push(`${path}: left out, ${reason}`);
  return {
    name: sweep.name,
    observations: sweep.observations,
    numItems: sweep.numItems,
    models: sweep.models,
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
