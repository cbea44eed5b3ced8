/** Columns and lists by what a table's first rows hold. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { type ColumnChoice, type ColumnOptions, chooseColumns, type Samples } from './columns.js';
import { NO_COLUMN } from './formats.js';
import { firstElement, type ListStyle, listStyle } from './lists.js';
import type { Table } from './table.js';
import { allOf, readCondition } from './where.js';

/** Rows that columns are guessed from. */
const SAMPLE = 1000;

/** Chooses the columns by names and by some values; a column of lists is known by its first elements. */
export async function chooseByValues(
  connection: DuckDBConnection,
  table: Table,
  options: ColumnOptions & { where?: string[] },
  place: string,
): Promise<{ choice: ColumnChoice; lists: Map<number, ListStyle>; samples: Samples }> {
  const kept = allOf((options.where ?? []).map((text) => readCondition(text, table.columns, place)));
  const texts = table.columns.map(({ sql }, i) => `CAST(${sql} AS VARCHAR) AS s${i}`).join(', ');
  const values = (
    await connection.runAndReadAll(`SELECT ${texts} FROM ${table.from} WHERE ${kept} LIMIT ${SAMPLE}`)
  ).getRows();
  const samples = table.columns.map((_, i) => values.map((row) => row[i] as string | null));
  const styles = table.columns.map((column, i) => listStyle(column, samples[i]!));
  const names = table.columns.map(({ name }) => name);
  const lists = new Map<number, ListStyle>();
  // First who and what: only where the item is a list are other cells with separators lists too, not dates.
  const { user, item } = chooseColumns(
    names,
    { ...options, time: options.time ?? NO_COLUMN, order: options.order ?? NO_COLUMN },
    place,
    samples,
  );
  const style = styles[item];
  // Between separators: a list only where a row is a user's whole history, not a text with commas.
  const isList =
    style !== undefined && (style.length > 1 || new Set(samples[user]).size === samples[user]!.length);
  if (!isList) return { choice: chooseColumns(names, options, place, samples), lists, samples };
  const shown = samples.map((sample, i) => {
    const own = styles[i];
    return own === undefined ? sample : sample.map((cell) => firstElement(cell, own));
  });
  const choice = chooseColumns(names, options, place, shown);
  for (const at of [choice.item, choice.time, choice.order])
    if (at !== undefined && styles[at] !== undefined) lists.set(at, styles[at]);
  return { choice, lists, samples: shown };
}
