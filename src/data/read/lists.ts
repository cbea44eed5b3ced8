/**
 * Histories in cells: items (and their times) as lists, in brackets, between separators, or as lists of a typed file, and events
 * nested in a row (`{session, events: [{aid, ts}]}`). Each becomes rows of one interaction.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { UserError } from '../../util/errors.js';
import { nearest } from '../../util/nearest.js';
import { describeTable, sqlName, sqlText } from '../duckdb.js';
import { isMissingSql } from './identifiers.js';
import { columnError, firstRow } from './profile.js';
import { checkCount, type Table, type TableColumn } from './table.js';

/** How a column writes lists: as a type, as JSON, in brackets, or between separators. */
export type ListStyle = 'typed' | 'json' | 'brackets' | ',' | '|' | ';' | ' ';

const TOKEN = /^(?:[\w:.+-]+|\d{4}-\d\d-\d\d[ T][\d:.]+Z?)$/;

/** The way most of the values are lists; undefined where they are none. */
export function listStyle(column: TableColumn, values: readonly (string | null)[]): ListStyle | undefined {
  if (column.nested !== undefined)
    return column.nested.endsWith('[]') && !column.nested.includes('STRUCT') ? 'json' : undefined;
  if (column.type.endsWith('[]') && !column.type.includes('STRUCT')) return 'typed';
  if (column.type !== 'VARCHAR') return undefined;
  const cells = values
    .filter((value): value is string => value !== null && value.trim() !== '')
    .map((value) => value.trim());
  if (cells.length === 0) return undefined;
  const most = (test: (cell: string) => boolean) => cells.filter(test).length >= 0.8 * cells.length;
  if (most((cell) => /^(\[.*\]|\(.*\))$/s.test(cell))) return 'brackets';
  for (const separator of [',', '|', ';', ' '] as const) {
    const parts = cells.map((cell) => cell.split(separator).map((part) => part.trim()));
    if (
      parts.filter((list) => list.length > 1).length >= 0.8 * cells.length &&
      parts.some((list) => list.length > 2) &&
      parts.every((list) => list.every((part) => TOKEN.test(part)))
    )
      return separator;
  }
  return undefined;
}

