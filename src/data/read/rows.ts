/** Rows of an opened table as (user, item, time, order): decided by one counting reading, delivered by a second, counted against the first. */
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import { UserError } from '../../util/errors.js';
import { eachChunk } from '../duckdb.js';
import type { Identifier } from '../import/raw.js';
import { chooseByValues } from './choose.js';
import { ROLES } from './column-names.js';
import type { ColumnChoice, ColumnOptions, Samples } from './columns.js';
import { checkIdentifiers, countIdentifiers, planIdentifier, profileIdentifier } from './identifiers.js';
import { unfoldEvents, unfoldLists } from './lists.js';
import { Profile } from './profile.js';
import { checkCount, type Table } from './table.js';
import { checkTimeFormat, hasUnread, lookAt, planTime, profileTime, type TimeOptions } from './time/times.js';
import { allOf, profileConditions, readCondition, sayConditions } from './where.js';

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
  const { choice, lists, samples } = await chooseByValues(connection, table, options, place);
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
  const keep = allOf(conditions);
  const looks = {
    user: isSpaced(samples[choice.user]),
    item: isSpaced(samples[choice.item]),
    time: lookAt(samples[choice.time!]),
    order: lookAt(samples[choice.order!]),
  };
  const read = async () => {
    const profile = new Profile();
    profile.classify('keep', keep);
    profileConditions(profile, conditions);
    profileIdentifier(profile, 'user', user, looks.user, place);
    profileIdentifier(profile, 'item', item, looks.item, place);
    if (time) profileTime(profile, 'time', time, options, looks.time, place);
    if (order) profileTime(profile, 'order', order, options, looks.order, place);
    await profile.run(connection, table.from);
    return profile;
  };
  let profile = await read();
  // What the first rows did not show: the whole table is read once more, more closely.
  const isMissed = {
    user: countIdentifiers(profile, 'user', 'spaced') > 0,
    item: countIdentifiers(profile, 'item', 'spaced') > 0,
    time: time !== undefined && hasUnread(profile, 'time'),
    order: order !== undefined && hasUnread(profile, 'order'),
  };
  if (Object.values(isMissed).includes(true)) {
    looks.user ||= isMissed.user;
    looks.item ||= isMissed.item;
    if (isMissed.time) looks.time = 'all';
    if (isMissed.order) looks.order = 'all';
    profile = await read();
  }
  const rows = profile.count();
  const kept = profile.count({ keep: 1 });
  checkCount(table, rows, place);
  sayConditions(conditions, profile, rows, table.unfoldedFrom, notes);
  if (kept === 0)
    throw new UserError(
      rows === 0 ? 'the file holds no interactions' : 'no row meets the conditions: nothing is left',
      {
        place,
        remedy: rows === 0 ? 'Check the file.' : `${rows} rows were read; check --where.`,
      },
    );

  const context = { connection, table, place, profile, kept, keep, now: Date.now() / 1000 };
  await checkIdentifiers('user', user, opened.hasLoneQuotes === true, context);
  await checkIdentifiers('item', item, opened.hasLoneQuotes === true, context);
  const userPlan = planIdentifier('user', user, looks.user, profile);
  const itemPlan = planIdentifier('item', item, looks.item, profile);
  const timePlan = time && (await planTime('time', time, options, looks.time, context));
  const orderPlan = order && (await planTime('order', order, options, looks.order, context));
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
  const rest = `FROM ${table.from} WHERE ${keep}`;
  const numbered = `SELECT ${selected.join(', ')}, row_number() OVER () AS r ${rest}`;
  // What the caller says of times is no guess.
  if (choice.unsureTime && options.timeFormat === undefined && (options.timeUnit ?? 'auto') === 'auto') {
    const id = places.has(4) ? 'coalesce(v0::VARCHAR, v4)' : 'v0';
    await refuseContradiction(
      connection,
      `SELECT ${id} AS u, v2 AS t, r FROM (${numbered})`,
      time!.name,
      place,
    );
  }
  const deliver = (sql: string, use: UseRow) =>
    eachChunk(connection, sql, kept, place, (chunk) => deliverChunk(chunk, places, use));
  return {
    hasTime: time !== undefined,
    hasOrder: order !== undefined,
    mayOrder: choice.mayOrder,
    counts: {
      rows: table.unfoldedFrom ?? rows,
      conditions: conditions.map(({ text }, i) => ({
        condition: text,
        leftOut: rows - profile.count({ [`where${i}`]: 1 }),
      })),
      kept,
    },
    inFileOrder: (use) => deliver(`SELECT ${selected.join(', ')} ${rest}`, use),
    byHistory: (use) => {
      const by = [
        'v0',
        ...(places.has(4) ? ['v4'] : []),
        ...(time ? ['v2'] : []),
        ...(order ? ['v3'] : []),
        'r',
      ];
      return deliver(`SELECT * EXCLUDE (r) FROM (${numbered}) ORDER BY ${by.join(', ')}`, use);
    },
  };
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
  const said = ROLES.filter((role) => choice[role] !== undefined).map(
    (role) =>
      `${role} = ${names[choice[role]!]}${choice.why[role] === undefined || choice.why[role] === 'usual name' ? '' : ` (${choice.why[role]})`}`,
  );
  notes.push(`Columns: ${said.join(', ')}.`);
  if (choice.time === undefined && choice.order === undefined)
    notes.push(
      'No time and no order column (--time or --order names one): the rows of a user are taken to be in order.',
    );
}

const isSpaced = (values: Samples[number] | undefined) =>
  values?.some((value) => value !== null && /\s|\u00a0|\ufeff/.test(value)) ?? false;

function deliverChunk(chunk: DuckDBDataChunk, places: ReadonlyMap<number, number>, use: UseRow): void {
  const vector = (i: number) => (places.has(i) ? chunk.getColumnVector(places.get(i)!) : undefined);
  const [user, item, time, order, userText, itemText] = [0, 1, 2, 3, 4, 5].map(vector);
  const count = chunk.rowCount;
  for (let i = 0; i < count; i++) {
    const who = user!.getItem(i) ?? userText?.getItem(i);
    const what = item!.getItem(i) ?? itemText?.getItem(i);
    const when = time ? time.getItem(i) : 0;
    const place = order ? order.getItem(i) : 0;
    // The first reading has seen to it that no cell is empty.
    if (who == null || what == null || when === null || place === null)
      throw new Error(`row ${i} of a chunk came without a value that it was counted with`);
    use(who as Identifier, what as Identifier, when as number, place as number);
  }
}
