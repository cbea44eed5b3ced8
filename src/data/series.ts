/** One series out of a file: one value a line, or a column of a table. */
import { readFileSync } from 'node:fs';
import { fileError, UserError } from '../util/errors.js';
import { eachChunk } from './duckdb.js';
import { noColumn } from './read/columns.js';
import type { DetectOptions } from './read/file/detect.js';
import { withTable } from './read/open.js';

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
 * @throws UserError where there is no such column, a value is missing, or not every row could be read.
 */
export async function readColumn(
  path: string,
  column: string,
  options: Omit<DetectOptions, 'asked'> = {},
): Promise<string[]> {
  return withTable(
    path,
    { ...options, asked: [column] },
    [],
    async (connection, { from, columns, firstLine = 1 }) => {
      const found = columns.find(({ name }) => name === column);
      if (!found) {
        const names = columns.map(({ name }) => name);
        throw noColumn(column, names, path, 'Choose one: --series COLUMN.', (near) => `--series ${near}`);
      }
      const text = `CAST(${found.sql} AS VARCHAR)`;
      // Counted with the column itself, so that its faults are met here.
      const [row] = (
        await connection.runAndReadAll(`SELECT count(*), max(length(${text})) FROM ${from}`)
      ).getRows();
      const values: string[] = [];
      await eachChunk(connection, `SELECT ${text} FROM ${from}`, Number(row![0]), path, (chunk) => {
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
    },
  );
}
