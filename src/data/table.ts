/** A file as a table expression of DuckDB with its columns: the one place where file names and headers meet SQL. */
import { resolve } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Detected } from './detect.js';
import { describeTable, sqlName, sqlText } from './duckdb.js';

export interface Table {
  /** What to select from. */
  from: string;
  /** Columns as the file names them, their SQL types, and the SQL that names them. */
  columns: { name: string; type: string; sql: string }[];
  /** Line (or row) of the first record, for messages. */
  firstLine: number;
}

/** Opens a detected file. Delimited columns are text under names of our own, so that a header's words never reach the SQL. */
export async function openTable(
  connection: DuckDBConnection,
  path: string,
  detected: Exclude<Detected, { kind: 'sequences' }>,
): Promise<Table> {
  const file = sqlText(resolve(path));
  if (detected.kind === 'delimited') {
    const { names, header, delimiter, gzip } = detected;
    const quote = sqlText(detected.quote);
    const types = names.map((_, i) => `c${i}: 'VARCHAR'`).join(', ');
    return {
      from:
        `read_csv(${file}, auto_detect = false, columns = {${types}}, header = ${header}, ` +
        `delim = ${sqlText(delimiter)}, quote = ${quote}, escape = ${quote}, hive_partitioning = false, ` +
        `compression = '${gzip ? 'gzip' : 'none'}')`,
      columns: names.map((name, i) => ({ name, type: 'VARCHAR', sql: `c${i}` })),
      firstLine: header ? 2 : 1,
    };
  }
  const from =
    detected.kind === 'parquet'
      ? `read_parquet(${file}, hive_partitioning = false)`
      : `read_json(${file}, format = 'auto', hive_partitioning = false)`;
  const { names, types } = await describeTable(connection, from);
  return {
    from,
    columns: names.map((name, i) => ({ name, type: types[i]!, sql: sqlName(name) })),
    firstLine: 1,
  };
}
