/** A file as a table expression of DuckDB with its columns: the one place where file names and headers meet SQL. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { UserError } from '../../util/errors.js';
import { describeTable, sqlName, sqlText } from '../duckdb.js';
import type { Delimited, Detected } from './file/detect.js';
import type { Scan } from './file/scan.js';
import type { Source } from './file/source.js';

export interface TableColumn {
  /** As the file names it. */
  name: string;
  /** The SQL type; JSON's columns are texts, so that no digit is lost. */
  type: string;
  /** The SQL that gives its value. */
  sql: string;
  /** What a JSON column really holds where that is no single value: `BIGINT[]`, `STRUCT(...)[]`. */
  nested?: string;
}

export interface Table {
  /** What to select from. */
  from: string;
  columns: TableColumn[];
  /** Line (or row) of the first record, for messages; undefined where rows are no lines of the file. */
  firstLine: number | undefined;
  /** Rows by a count that is independent of the reader; undefined where there is none. */
  counted: number | undefined;
  /** Quotes were found to be letters, unasked: an identifier that begins with one is suspect. */
  hasLoneQuotes?: boolean;
  /** Rows of the file, where rows of the table are elements of its lists. */
  unfoldedFrom?: number;
}

/** Whether a column holds numbers by its type. */
export function isNumeric({ type }: TableColumn): boolean {
  return /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL)/.test(type);
}

/** Whether a column holds dates by its type. */
export function isDated({ type }: TableColumn): boolean {
  return /^(TIMESTAMP|DATE$)/.test(type);
}

/** @throws UserError where the rows as they are read are not as many as the file has by a count of its own. */
export function checkCount({ counted }: Table, rows: number, place: string): void {
  if (counted !== undefined && counted !== rows)
    throw new UserError(`the file has ${counted} records by its lines, ${rows} as it is read`, {
      place,
      remedy: 'Quotes may be in the way: try --quote none; or the file is damaged.',
    });
}

/** A detected table with what the scan of its bytes found. */
export type Opened =
  | { detected: Delimited; scan: Scan; quote: string }
  | { detected: Extract<Detected, { kind: 'json' }>; scan: Scan; isLines: boolean }
  | { detected: Extract<Detected, { kind: 'parquet' }> };

/** Opens a table. Delimited columns are text under names of our own, so that a header's words never reach the SQL. */
export async function openTable(
  connection: DuckDBConnection,
  source: Source,
  opened: Opened,
  asked: readonly string[] = [],
): Promise<Table> {
  const file = sqlText(resolve(source.path));
  switch (opened.detected.kind) {
    case 'delimited':
      return delimitedTable(file, opened as Extract<Opened, { quote: string }>);
    case 'json':
      return jsonTable(connection, file, source, opened as Extract<Opened, { isLines: boolean }>, asked);
    case 'parquet': {
      const from = `read_parquet(${file}, hive_partitioning = false)`;
      const { names, types } = await describeTable(connection, from);
      const [row] = (
        await connection.runAndReadAll(`SELECT sum(num_rows)::DOUBLE FROM parquet_file_metadata(${file})`)
      ).getRows();
      return {
        from,
        columns: names.map((name, i) => ({ name, type: types[i]!, sql: sqlName(name) })),
        firstLine: 1,
        counted: Number(row![0]),
      };
    }
  }
}

function delimitedTable(
  file: string,
  { detected, scan, quote }: { detected: Delimited; scan: Scan; quote: string },
): Table {
  const { names, header, delimiter, skip } = detected;
  const types = names.map((_, i) => `c${i}: 'VARCHAR'`).join(', ');
  const longest = scan.longest + 1024;
  // The parser holds a few lines at least; its own limit is 2 MB a line.
  const size = longest > 2_000_000 ? `, max_line_size = ${longest}, buffer_size = ${16 * longest}` : '';
  return {
    from:
      `read_csv(${file}, auto_detect = false, columns = {${types}}, header = ${header}, skip = ${skip}, ` +
      `delim = ${sqlText(delimiter)}, quote = ${sqlText(quote)}, escape = ${sqlText(quote)}, hive_partitioning = false, ` +
      `compression = 'none'${size})`,
    columns: names.map((name, i) => ({ name, type: 'VARCHAR', sql: unquoted(`c${i}`, quote, scan) })),
    firstLine: skip + (header ? 2 : 1),
    hasLoneQuotes: quote === '' && detected.quote === undefined,
    counted: (quote === '' ? scan.lines : scan.records) - (header ? 1 : 0),
  };
}

/** Where quotes mean nothing as a rule, a field that is quoted whole is quoted all the same. */
function unquoted(sql: string, quote: string, { quotes }: Scan): string {
  if (quote !== '' || quotes.whole === 0) return sql;
  return `CASE WHEN regexp_full_match(${sql}, '".*"') THEN replace(${sql}[2:-2], '""', '"') ELSE ${sql} END`;
}

/** Every column as text (numbers keep their digits); what is nested is known by its type in a sample, or in all rows where a column was asked for. */
async function jsonTable(
  connection: DuckDBConnection,
  file: string,
  source: Source,
  { scan, isLines }: { scan: Scan; isLines: boolean },
  asked: readonly string[],
): Promise<Table> {
  const longest = isLines ? scan.longest : statSync(source.path).size;
  const common = `format = '${isLines ? 'newline_delimited' : 'auto'}', hive_partitioning = false, maximum_object_size = ${Math.max(1 << 24, 2 * longest)}`;
  const describe = (sample: number) =>
    describeTable(
      connection,
      `read_json(${file}, ${common}, sample_size = ${sample}, map_inference_threshold = -1)`,
    );
  let { names, types } = await describe(20_480);
  if (asked.some((name) => !names.includes(name))) ({ names, types } = await describe(-1));
  if (names.length === 1 && names[0] === 'json')
    throw new UserError('the JSON holds no objects with named values', {
      place: source.place,
      remedy: 'Write one object a line, with the user, the item and the time.',
    });
  const columns = names.map((name) => `${sqlText(name)}: 'VARCHAR'`).join(', ');
  return {
    from: `read_json(${file}, ${common}, columns = {${columns}})`,
    columns: names.map((name, i) => ({
      name,
      type: 'VARCHAR',
      sql: sqlName(name),
      ...(/\[\]$|STRUCT|MAP|JSON/.test(types[i]!) && types[i] !== 'JSON' ? { nested: types[i]! } : {}),
    })),
    firstLine: 1,
    counted: isLines ? scan.lines : undefined,
  };
}
