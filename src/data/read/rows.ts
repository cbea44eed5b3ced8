/** Rows of an opened table as (user, item, time, order): decided by one counting reading, delivered by a second, counted against the first. */
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import { UserError } from '../../util/errors.js';
import { eachChunk } from '../duckdb.js';
import type { Identifier } from '../raw.js';
import { type ColumnChoice, type ColumnOptions, chooseColumns } from './columns.js';
import { isMissingSql, planIdentifier, profileIdentifier, trimmedSql } from './identifiers.js';
import { firstElement, type ListStyle, listStyle, unfoldEvents, unfoldLists } from './lists.js';
import { columnError, firstRow, Profile, shareOf, withoutMissing } from './profile.js';
import type { Table } from './table.js';
import { checkTimeFormat, planTime, profileTime, type TimeOptions } from './times.js';
import { type Condition, readCondition } from './where.js';

export type UseRow = (user: Identifier, item: Identifier, time: number, order: number) => void;

export interface RowOptions extends ColumnOptions, TimeOptions {
  /** Reads only the rows that meet all of these. */
  where?: string[];
  /** The column that holds nested events. */
  events?: string;
}

/** How many rows there were, and how many of them a condition left out. */
export interface RowCounts {
  rows: number;
  conditions: { condition: string; leftOut: number }[];
  /** Rows that meet every condition. */
  kept: number;
}

export interface Rows {
  hasTime: boolean;
  hasOrder: boolean;
  /** Columns that may order what ties in time. */
  mayOrder: string[];
  counts: RowCounts;
  /** Hands over the rows as the file has them. @throws UserError where not every row comes. */
  inFileOrder(use: UseRow): Promise<void>;
  /** Hands them over by user, time, order column and row; sorted by DuckDB, on disk where need be. */
  byHistory(use: UseRow): Promise<void>;
}

/** Rows that columns are guessed from. */
const SAMPLE = 1000;

/**
 * Chooses the columns, says so in `notes`, and counts.
 * @throws UserError for whatever is wrong with columns, conditions or cells.
 */
