/** SQL over results: rows are handed to an in-memory DuckDB that may then reach nothing else. It never holds results. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { sqlName, sqlText } from '../../data/duckdb.js';
import { fileError, UserError } from '../../util/errors.js';
import { writeAtomic } from '../../util/files.js';
import type { Row } from './index-row.js';

export interface QueryResult {
  names: string[];
  rows: Row[];
}

/**
 * Runs one query over tables of rows.
 * @throws UserError with the database's own words when the query is wrong.
 */
export function queryRows(tables: Record<string, Row[]>, sql: string): Promise<QueryResult> {
  return withTables(tables, async (connection) => {
    await connection.run('SET enable_external_access = false');
    await connection.run('SET lock_configuration = true');
    try {
      const reader = await connection.runAndReadAll(sql);
      const names = reader.deduplicatedColumnNames();
      const rows = reader
        .getRows()
        .map((values) => Object.fromEntries(values.map((value, i) => [names[i]!, plain(value)])));
      return { names, rows };
    } catch (error) {
      throw new UserError(`this query does not run: ${(error as Error).message}`, {
        place: sql,
        remedy: `Tables: ${Object.keys(tables).join(', ')}. Columns with @ or : need double quotes, as in "hr@10".`,
        cause: error,
      });
    }
  });
}

/** Writes rows as a Parquet file. @throws UserError when it cannot be written. */
export async function writeParquet(rows: Row[], path: string): Promise<void> {
  await withTables({ trials: rows }, async (connection, folder) => {
    const whole = join(folder, 'trials.parquet');
    try {
      await connection.run(`COPY trials TO ${sqlText(whole)} (FORMAT parquet)`);
    } catch (error) {
      throw new UserError(`cannot write this file: ${(error as Error).message.split('\n')[0]}`, {
        place: path,
        cause: error,
      });
    }
    // What lies at the path is replaced by a whole file or stays as it is.
    writeAtomic(resolve(path), readFileSync(whole));
  });
}

async function withTables<T>(
  tables: Record<string, Row[]>,
  use: (connection: DuckDBConnection, folder: string) => Promise<T>,
): Promise<T> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const folder = mkdtempSync(join(tmpdir(), 'perflaw-query-'));
  try {
    const connection = await instance.connect();
    for (const [name, rows] of Object.entries(tables)) {
      const path = join(folder, `${name}.jsonl`);
      try {
        writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      } catch (error) {
        throw fileError(error, path, 'write this temporary file');
      }
      const columns = [...columnTypes(rows)].map(([column, type]) => `${sqlText(column)}: ${sqlText(type)}`);
      await connection.run(
        columns.length === 0
          ? `CREATE TABLE ${sqlName(name)} (id VARCHAR)`
          : `CREATE TABLE ${sqlName(name)} AS SELECT * FROM read_json(${sqlText(path)}, format = 'newline_delimited', columns = {${columns.join(', ')}})`,
      );
    }
    return await use(connection, folder);
  } finally {
    instance.closeSync();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Columns in the order of their first appearance, with the narrowest type that holds every value. */
export function columnTypes(rows: readonly Row[]): Map<string, 'BIGINT' | 'DOUBLE' | 'VARCHAR'> {
  const types = new Map<string, 'BIGINT' | 'DOUBLE' | 'VARCHAR' | undefined>();
  for (const row of rows)
    for (const [column, value] of Object.entries(row)) {
      const before = types.get(column);
      if (value === null || before === 'VARCHAR') types.set(column, before);
      else if (typeof value === 'string') types.set(column, 'VARCHAR');
      else types.set(column, Number.isSafeInteger(value) && before !== 'DOUBLE' ? 'BIGINT' : 'DOUBLE');
    }
  return new Map([...types].map(([column, type]) => [column, type ?? 'VARCHAR']));
}

function plain(value: unknown): string | number | null {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return String(value);
}