/** The first element of a cell, to see what its list holds. */
export function firstElement(cell: string | null, style: ListStyle): string | null {
  if (cell === null) return null;
  const inside = cell
    .trim()
    .replace(/^[[(]\s*/, '')
    .replace(/\s*[\])]$/, '');
  const first =
    style.length === 1 ? inside.split(style)[0]! : inside.split(/\s*,\s*|\s+(?=\d+[\s.]|\d+$)/)[0]!;
  return first.trim().replace(/^(["'])(.*)\1$/s, '$2');
}

function listSql(column: TableColumn, style: ListStyle): string {
  const { sql } = column;
  switch (style) {
    case 'typed':
      return sql;
    case 'json':
      return `TRY(from_json(${sql}, '["VARCHAR"]'))`;
    case 'brackets': {
      const inside = `trim(${sql}, ' []()' || chr(10) || chr(13))`;
      const plain = `CASE WHEN ${inside} = '' THEN [] WHEN contains(${inside}, '...') OR contains(${inside}, '[') THEN NULL ELSE string_split_regex(rtrim(${inside}, ', '), ' *, *|\\s+') END`;
      const quoted = `coalesce(TRY(from_json(${sql}, '["VARCHAR"]')), TRY(from_json(replace(replace(replace(${sql}, '(', '['), ')', ']'), '''', '"'), '["VARCHAR"]')))`;
      return `CASE WHEN regexp_matches(${sql}, '["'']') THEN ${quoted} ELSE ${plain} END`;
    }
    default:
      return `list_transform(string_split(${sql}, ${sqlText(style)}), lambda x: trim(x))`;
  }
}

/**
 * Makes one row of each element of the listed columns, which must be equally long in every row; the other columns repeat.
 * @throws UserError where a cell is no list, was cut ("...") or differs in length, with its row.
 */
export async function unfoldLists(
  connection: DuckDBConnection,
  table: Table,
  lists: ReadonlyMap<number, ListStyle>,
  place: string,
  notes: string[],
): Promise<Table> {
  const indexes = [...lists.keys()];
  const expression = (i: number) => listSql(table.columns[i]!, lists.get(i)!);
  const isBad = indexes.map((i) => `(${expression(i)} IS NULL AND NOT ${missing(table.columns[i]!)})`);
  const length = (i: number) => `coalesce(len(${expression(i)}), 0)`;
  const differs = indexes.slice(1).map((i) => `${length(i)} <> ${length(indexes[0]!)}`);
  const names = indexes.map((i) => table.columns[i]!.name).join(', ');
  const faults = [
    ...isBad.map((sql) => ({
      sql,
      what: 'is no list that can be read (perhaps cut with "...", or nested)',
      remedy: 'Write lists as [1, 2, 3] or 1,2,3, or one row an interaction.',
    })),
    ...differs.map((sql) => ({
      sql,
      what: `is a list of another length than the one beside it (${names})`,
      remedy: 'Mend the row, or name the columns that belong together with --item and --time.',
    })),
  ];
  const first = length(indexes[0]!);
  const [rows, counted, empty, ...faulty] = await countAll(connection, table, [
    'count(*)',
    `sum(${first})`,
    `count(*) FILTER (${first} = 0)`,
    ...faults.map(({ sql }) => `count(*) FILTER (${sql})`),
  ]);
  checkCount(table, rows!, place);
  const fault = faults.find((_, i) => faulty[i]! > 0);
  if (fault) {
    const cell = `CAST(${table.columns[indexes[0]!]!.sql} AS VARCHAR)`;
    const found = await firstRow(connection, table, place, fault.sql, cell);
    throw columnError(found, `the list ${JSON.stringify(found.text)} ${fault.what}`, fault.remedy);
  }
  notes.push(`Read as lists: ${names}; each row holds a history, in order.`);
  if (empty! > 0) notes.push(`${empty} rows hold an empty list and give no interaction.`);
  const inner = indexes.map((i, n) => `unnest(${expression(i)}) AS u${n}`).join(', ');
  const others = table.columns.flatMap(({ sql }, i) => (lists.has(i) ? [] : [`${sql} AS k${i}`]));
  return {
    from: `(SELECT ${[...others, inner].join(', ')} FROM ${table.from})`,
    columns: table.columns.map((column, i) => {
      const at = indexes.indexOf(i);
      if (at < 0) return { ...column, sql: `k${i}` };
      const type = lists.get(i) === 'typed' ? column.type.slice(0, -2) : 'VARCHAR';
      return { name: column.name, type, sql: `u${at}` };
    }),
    firstLine: undefined,
    counted,
    unfoldedFrom: table.unfoldedFrom ?? rows,
  };
}

const missing = (column: TableColumn) =>
  column.type === 'VARCHAR' ? isMissingSql(column) : `${column.sql} IS NULL`;

const isEvents = ({ nested, type }: TableColumn) => /^STRUCT.*\[\]$/s.test(nested ?? type);

/**
 * Makes one row of each nested event where the caller names the column, or where one column alone holds events.
 * @throws UserError where the named column holds none.
 */
export async function unfoldEvents(
  connection: DuckDBConnection,
  table: Table,
  asked: string | undefined,
  place: string,
  notes: string[],
): Promise<Table> {
  const all = table.columns.filter(isEvents);
  const column =
    asked === undefined
      ? all.length === 1
        ? all[0]
        : undefined
      : table.columns.find(({ name }) => name === asked);
  if (asked !== undefined && (!column || !isEvents(column))) {
    const near = nearest(
      asked,
      table.columns.map(({ name }) => name),
    );
    throw new UserError(
      column
        ? `column "${asked}" holds ${column.nested ?? column.type}, not a list of events`
        : `there is no column "${asked}"`,
      {
        place,
        remedy:
          all.length > 0
            ? `Events are in ${all.map(({ name }) => name).join(', ')}.`
            : column || near === undefined
              ? 'Events are a list of objects: {"session": 1, "events": [{"aid": 5, "ts": 1}]}.'
              : `Did you mean --events ${near}?`,
      },
    );
  }
  if (!column) return table;
  const isJson = column.nested !== undefined;
  const list = isJson ? `from_json(${column.sql}, '["JSON"]')` : column.sql;
  const others = table.columns.filter((each) => each !== column);
  const outer = others.map(({ sql }, i) => `${sql} AS k${i}`);
  const from = `(SELECT ${[...outer, `unnest(${list}) AS e`].join(', ')} FROM ${table.from})`;
  const fields = isJson
    ? (
        await connection.runAndReadAll(
          `SELECT DISTINCT unnest(json_keys(e)) AS k FROM (SELECT e FROM ${from} LIMIT 20000) ORDER BY k`,
        )
      )
        .getRows()
        .map(([name]) => ({
          name: String(name),
          type: 'VARCHAR',
          sql: `(e->>${sqlText(`$.${sqlName(String(name))}`)})`,
        }))
    : await describeTable(connection, `(SELECT e.* FROM ${from})`).then(({ names, types }) =>
        names.map((name, i) => ({ name, type: types[i]!, sql: `e.${sqlName(name)}` })),
      );
  const length = `coalesce(len(${list}), 0)`;
  const [rows, counted, empty] = await countAll(connection, table, [
    'count(*)',
    `sum(${length})`,
    `count(*) FILTER (${length} = 0)`,
  ]);
  checkCount(table, rows!, place);
  notes.push(`Read as events: one row each of ${column.name}.`);
  if (empty! > 0) notes.push(`${empty} rows hold no event.`);
  const isTaken = (name: string) => others.some((other) => other.name === name);
  return {
    from,
    columns: [
      ...others.map((each, i) => ({ ...each, sql: `k${i}` })),
      ...fields.map((field) => ({
        ...field,
        name: isTaken(field.name) ? `${column.name}.${field.name}` : field.name,
      })),
    ],
    firstLine: undefined,
    counted,
    unfoldedFrom: rows,
  };
}

/** Aggregates over a table, in one reading; 0 for none. */
async function countAll(
  connection: DuckDBConnection,
  { from }: Table,
  aggregates: string[],
): Promise<number[]> {
  const asked = aggregates.map((sql) => `(${sql})::DOUBLE`).join(', ');
  return (await connection.runAndReadAll(`SELECT ${asked} FROM ${from}`)).getRows()[0]!.map(Number);
}