export async function openRows(
  connection: DuckDBConnection,
  opened: Table,
  options: RowOptions,
  place: string,
  notes: string[],
): Promise<Rows> {
  if (options.timeFormat !== undefined) await checkTimeFormat(connection, options.timeFormat);
  let table = await unfoldEvents(connection, opened, options.events, place, notes);
  const { choice, lists } = await choose(connection, table, options, place);
  if (lists.size > 0) table = await unfoldLists(connection, table, lists, place, notes);
  const names = table.columns.map(({ name }) => name);
  sayColumns(choice, names, notes);
  const column = (at: number) => table.columns[at]!;
  const user = column(choice.user);
  const item = column(choice.item);
  const time = choice.time === undefined ? undefined : column(choice.time);
  const order = choice.order === undefined ? undefined : column(choice.order);
  if (!time && (options.timeFormat !== undefined || (options.timeUnit ?? 'auto') !== 'auto'))
    throw new UserError('a format or unit of times, but no column of times', {
      place,
      remedy: 'Name it: --time COLUMN.',
    });

  const conditions = (options.where ?? []).map((text) => readCondition(text, table.columns, place));
  const keep = conditions.length === 0 ? 'true' : conditions.map(({ sql }) => `(${sql})`).join(' AND ');
  const profile = new Profile();
  profile.define('keep', keep);
  profile.ask('rows', 'count(*)');
  profile.ask('kept', 'count(*) FILTER (keep)');
  profileConditions(profile, conditions);
  profileIdentifier(profile, 'user', user, place);
  profileIdentifier(profile, 'item', item, place);
  if (time) profileTime(profile, 'time', time, options, place);
  if (order) profileTime(profile, 'order', order, options, place);
  const counts = await profile.run(connection, table.from);
  const rows = counts.get('rows')!;
  const kept = counts.get('kept')!;
  if (table.counted !== undefined && table.counted !== rows)
    throw new UserError(`the file has ${table.counted} records by its lines, ${rows} as it is read`, {
      place,
      remedy: 'Quotes may be in the way: try --quote none; or the file is damaged.',
    });
  sayConditions(conditions, counts, rows, notes);
  if (kept === 0)
    throw new UserError(
      rows === 0 ? 'the file holds no interactions' : 'no row meets the conditions: nothing is left',
      {
        place,
        remedy: rows === 0 ? 'Check the file.' : `${rows} rows were read; check --where.`,
      },
    );

  for (const [role, which] of [
    ['user', user],
    ['item', item],
  ] as const) {
    const absent = counts.get(`${role}.absent`)!;
    if (absent > 0)
      throw columnError(
        await firstRow(connection, table, place, `${keep} AND ${isMissingSql(which)}`, trimmedSql(which)),
        `the ${role} ("${which.name}") is empty or a word for no value (NA, NULL, ...) in ${shareOf(absent, kept)}`,
        `Leave them out: ${withoutMissing(which.name)}; or choose another column: --${role} COLUMN.`,
      );
    if (counts.get(`${role}.quote`)! > 0) {
      const found = await firstRow(
        connection,
        table,
        place,
        `${keep} AND starts_with(${trimmedSql(which)}, '"')`,
        trimmedSql(which),
      );
      throw columnError(
        found,
        `the ${role} ${JSON.stringify(found.text)} begins with a quote that does not end`,
        'Mend the row.',
      );
    }
  }
  const context = { connection, table, place, counts, kept, keep, now: Date.now() / 1000 };
  const userPlan = planIdentifier('user', user, counts);
  const itemPlan = planIdentifier('item', item, counts);
  const timePlan = time && (await planTime('time', time, options, context));
  const orderPlan = order && (await planTime('order', order, options, context));
  notes.push(...userPlan.notes, ...itemPlan.notes, ...(timePlan?.notes ?? []), ...(orderPlan?.notes ?? []));

  const expressions = [
    userPlan.number,
    itemPlan.number,
    timePlan?.sql,
    orderPlan?.sql,
    userPlan.text,
    itemPlan.text,
  ];
  const selected = expressions.flatMap((sql, i) => (sql === undefined ? [] : [`${sql} AS v${i}`]));
  const places = new Map(
    expressions.flatMap((sql, i) => (sql === undefined ? [] : [i])).map((i, at) => [i, at]),
  );
  const where = conditions.length === 0 ? '' : ` WHERE ${keep}`;
  const query = `SELECT ${selected.join(', ')} FROM ${table.from}${where}`;
  if (choice.unsureTime) {
    const id = places.has(4) ? 'coalesce(v0::VARCHAR, v4)' : 'v0';
    await refuseContradiction(
      connection,
      `SELECT ${id} AS u, v2 AS t, r FROM (SELECT ${selected.join(', ')}, row_number() OVER () AS r FROM ${table.from}${where})`,
      time!.name,
      place,
    );
  }
  const deliver = async (sql: string, use: UseRow) => {
    const came = await eachChunk(connection, sql, (chunk) => deliverChunk(chunk, places, use));
    if (came !== kept)
      throw new UserError(`only ${came} of ${kept} rows could be read`, {
        place,
        remedy:
          'The file changed while it was read, is damaged, or there was no space to sort it; try again.',
      });
  };
  return {
    hasTime: time !== undefined,
    hasOrder: order !== undefined,
    mayOrder: choice.mayOrder,
    counts: {
      rows,
      conditions: conditions.map(({ text }, i) => ({
        condition: text,
        leftOut: rows - counts.get(`where.${i}`)!,
      })),
      kept,
    },
    inFileOrder: (use) => deliver(query, use),
    byHistory: (use) => {
      const by = [
        'v0',
        ...(places.has(4) ? ['v4'] : []),
        ...(time ? ['v2'] : []),
        ...(order ? ['v3'] : []),
        'r',
      ];
      const numbered = `SELECT ${selected.join(', ')}, row_number() OVER () AS r FROM ${table.from}${where}`;
      return deliver(`SELECT * EXCLUDE (r) FROM (${numbered}) ORDER BY ${by.join(', ')}`, use);
    },
  };
}

/** Chooses the columns by names and by some values; a column of lists is known by its first elements. */
async function choose(
  connection: DuckDBConnection,
  table: Table,
  options: RowOptions,
  place: string,
): Promise<{ choice: ColumnChoice; lists: Map<number, ListStyle> }> {
  const conditions = (options.where ?? []).map((text) => readCondition(text, table.columns, place));
  const where =
    conditions.length === 0 ? '' : ` WHERE ${conditions.map(({ sql }) => `(${sql})`).join(' AND ')}`;
  const texts = table.columns.map(({ sql }, i) => `CAST(${sql} AS VARCHAR) AS s${i}`).join(', ');
  const values = (
    await connection.runAndReadAll(`SELECT ${texts} FROM ${table.from}${where} LIMIT ${SAMPLE}`)
  ).getRows();
  const samples = table.columns.map((_, i) => values.map((row) => row[i] as string | null));
  const styles = table.columns.map((column, i) => listStyle(column, samples[i]!));
  const shown = samples.map((sample, i) => {
    const style = styles[i];
    return style === undefined ? sample : sample.map((cell) => firstElement(cell, style));
  });
  const names = table.columns.map(({ name }) => name);
  const choice = chooseColumns(names, options, place, shown);
  const lists = new Map<number, ListStyle>();
  const style = styles[choice.item];
  if (style === undefined) return { choice, lists };
  // Between separators: a list only where a row is a user's whole history, not a text with commas.
  if (style.length === 1 && new Set(samples[choice.user]).size < samples[choice.user]!.length)
    return { choice, lists };
  for (const at of [choice.item, choice.time, choice.order])
    if (at !== undefined && styles[at] !== undefined) lists.set(at, styles[at]);
  return { choice, lists };
}

