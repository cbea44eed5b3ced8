/** The rows of a table of results as they stand in the file: CSV and its kin, JSON, JSON lines or Parquet. All of them, or an error. */
import { accessSync, readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { fileError, UserError } from '../../../util/errors.js';
import { wideEncoding } from '../../../util/text.js';
import { type Csv, parseCsv } from './csv.js';

export type Cell = string | number | boolean | null | undefined;

export interface RawRow {
  /** `runs.csv:12`, or `runs.json row 3`. */
  place: string;
  cells: Record<string, Cell>;
}

/** A table before anything in it is understood. */
export interface RawTable {
  columns: string[];
  rows: RawRow[];
  notes: string[];
}

/**
 * @throws UserError for a file that cannot be read whole, with its line or row.
 */
export async function readRows(path: string): Promise<RawTable> {
  const extension = extname(path).toLowerCase();
  if (extension === '.parquet') return tableOf(await readParquet(path));
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError(error, path, 'read this table');
  }
  const text = decode(bytes, path);
  if (text.trim() === '')
    throw new UserError('the table is empty', { place: path, remedy: 'It needs a header and a row a run.' });
  if (['.json', '.jsonl', '.ndjson'].includes(extension)) return tableOf(jsonRows(text, path));
  return csvTable(text, path);
}

const tableOf = (rows: RawRow[]): RawTable => ({
  columns: [...new Set(rows.flatMap((row) => Object.keys(row.cells)))],
  rows,
  notes: [],
});

/** What a file is whose first bytes say that it is no text. */
const KINDS: [bytes: number[], what: string, remedy: string][] = [
  [[0x1f, 0x8b], 'a gzip file', 'Unpack it first: gunzip FILE.'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'a Zstandard file', 'Unpack it first: zstd -d FILE.'],
  [[0x42, 0x5a, 0x68], 'a bzip2 file', 'Unpack it first: bunzip2 FILE.'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'an xz file', 'Unpack it first: xz -d FILE.'],
  [
    [0x50, 0x4b, 0x03, 0x04],
    'a zip archive or an Excel workbook',
    'Unpack it, or save the sheet as CSV (UTF-8).',
  ],
  [[0x50, 0x41, 0x52, 0x31], 'a Parquet file', 'Let its name end in .parquet.'],
];

function decode(bytes: Buffer, path: string): string {
  for (const [head, what, remedy] of KINDS)
    if (head.every((byte, i) => bytes[i] === byte))
      throw new UserError(`this is ${what}, not text`, { place: path, remedy });
  const encoding = wideEncoding(bytes.subarray(0, 4096)) ?? 'utf-8';
  if (encoding === 'utf-8' && bytes.includes(0))
    throw new UserError('this is not a text file', {
      place: path,
      remedy: 'A table is CSV, JSON or Parquet.',
    });
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`this is not ${encoding.toUpperCase()} text`, {
      place: `${path}:${badLine(bytes)}`,
      remedy: 'Save the file as UTF-8; it may also be damaged.',
    });
  }
}

/** The first line that is no UTF-8. */
function badLine(bytes: Buffer): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (let line = 1, from = 0; ; line++) {
    const end = bytes.indexOf(10, from);
    try {
      decoder.decode(bytes.subarray(from, end < 0 ? undefined : end));
    } catch {
      return line;
    }
    if (end < 0) return line;
    from = end + 1;
  }
}

const isNumber = (text: string) => text !== '' && Number.isFinite(Number(text));

function csvTable(text: string, path: string): RawTable {
  const name = basename(path);
  const csv = parseCsv(text, name);
  const notes: string[] = [];
  const { columns, line, rows } = headed(csv, name);
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twice !== undefined)
    throw new UserError(`the column "${twice}" is there twice`, {
      place: `${name}:${line}`,
      remedy: 'Rename one.',
    });
  const list: RawRow[] = [];
  let blank = 0;
  for (const row of rows) {
    const place = `${name}:${row.line}`;
    if (row.fields.length !== columns.length)
      throw new UserError(`${row.fields.length} fields where the header has ${columns.length}`, {
        place,
        remedy: 'Check for a missing or a stray delimiter; the file may also be cut off.',
      });
    if (row.fields.every((field) => field === '')) blank++;
    else list.push({ place, cells: Object.fromEntries(columns.map((column, i) => [column, row.fields[i]])) });
  }
  const left = csv.comments.filter((comment) => comment.line !== line).length;
  if (left > 0) notes.push(`${left} ${left === 1 ? 'line' : 'lines'} left out as comments (#)`);
  if (blank > 0) notes.push(`${blank} ${blank === 1 ? 'row' : 'rows'} without any value left out`);
  return { columns, rows: list, notes };
}

