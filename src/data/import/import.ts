/**
 * Reads interactions from any table or sequence file: format and columns found or named, exact order, k-core. DuckDB
 * parses; rows stream through in chunks, so the file is never whole in memory.
 */
import { basename } from 'node:path';
import { UserError } from '../../util/errors.js';
import type { Interactions } from '../interactions.js';
import type { DetectOptions } from '../read/file/detect.js';
import type { Duplicates } from '../read/formats.js';
import { withRows } from '../read/open.js';
import type { RowOptions, Rows } from '../read/rows.js';
import { type Assembled, assemble, type Counts } from './assemble.js';
import { RawCollector } from './raw.js';

export interface ImportOptions extends RowOptions, Omit<DetectOptions, 'asked'> {
  /** The data set's name; the file's by default. */
  name?: string;
  /** Keeps users and items with at least so many interactions, iterated; 5 by default, 0 keeps everything. */
  kCore?: number;
  /** `float32` reproduces RecBole's cast, which ties events that are seconds apart; `exact` by default. */
  timestamps?: 'exact' | 'float32';
  /** What becomes of events equal in user, item and time: all are kept by default. */
  duplicates?: Duplicates;
}

/** What was read, what was left out and why, and what is left. */
export interface Reading {
  /** Rows in the file (lines of sequence text). */
  rows: number;
  /** Rows that did not meet each condition; a row may fail several. */
  conditions: { condition: string; leftOut: number }[];
  /** Rows or elements of lists taken as interactions. */
  interactions: number;
  /** Interactions equal to an earlier one of the same user in item, time and order; and what became of them. */
  duplicates: { count: number; kept: Duplicates };
  /** Events that tie in time with another of the same user, so that their rows order them. */
  tied: number;
  kCore: { k: number; before: Counts; after: Counts };
}

export interface Imported {
  interactions: Interactions;
  /** How the file was read: what a person should know and may want to correct. */
  notes: string[];
  /** Rows in the file. */
  rows: number;
  reading: Reading;
}

/** What the options are where the caller says nothing; together with the file they decide the result. */
export const DEFAULT_IMPORT = {
  kCore: 5,
  timestamps: 'exact',
  timeUnit: 'auto',
  format: 'auto',
  duplicates: 'keep',
} as const;

/**
 * Imports a file.
 * @param path `u.data`, `ratings.dat`, `.inter`, CSV, TSV, Parquet, JSON lines, or sequence text.
 * @throws UserError for whatever is wrong with the file, its columns or its values.
 */
export async function importFile(path: string, options: ImportOptions = {}): Promise<Imported> {
  const notes: string[] = [];
  const { raw, rows } = await withRows(path, options, notes, async (rows) => {
    const collector = new RawCollector(rows.hasTime, rows.hasOrder);
    await rows.inFileOrder((user, item, time, order) => collector.add(user, item, time, order));
    return { raw: collector.finish(), rows };
  });
  const k = options.kCore ?? DEFAULT_IMPORT.kCore;
  const kept = options.duplicates ?? DEFAULT_IMPORT.duplicates;
  try {
    const assembled = assemble(raw, {
      name: options.name ?? nameOf(path),
      kCore: k,
      timestamps: options.timestamps ?? DEFAULT_IMPORT.timestamps,
      duplicates: kept,
    });
    const { interactions, duplicates, tied, before } = assembled;
    const after = {
      users: interactions.numUsers,
      items: interactions.numItems,
      interactions: interactions.items.length,
    };
    const reading: Reading = {
      rows: rows.counts.rows,
      conditions: rows.counts.conditions,
      interactions: raw.count,
      duplicates: { count: duplicates, kept },
      tied,
      kCore: { k, before, after },
    };
    notes.push(...readingNotes(reading, rows, assembled));
    return { interactions, notes, rows: rows.counts.rows, reading };
  } catch (error) {
    if (error instanceof UserError && error.place === undefined)
      throw new UserError(error.message, { place: path, remedy: error.remedy, cause: error });
    throw error;
  }
}

function readingNotes(reading: Reading, rows: Rows, { unordered }: Assembled): string[] {
  const { duplicates, tied, interactions, kCore } = reading;
  const notes: string[] = [];
  if (duplicates.count > 0)
    notes.push(
      duplicates.kept === 'keep'
        ? `Warning: ${duplicates.count} of ${interactions} interactions equal another of the same user in item and time, and are kept (--duplicates first takes one of each).`
        : `${duplicates.count} of ${interactions} interactions equal another of the same user in item and time: the ${duplicates.kept} of each is taken.`,
    );
  if (tied > 0) {
    const share = (100 * tied) / kCore.before.interactions;
    const column = rows.mayOrder.length === 1 ? rows.mayOrder[0] : 'COLUMN';
    notes.push(
      `${share > 20 ? 'Warning: ' : ''}${share < 1 ? share.toPrecision(1) : share.toFixed(0)} % of the interactions have the time of another of the same user: the order of the rows decides there${rows.hasOrder ? '' : ` (--order ${column} would)`}.`,
    );
  }
  if (unordered > 0 && (rows.hasTime || rows.hasOrder))
    notes.push(`The rows of ${unordered} of ${kCore.before.users} users were not in order; they are sorted.`);
  const { k, before, after } = kCore;
  if (k > 1 && before.interactions !== after.interactions)
    notes.push(
      `${k}-core: ${before.users} -> ${after.users} users, ${before.items} -> ${after.items} items, ${before.interactions} -> ${after.interactions} interactions (--k-core 0 keeps all).`,
    );
  return notes;
}

/** `ratings` of `/data/ratings.csv.gz`; only letters, digits, `.`, `_` and `-`. */
export function nameOf(path: string): string {
  const name = basename(path)
    .replace(/(\.(csv|tsv|txt|inter|dat|data|parquet|jsonl?|ndjson|gz|zst))+$/i, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[-.]+/, '');
  return name === '' ? 'data' : name;
}