/** A time that is only a count, guessed by its name, against the order in which the rows lie: one of the two is wrong. */
async function refuseContradiction(
  connection: DuckDBConnection,
  rows: string,
  column: string,
  place: string,
): Promise<void> {
  const steps = `SELECT u, t < lag(t) OVER (PARTITION BY u ORDER BY r) AS back FROM (${rows})`;
  const [row] = (
    await connection.runAndReadAll(
      `SELECT count(DISTINCT u) FILTER (back), count(DISTINCT u) FROM (${steps})`,
    )
  ).getRows();
  if (Number(row![0]) > 0)
    throw new UserError(
      `is "${column}" the time? Its numbers are no dates, and the rows of ${row![0]} of ${row![1]} users lie in another order`,
      {
        place,
        remedy: `Say --time ${column} where it orders the events, --time none where the rows are in order, or name another column.`,
      },
    );
}

function sayColumns(choice: ColumnChoice, names: string[], notes: string[]): void {
  const said = (['user', 'item', 'time', 'order'] as const)
    .filter((role) => choice[role] !== undefined)
    .map(
      (role) =>
        `${role} = ${names[choice[role]!]}${choice.why[role] === undefined || choice.why[role] === 'usual name' ? '' : ` (${choice.why[role]})`}`,
    );
  notes.push(`Columns: ${said.join(', ')}.`);
  if (choice.time === undefined && choice.order === undefined)
    notes.push(
      'No time and no order column (--time or --order names one): the rows of a user are taken to be in order.',
    );
}

function profileConditions(profile: Profile, conditions: Condition[]): void {
  conditions.forEach(({ sql, notNumbers, commas }, i) => {
    profile.define(`w${i}`, `(${sql})`);
    profile.ask(`where.${i}`, `count(*) FILTER (w${i})`);
    notNumbers.forEach((one, j) => {
      profile.define(`w${i}n${j}`, one.sql);
      profile.ask(`where.${i}.words.${j}`, `count(*) FILTER (w${i}n${j})`);
    });
    commas.forEach((one, j) => {
      profile.define(`w${i}c${j}`, one.sql);
      profile.ask(`where.${i}.commas.${j}`, `count(*) FILTER (w${i}c${j})`);
    });
  });
}

function sayConditions(
  conditions: Condition[],
  counts: ReadonlyMap<string, number>,
  rows: number,
  notes: string[],
): void {
  notes.push(`${rows} rows read.`);
  conditions.forEach(({ text, notNumbers, commas }, i) => {
    const met = counts.get(`where.${i}`)!;
    notes.push(
      met === 0 ? `Warning: no row meets ${text}.` : `${rows - met} rows left out: they do not meet ${text}.`,
    );
    notNumbers.forEach(({ column }, j) => {
      const words = counts.get(`where.${i}.words.${j}`)!;
      if (words > 0)
        notes.push(`Warning: ${words} values of ${column} are no numbers and do not meet ${text}.`);
    });
    commas.forEach(({ column }, j) => {
      const found = counts.get(`where.${i}.commas.${j}`)!;
      if (found > 0)
        notes.push(`${found} values of ${column} have a decimal comma and are taken as numbers.`);
    });
  });
}

function deliverChunk(chunk: DuckDBDataChunk, places: ReadonlyMap<number, number>, use: UseRow): void {
  const vector = (i: number) => (places.has(i) ? chunk.getColumnVector(places.get(i)!) : undefined);
  const [user, item, time, order, userText, itemText] = [0, 1, 2, 3, 4, 5].map(vector);
  const count = chunk.rowCount;
  for (let i = 0; i < count; i++)
    use(
      (user!.getItem(i) ?? userText!.getItem(i)) as Identifier,
      (item!.getItem(i) ?? itemText!.getItem(i)) as Identifier,
      time ? (time.getItem(i) as number) : 0,
      order ? (order.getItem(i) as number) : 0,
    );
}