/** The header and the rows below it; a header may itself stand behind a #, as NumPy writes it. */
function headed(csv: Csv, name: string): { columns: string[]; line: number; rows: Csv['rows'] } {
  const [first, ...rest] = csv.rows;
  if (!first)
    throw new UserError('the table has no rows', {
      place: name,
      remedy: 'It needs a header and a row a run.',
    });
  if (first.fields.some((field) => field !== '') && first.fields.every((f) => f === '' || isNumber(f))) {
    const above = csv.comments.filter((comment) => comment.line < first.line).at(-1);
    const names = above?.text.split(csv.delimiter).map((field) => field.trim());
    if (names?.length === first.fields.length)
      return { columns: named(names), line: above!.line, rows: csv.rows };
    throw new UserError('the first line holds numbers where the names of the columns belong', {
      place: `${name}:${first.line}`,
      remedy: 'Write a header such as layers,dim,ndcg@10 above it.',
    });
  }
  return { columns: named(first.fields), line: first.line, rows: rest };
}

/** An index column has no name in what pandas writes. */
const named = (fields: readonly string[]) =>
  fields.map((field, i) => (field === '' ? `column ${i + 1}` : field));

function jsonRows(text: string, path: string): RawRow[] {
  const name = basename(path);
  const lines = text.split('\n');
  const filled = lines.filter((line) => line.trim() !== '').length;
  const isLines =
    !text.trimStart().startsWith('[') &&
    filled > 1 &&
    (extname(path).toLowerCase() !== '.json' || isObject(lines.find((line) => line.trim() !== '')!));
  if (isLines)
    return lines.flatMap((line, i) => {
      if (line.trim() === '') return [];
      const place = `${name}:${i + 1}`;
      return [jsonRow(parseJson(line, place), place)];
    });
  return listed(parseJson(text, name), name).map((item, i) => {
    const place = `${name} row ${i + 1}`;
    return jsonRow(item, place);
  });
}

function isObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const at = /position (\d+)/.exec(message)?.[1];
    const line = at === undefined ? undefined : text.slice(0, Number(at)).split('\n').length;
    throw new UserError(`not valid JSON (${message})`, {
      place: line === undefined || /:\d+$/.test(place) ? place : `${place}:${line}`,
      remedy: /\b(NaN|Infinity)\b/.test(text)
        ? 'NaN and Infinity are no JSON: write null.'
        : 'The file may be cut off; write it again.',
    });
  }
}

/** Rows of a list, of `{rows: [...]}`, of pandas' `split` (`{columns, data}`) and of its tables by column. */
function listed(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null) return [value];
  const { rows, columns, data } = value as Record<string, unknown>;
  if (Array.isArray(rows)) return rows;
  if (Array.isArray(columns) && Array.isArray(data))
    return data.map((row, i) => {
      if (!Array.isArray(row) || row.length !== columns.length)
        throw new UserError(`a row of ${columns.length} values belongs here`, {
          place: `${name} row ${i + 1}`,
        });
      return Object.fromEntries(columns.map((column, k) => [String(column), row[k]]));
    });
  const lists = Object.entries(value);
  const keys = (list: unknown) => (typeof list === 'object' && list !== null ? Object.keys(list) : []);
  const first = keys(lists[0]?.[1]);
  if (!lists.every(([, list]) => keys(list).length > 0) || !/^\d+$/.test(first[0] ?? '')) return [value];
  const odd = lists.find(([, list]) => keys(list).join() !== first.join());
  if (odd)
    throw new UserError(`the column "${odd[0]}" has other rows than "${lists[0]![0]}"`, { place: name });
  return first.map((key) =>
    Object.fromEntries(lists.map(([column, list]) => [column, (list as Record<string, unknown>)[key]])),
  );
}

function jsonRow(item: unknown, place: string): RawRow {
  if (item === null || typeof item !== 'object' || Array.isArray(item))
    throw new UserError('a row must be an object of column names and values', { place });
  const cells: Record<string, Cell> = {};
  flatten(item as Record<string, unknown>, '', cells);
  return { place, cells };
}

/** Nested objects as `config.hidden_size`; lists as their JSON. */
function flatten(item: Record<string, unknown>, prefix: string, cells: Record<string, Cell>): void {
  for (const [key, value] of Object.entries(item))
    if (Array.isArray(value)) cells[prefix + key] = JSON.stringify(value);
    else if (typeof value === 'object' && value !== null)
      flatten(value as Record<string, unknown>, `${prefix}${key}.`, cells);
    else cells[prefix + key] = value as Cell;
}

async function readParquet(path: string): Promise<RawRow[]> {
  try {
    accessSync(path);
  } catch (error) {
    throw fileError(error, path, 'read this table');
  }
  const { sqlText, withDuckDb } = await import('../../../data/duckdb.js');
  return withDuckDb(path, async (connection) => {
    const file = sqlText(path);
    const result = await connection.runAndReadAll(`SELECT * FROM read_parquet(${file})`);
    const rows = result.getRowObjects();
    // a second count, by the file's own word: a reader that ends early must not pass for the end of the file
    const counted = await connection.runAndReadAll(
      `SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata(${file})`,
    );
    const promised = Number(counted.getRows()[0]?.[0]);
    if (promised !== rows.length)
      throw new UserError(`${rows.length} rows were read where the file names ${promised}`, {
        place: path,
        remedy: 'The file is damaged; write or copy it again.',
      });
    return rows.map((row, i) => ({
      place: `${basename(path)} row ${i + 1}`,
      cells: Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          typeof value === 'bigint'
            ? Number(value)
            : typeof value === 'object' && value !== null
              ? String(value)
              : (value as Cell),
        ]),
      ),
    }));
  });
}
