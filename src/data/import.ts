/**
 * Reads interactions from any table or sequence file: format and columns found or named, k-core, exact order. DuckDB
 * parses; rows stream through in chunks, so the file is never whole in memory.
 */
import { basename } from 'node:path';
import { UserError } from '../util/errors.js';
import { assemble } from './assemble.js';
import type { ColumnOptions } from './columns.js';
import { type Detected, detectFormat, type Format } from './detect.js';
import { eachChunk, withDuckDb } from './duckdb.js';
import type { Interactions } from './interactions.js';
import { RawCollector, type RawInteractions } from './raw.js';
import { planRows } from './rows.js';
import { readSequenceText } from './sequence-text.js';
import { openTable } from './table.js';

export interface ImportOptions extends ColumnOptions {
  /** The data set's name; the file's by default. */
  name?: string;
  format?: Format;
  delimiter?: string;
  header?: boolean;
  /** Reads only the rows that meet all these conditions: `rating>=4`, `kind=buy`. */
  where?: string[];
  /** Keeps users and items with at least so many interactions, iterated; 5 by default, 0 keeps everything. */
  kCore?: number;
  /** `float32` reproduces RecBole's cast, which ties events that are seconds apart; `exact` by default. */
  timestamps?: 'exact' | 'float32';
  /** Unit of the time column; by default guessed from its size. */
  timeUnit?: 'auto' | 's' | 'ms' | 'us' | 'ns';
}

export interface Imported {
  interactions: Interactions;
  /** How the file was read: what a person should know and may want to correct. */
  notes: string[];
  /** Rows in the file. */
  rows: number;
}

/** What the options are where the caller says nothing; together with the file they decide the result. */
export const DEFAULT_IMPORT = { kCore: 5, timestamps: 'exact', timeUnit: 'auto', format: 'auto' } as const;

/**
 * Imports a file.
 * @param path `u.data`, `ratings.dat`, `.inter`, CSV, TSV, Parquet, JSON lines, or sequence text.
 * @throws UserError for whatever is wrong with the file, its columns or its values.
 */
export async function importFile(path: string, options: ImportOptions = {}): Promise<Imported> {
  const notes: string[] = [];
  const asked = [options.user, options.item, options.time, options.order].filter(
    (name) => name !== undefined,
  );
  const detected = detectFormat(path, { ...options, asked });
  if (detected.kind === 'sequences' && options.where?.length)
    throw new UserError('conditions need a table with columns; this is sequence text', { place: path });
  const raw =
    detected.kind === 'sequences'
      ? await readSequenceText(path, detected.delimiter, detected.gzip)
      : await readTable(path, detected, options, notes);
  if (detected.kind === 'sequences')
    notes.push('Read as sequences: a user, then its items in order, on each line.');
  if (raw.times) scaleTimes(raw.times, raw.count, options.timeUnit ?? 'auto', notes);
  try {
    const interactions = assemble(raw, {
      name: options.name ?? nameOf(path),
      kCore: options.kCore ?? DEFAULT_IMPORT.kCore,
      timestamps: options.timestamps ?? DEFAULT_IMPORT.timestamps,
    });
    return { interactions, notes, rows: raw.count };
  } catch (error) {
    if (error instanceof UserError && error.place === undefined)
      throw new UserError(error.message, { place: path, remedy: error.remedy, cause: error });
    throw error;
  }
}

/** `ratings` of `/data/ratings.csv.gz`; only letters, digits, `.`, `_` and `-`. */
export function nameOf(path: string): string {
  const name = basename(path)
    .replace(/(\.(csv|tsv|txt|inter|dat|data|parquet|jsonl?|ndjson|gz))+$/i, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[-.]+/, '');
  return name === '' ? 'data' : name;
}

async function readTable(
  path: string,
  detected: Exclude<Detected, { kind: 'sequences' }>,
  options: ImportOptions,
  notes: string[],
): Promise<RawInteractions> {
  return withDuckDb(path, async (connection) => {
    const rows = planRows(await openTable(connection, path, detected), options, path, notes);
    const collector = new RawCollector(rows.hasTime, rows.hasOrder);
    await eachChunk(connection, rows.inFileOrder, (chunk) =>
      rows.read(chunk, (user, item, time, order) => collector.add(user, item, time, order)),
    );
    return collector.finish();
  });
}

const UNITS = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 } as const;

/** To Unix seconds, in place. Guessed: after the year 5138 in seconds is before it in milliseconds, and so on. */
function scaleTimes(
  times: Float64Array,
  count: number,
  unit: 'auto' | keyof typeof UNITS,
  notes: string[],
): void {
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, Math.abs(times[i]!));
  const found =
    unit !== 'auto' ? unit : largest < 1e11 ? 's' : largest < 1e14 ? 'ms' : largest < 1e17 ? 'us' : 'ns';
  if (!(found in UNITS))
    throw new UserError(`unknown time unit "${found}"`, { remedy: 'Use s, ms, us, ns or auto.' });
  if (found === 's') return;
  if (unit === 'auto') notes.push(`Times are read as ${found}; --time-unit s takes them as seconds.`);
  for (let i = 0; i < count; i++) times[i]! /= UNITS[found];
}
