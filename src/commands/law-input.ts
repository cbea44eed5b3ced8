/** What `fit` and `predict` read: a sweep's results or a table made elsewhere. Light: no tfjs, no DuckDB unless Parquet. */
import { existsSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import type { Observation } from '../law/observation.js';
import type { ModelConfig } from '../model/config.js';
import { UserError } from '../util/errors.js';

export interface LawInput {
  name: string;
  observations: Observation[];
  /** Items of the catalogue and the models measured; known for sweeps only. */
  numItems?: number;
  models?: ModelConfig[];
  notes: string[];
}

const TABLES = ['.csv', '.tsv', '.txt', '.json', '.jsonl', '.ndjson', '.parquet'];

/** Reads `source`: a table by its ending (or any other file), otherwise a sweep; the last sweep where there is none. */
export async function readLawInput(
  source: string | undefined,
  metric?: string,
  options: { halved?: boolean } = {},
): Promise<LawInput> {
  const isFile = source !== undefined && existsSync(source) && statSync(source).isFile();
  if (source !== undefined && (isFile || TABLES.includes(extname(source).toLowerCase()))) {
    const { readTable } = await import('../law/table.js');
    return readTable(source, metric);
  }
  const { readSweepObservations } = await import('../sweep/results/observations.js');
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
