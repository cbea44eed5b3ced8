/** The one way from a path to rows: unpack, look, scan, open. Every reader of interactions goes through here. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { UserError } from '../../util/errors.js';
import { withDuckDb } from '../duckdb.js';
import { type Delimited, type DetectOptions, detectFormat } from './file/detect.js';
import { type Scan, scanText } from './file/scan.js';
import { type SequenceText, sequenceRows } from './file/sequence-text.js';
import { type Source, withEvenLines, withSource } from './file/source.js';
import { openRows, type RowOptions, type Rows } from './rows.js';
import { type Opened, openTable, type Table } from './table.js';

export interface OpenOptions extends DetectOptions, RowOptions {
  /** Settings of DuckDB, as SQL. */
  settings?: string[];
}

/**
 * Opens a file as rows of interactions.
 * @param notes is told how the file is read.
 * @throws UserError for whatever is wrong with the file, its columns or its cells; never takes a part for the whole.
 */
export async function withRows<T>(
  path: string,
  options: OpenOptions,
  notes: string[],
  use: (rows: Rows) => Promise<T>,
): Promise<T> {
  return withDetected(path, options, notes, {
    sequences: (source, text) => {
      if (options.where?.length)
        throw new UserError('conditions need a table with columns; this is sequence text', { place: path });
      return sequenceRows(source, text, notes).then(use);
    },
    table: async (connection, table) => use(await openRows(connection, table, options, path, notes)),
  });
}

/** Opens a file as a table with columns. @throws UserError where it is sequence text. */
export function withTable<T>(
  path: string,
  options: DetectOptions,
  notes: string[],
  use: (connection: DuckDBConnection, table: Table) => Promise<T>,
): Promise<T> {
  return withDetected(path, options, notes, {
    sequences: () => {
      throw new UserError('no table with columns: lines differ in length', { place: path });
    },
    table: use,
  });
}

interface Uses<T> {
  sequences(source: Source, text: SequenceText): Promise<T>;
  table(connection: DuckDBConnection, table: Table): Promise<T>;
}

async function withDetected<T>(
  path: string,
  options: OpenOptions,
  notes: string[],
  uses: Uses<T>,
): Promise<T> {
  const asked = [
    options.user,
    options.item,
    options.time,
    options.order,
    options.events,
    ...(options.asked ?? []),
  ].filter((name) => name !== undefined);
  return withSource(path, async (found) => {
    notes.push(...found.notes);
    const detected = detectFormat(found, { ...options, asked });
    const open = (source: Source, opened: Opened) =>
      withDuckDb(
        source.path,
        async (connection) => uses.table(connection, await openTable(connection, source, opened, asked)),
        options.settings,
        path,
      );
    switch (detected.kind) {
      case 'parquet':
        return open(found, { detected });
      case 'json': {
        const scan = scanText(found.path, path, { delimiter: '', quote: '', fields: 0, skip: 0 });
        return open(found, { detected, scan, isLines: detected.isLines });
      }
      case 'sequences': {
        notes.push(...detected.notes);
        const scan = scanText(found.path, path, { delimiter: '', quote: '', fields: 0, skip: detected.skip });
        return uses.sequences(found, { ...detected, lines: scan.lines });
      }
      case 'delimited': {
        notes.push(...detected.notes);
        const scan = scanText(found.path, path, {
          delimiter: detected.delimiter,
          quote: detected.quote ?? '"',
          fields: detected.names.length,
          skip: detected.skip,
        });
        const quote = decideQuote(detected, scan, path, notes);
        const { lf, crlf, cr } = scan.ends;
        const opened = { detected, scan, quote };
        if ([lf, crlf, cr].filter((count) => count > 0).length < 2) return open(found, opened);
        return withEvenLines(found, (source) => open(source, opened));
      }
    }
  });
}

/** Tab-separated text and the like mostly has no quoting: a quote there is a letter. */
const UNQUOTED = ['\t', '|'];

/**
 * What quotes mean in this file.
 * @throws UserError where a quote could swallow rows, with the line and the way to say what is meant.
 */
function decideQuote(detected: Delimited, { quotes }: Scan, place: string, notes: string[]): string {
  if (detected.quote === '') return '';
  const quote = detected.quote ?? '"';
  const contradiction = quotes.open > 0 ? quotes.open : quotes.firstBroken;
  const isFree = detected.quote === undefined && UNQUOTED.includes(detected.delimiter) && quotes.needed === 0;
  if (contradiction === 0) return isFree && quotes.inside > 0 ? '' : quote;
  if (isFree && quotes.open === 0) {
    notes.push(
      `Quotes are letters here: on line ${contradiction} a field begins with one and is not quoted whole (--quote '"' otherwise).`,
    );
    return '';
  }
  throw new UserError(
    quotes.open > 0
      ? 'a quoted field begins here and never ends'
      : 'a field begins with a quote and is not quoted whole',
    {
      place: `${place}:${contradiction}`,
      remedy: 'Mend the line; or say --quote none, where quotes are letters like any other.',
    },
  );
}
