/** One series out of a file: one value a line, or a column of a table. */
import { readFileSync } from 'node:fs';
import { fileError, UserError } from '../util/errors.js';
import { nearest } from '../util/nearest.js';
import { type DetectOptions, detectFormat } from './detect.js';
import { eachChunk, withDuckDb } from './duckdb.js';
import { openTable } from './table.js';

/** The values of a file with one value a line; empty lines are left out. */
export function readSeries(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== '');
  } catch (error) {
    throw fileError(error, path, 'read this file');
  }
}

/**
 * The values of one column, as text, in the order of the rows.
 * @throws UserError where there is no such column or a value is missing.
 */
export async function readColumn(
  path: string,
  column: string,
  options: Omit<DetectOptions, 'asked'> = {},
): Promise<string[]> {
  const detected = detectFormat(path, { ...options, asked: [column] });
  if (detected.kind === 'sequences')
    throw new UserError(`no table with a column ${JSON.stringify(column)}: lines differ in length`, {
      place: path,
    });
  return withDuckDb(path, async (connection) => {
    const { from, columns, firstLine } = await openTable(connection, path, detected);
    const found = columns.find(({ name }) => name === column);
    if (!found) {
      const names = columns.map(({ name }) => name);
      const near = nearest(column, names);
      throw new UserError(
        `there is no column ${JSON.stringify(column)}; the file has: ${names.map((name) => JSON.stringify(name)).join(', ')}`,
        {
          place: path,
          remedy: near === undefined ? 'Choose one: --series COLUMN.' : `Did you mean --series ${near}?`,
        },
      );
    }
    const values: string[] = [];
    await eachChunk(connection, `SELECT CAST(${found.sql} AS VARCHAR) FROM ${from}`, (chunk) => {
      const vector = chunk.getColumnVector(0);
      for (let i = 0; i < chunk.rowCount; i++) {
        const value = vector.getItem(i) as string | null;
        if (value === null)
          throw new UserError(`column "${column}" is empty`, {
            place: `${path}:${values.length + firstLine}`,
          });
        values.push(value);
      }
    });
    return values;
  });
}
