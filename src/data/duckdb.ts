/**
 * DuckDB as a reader of one file: lazily loaded, in memory, allowed to open that file and nothing else (no network, no
 * extensions), so that nothing a file or a caller names can reach further.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import { UserError } from '../util/errors.js';

/** A text as a SQL literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as a SQL identifier. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * Opens an in-memory database that may read `path` alone, applies settings, hands the connection over, and closes it.
 * @param place the file's name in messages, where `path` is a copy of it.
 */
export async function withDuckDb<T>(
  path: string,
  use: (connection: DuckDBConnection) => Promise<T>,
  settings: string[] = [],
  place = path,
): Promise<T> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(Math.min(4, availableParallelism())),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  try {
    const connection = await instance.connect();
    try {
      await connection.run(`SET allowed_paths = [${sqlText(resolve(path))}]`);
      // Dates without a zone are UTC, wherever this machine stands.
      await connection.run("SET TimeZone = 'UTC'");
      for (const setting of settings) await connection.run(setting);
      await connection.run('SET enable_external_access = false');
      await connection.run('SET lock_configuration = true');
      return await use(connection);
    } catch (error) {
      throw readingError(error, place);
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

/** Column names and SQL types of a table expression. */
export async function describeTable(
  connection: DuckDBConnection,
  table: string,
): Promise<{ names: string[]; types: string[] }> {
  const rows = (await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${table}`)).getRows();
  return { names: rows.map((row) => String(row[0])), types: rows.map((row) => String(row[1])) };
}

/**
 * Runs a query and hands over its chunks in order, never the whole result. A stream that fails looks like one that ends: the
 * binding has no way to ask for its error. So nobody reads one without the number of rows that must come.
 * @param expected rows by a count of the caller's own. @param place the file's name, for the error.
 * @throws UserError where another number of rows came.
 */
export async function eachChunk(
  connection: DuckDBConnection,
  sql: string,
  expected: number,
  place: string,
  use: (chunk: DuckDBDataChunk) => void,
): Promise<void> {
  const result = await connection.stream(sql);
  let rows = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    const count = chunk?.rowCount ?? 0;
    if (!chunk || count === 0) break;
    rows += count;
    use(chunk);
  }
  if (rows !== expected)
    throw new UserError(`only ${rows} of ${expected} rows could be read`, {
      place,
      remedy: 'The file changed while it was read, is damaged, or there was no space to sort it; try again.',
    });
}

/** DuckDB's words about a bad file, in one line and with a place. */
function readingError(error: unknown, path: string): unknown {
  // A fault of our own (a TypeError and the like) is no fault of the file.
  if (!(error instanceof Error) || error.constructor !== Error) return error;
  const text = error.message;
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1];
  const counts = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text);
  if (line !== undefined) {
    const what = counts
      ? `${counts[2]} fields where ${counts[1]} are expected`
      : /unicode|utf-?8/i.test(text)
        ? 'not UTF-8 text'
        : (/^(?!.*CSV Error on Line)(?!Original Line)(.+)$/m.exec(
            text.replace(/^.*CSV Error.*$/m, ''),
          )?.[1] ?? 'not readable');
    return new UserError(what.trim(), {
      place: `${path}:${line}`,
      remedy: 'Mend or remove the line.',
      cause: error,
    });
  }
  const first = text.split('\n')[0]!.replace(/^(?:[A-Z][A-Za-z/]* )+Error: /, '');
  return new UserError(`not readable: ${first}`, {
    place: path,
    remedy: 'The file may be truncated or damaged; copy or download it again.',
    cause: error,
  });
}
