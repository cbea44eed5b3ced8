/** Rows of an opened table as (user, item, time, order): the query that gives them and the reader of its chunks. */
import type { DuckDBDataChunk } from '@duckdb/node-api';
import { UserError } from '../util/errors.js';
import { type ColumnOptions, chooseColumns } from './columns.js';
import type { Identifier } from './raw.js';
import type { Table } from './table.js';
import { whereSql } from './where.js';

export interface RowPlan {
  hasTime: boolean;
  hasOrder: boolean;
  /** The query whose rows come as the file has them. */
  inFileOrder: string;
  /** The query whose rows come by user, time, order column and row; sorted by DuckDB, on disk where need be. */
  byHistory: string;
  /** Hands over the rows of a chunk. @throws UserError where a cell is empty or no number. */
  read(
    chunk: DuckDBDataChunk,
    use: (user: Identifier, item: Identifier, time: number, order: number) => void,
  ): void;
}

/** Chooses the columns, says so in `notes`, and plans the reading. */
export function planRows(
  table: Table,
  options: ColumnOptions & { where?: string[] },
  path: string,
  notes: string[],
): RowPlan {
  const { from, columns, firstLine } = table;
  const names = columns.map(({ name }) => name);
  const choice = chooseColumns(names, options, path);
  const said = (['user', 'item', 'time', 'order'] as const)
    .filter((role) => choice[role] !== undefined)
    .map((role) => `${role} = ${names[choice[role]!]}`);
  notes.push(`Columns: ${said.join(', ')}.`);
  if (choice.time === undefined && choice.order === undefined)
    notes.push(
      'No time and no order column (--time or --order names one): the rows of a user are taken to be in order.',
    );
  const value = (at: number | undefined) =>
    at === undefined ? ['NULL::DOUBLE', 'NULL::VARCHAR'] : numberSql(columns[at]!, path);
  const expressions = [
    ...identifierSql(columns[choice.user]!, path),
    ...identifierSql(columns[choice.item]!, path),
    ...value(choice.time),
    ...value(choice.order),
  ];
  const where = whereSql(options.where ?? [], columns, path);
  const selected = expressions.map((sql, i) => `${sql} AS v${i}`).join(', ');
  let sorted = false;
  let row = 0;
  const fail = (what: string, remedy: string) =>
    new UserError(what, { place: where === '' && !sorted ? `${path}:${row + firstLine}` : path, remedy });
  return {
    hasTime: choice.time !== undefined,
    hasOrder: choice.order !== undefined,
    inFileOrder: `SELECT ${selected} FROM ${from}${where}`,
    get byHistory() {
      sorted = true;
      return `SELECT * FROM (SELECT ${selected}, row_number() OVER () AS r FROM ${from}${where}) ORDER BY v0, v1, v4, v6, r`;
    },
    read(chunk, use) {
      const vectors = expressions.map((_, i) => chunk.getColumnVector(i));
      const numeric = (vector: number, i: number, at: number | undefined): number => {
        if (at === undefined) return 0;
        const found = vectors[vector]!.getItem(i) as number | null;
        if (found !== null && Number.isFinite(found)) return found;
        const text = vectors[vector + 1]!.getItem(i) as string | null;
        throw fail(
          text === null
            ? `column "${names[at]}" is empty`
            : `column "${names[at]}" holds ${JSON.stringify(text.slice(0, 60))}, which is neither a number nor a date`,
          'Choose another column with --time or --order, or mend the row.',
        );
      };
      for (let i = 0; i < chunk.rowCount; i++, row++) {
        const user = (vectors[0]!.getItem(i) ?? vectors[1]!.getItem(i)) as Identifier | null;
        const item = (vectors[2]!.getItem(i) ?? vectors[3]!.getItem(i)) as Identifier | null;
        if (user === null || item === null)
          throw fail(
            user === null
              ? `the user ("${names[choice.user]}") is empty`
              : `the item ("${names[choice.item]}") is empty`,
            'Fill it in or remove the row.',
          );
        use(user, item, numeric(4, i, choice.time), numeric(6, i, choice.order));
      }
    },
  };
}

/** Two expressions for an identifier: as a 32-bit number where its text is one in canonical form, else as text. */
function identifierSql({ sql, type, name }: Table['columns'][number], path: string): [string, string] {
  if (/^(TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT)$/.test(type))
    return [`${sql}::INTEGER`, 'NULL::VARCHAR'];
  if (/\[|STRUCT|MAP|UNION|BLOB/.test(type))
    throw new UserError(`column "${name}" holds ${type}, not identifiers`, {
      place: path,
      remedy: 'Give one row an interaction.',
    });
  let text = `CAST(${sql} AS VARCHAR)`;
  // Whole numbers that a table stored as floating point are the same identifiers: 12.0 is 12.
  if (/^(FLOAT|DOUBLE|DECIMAL)/.test(type))
    text = `COALESCE(CASE WHEN ${sql} = floor(${sql}) THEN CAST(TRY_CAST(${sql} AS HUGEINT) AS VARCHAR) END, ${text})`;
  const whole = `CASE WHEN CAST(TRY_CAST(${text} AS INTEGER) AS VARCHAR) = ${text} THEN TRY_CAST(${text} AS INTEGER) END`;
  return [
    whole,
    `CASE WHEN CAST(TRY_CAST(${text} AS INTEGER) AS VARCHAR) IS DISTINCT FROM ${text} THEN ${text} END`,
  ];
}

/** Two expressions for a time or an order: the number, and the text where it is none. */
function numberSql({ sql, type, name }: Table['columns'][number], path: string): [string, string] {
  if (/^(TIMESTAMP|DATE)/.test(type)) return [`epoch(${sql})::DOUBLE`, 'NULL::VARCHAR'];
  if (/^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL)/.test(type))
    return [`${sql}::DOUBLE`, `CAST(${sql} AS VARCHAR)`];
  if (type !== 'VARCHAR')
    throw new UserError(`column "${name}" holds ${type}, neither numbers nor dates`, { place: path });
  const value = `COALESCE(TRY_CAST(${sql} AS DOUBLE), epoch(TRY_CAST(${sql} AS TIMESTAMP)))`;
  return [value, `CASE WHEN ${value} IS NULL OR NOT isfinite(${value}) THEN ${sql} END`];
}
