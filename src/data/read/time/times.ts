/**
 * Times in SQL: one rule for text of any file and for typed columns. A column is read in one way, decided by all of its
 * rows; where rows contradict each other, or dates are spelt in a way that could mean another day, it is refused with
 * the remedy. Dates are never rescaled.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { UserError } from '../../../util/errors.js';
import { sqlText } from '../../duckdb.js';
import { wordsOf } from '../column-names.js';
import type { TimeUnit } from '../formats.js';
import { isMissingSql, trimmedSql } from '../identifiers.js';
import {
  columnError,
  firstRow,
  type Profile,
  type ReadContext,
  shareOf,
  withoutMissing,
} from '../profile.js';
import { isDated, isNumeric, type TableColumn } from '../table.js';
import { type ClockUnit, EARLIEST, LATEST, PER_SECOND } from './clock.js';
import { isIsoSql, isoSql, isPlainSql, PLAIN_DATE, suffixSql } from './iso-time.js';
import { isTimeFormat, suggestFormats } from './time-formats.js';

export interface TimeOptions {
  /** How times are written, as strptime has it: `%d/%m/%Y %H:%M`. */
  timeFormat?: string;
  /** Unit of a numeric time; `auto` goes by its size. */
  timeUnit?: TimeUnit;
}

export interface TimePlan {
  /** Seconds since 1970 (of a numeric order column: its number), never NULL. */
  sql: string;
  notes: string[];
}

type TimeRole = 'time' | 'order';

/** How closely cells are looked at: as numbers, as dates in the commonest spelling, or as anything; each costs more than the one before. */
export type Look = 'numbers' | 'plain' | 'all';

/** What these values ask for. */
export function lookAt(values: readonly (string | null)[] | undefined): Look {
  if (!values || values.every((value) => value !== null && Number.isFinite(Number(value)))) return 'numbers';
  return values.every((value) => value !== null && PLAIN_DATE.test(value)) ? 'plain' : 'all';
}

// What a cell is.
const ABSENT = 0;
/** Not a number; looked at closely in a reading of its own. */
const UNREAD = 9;
const ZERO = 1;
const UNIT: Record<ClockUnit, number> = { s: 2, ms: 3, us: 4, ns: 5 };
const SMALL = 6;
const EARLY = 7;
const FAR = 8;
const DATE = 10;
const ZONED = 11;
const OTHER = 20;
/** 1973: below it a number among seconds is no clock. */
const NOT_SECONDS = 1e8;

const numberOf = (column: TableColumn) =>
  isNumeric(column) ? `${column.sql}::DOUBLE` : `TRY_CAST(${column.sql} AS DOUBLE)`;

const withoutZeros = (column: TableColumn) => `regexp_replace(${trimmedSql(column)}, '\\.0+$', '')`;

/**
 * Adds what must be known of a time's or an order's column to the first reading.
 * @param look how closely; cells that this leaves unread are found by `hasUnread`.
 */
export function profileTime(
  profile: Profile,
  role: TimeRole,
  column: TableColumn,
  options: TimeOptions,
  look: Look,
  place: string,
): void {
  const { sql, type, name } = column;
  const format = role === 'time' ? options.timeFormat : undefined;
  const missing = isMissingSql(column);
  if (isDated(column)) {
    profile.classify(
      role,
      `CASE WHEN ${sql} IS NULL THEN ${ABSENT} WHEN isfinite(${sql}) THEN ${DATE} ELSE ${OTHER} END`,
    );
    profile.extremesOf(role, `CASE WHEN isfinite(${sql}) THEN epoch(${sql})::DOUBLE END`);
  } else if (!isNumeric(column) && type !== 'VARCHAR')
    throw new UserError(`column "${name}" holds ${type}, neither numbers nor dates`, { place });
  else if (format !== undefined) {
    const value = formatSql(column, format);
    profile.classify(
      role,
      `CASE WHEN ${missing} THEN ${ABSENT} WHEN ${value} IS NULL THEN ${OTHER} ELSE ${DATE} END`,
    );
    profile.extremesOf(role, value);
  } else if (look === 'plain' && type === 'VARCHAR') {
    const time = profile.value(`${role} as a date`, `TRY_CAST(${sql} AS TIMESTAMP)`);
    const zoned = `CASE WHEN ends_with(${sql}, 'Z') OR ends_with(${sql}, 'C') THEN ${ZONED} ELSE ${DATE} END`;
    profile.classify(
      role,
      `CASE WHEN ${time} IS NOT NULL AND ${isPlainSql(sql)} THEN ${zoned} ELSE ${UNREAD} END`,
    );
    profile.extremesOf(role, `epoch(${time})`);
  } else {
    const number = profile.value(`${role} as a number`, numberOf(column));
    const within = (unit: ClockUnit) =>
      `WHEN ${number} >= ${EARLIEST * PER_SECOND[unit]} AND ${number} < ${LATEST * PER_SECOND[unit]} THEN ${UNIT[unit]}`;
    const ifNumber =
      `${within('s')} ${within('ms')} ${within('us')} ${within('ns')} WHEN NOT isfinite(${number}) THEN NULL ` +
      `WHEN ${number} <= 0 THEN ${ZERO} WHEN ${number} < ${NOT_SECONDS} THEN ${SMALL} WHEN ${number} < ${EARLIEST} THEN ${EARLY} ` +
      `WHEN ${number} IS NOT NULL THEN ${FAR}`;
    if (look === 'all' && type === 'VARCHAR') {
      const text = profile.value(`${role} as text`, trimmedSql(column));
      const ifDate = `WHEN ${isIsoSql(text)} THEN CASE WHEN ${suffixSql(text)} = '' THEN ${DATE} ELSE ${ZONED} END `;
      const absent = `WHEN ${missing} THEN ${ABSENT} `;
      profile.classify(role, `coalesce(CASE ${ifNumber} END, CASE ${absent}${ifDate}ELSE ${OTHER} END)`);
      const value = `CASE WHEN isfinite(${number}) THEN ${number} WHEN ${isIsoSql(text)} THEN ${isoSql(text)} END`;
      profile.extremesOf(role, value);
    } else {
      const otherwise = type === 'VARCHAR' ? UNREAD : `CASE WHEN ${missing} THEN ${ABSENT} ELSE ${OTHER} END`;
      profile.classify(role, `coalesce(CASE ${ifNumber} END, ${otherwise})`);
      profile.extremesOf(role, `CASE WHEN isfinite(${number}) THEN ${number} END`);
    }
    if (role === 'time') {
      const days = '(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])([0-9]{6})?';
      const mayBe = `(${number} BETWEEN 19000101 AND 20991231 OR ${number} BETWEEN 19000101000000 AND 20991231235959)`;
      profile.classify(
        'day',
        `CASE WHEN ${mayBe} THEN regexp_full_match(${withoutZeros(column)}, '${days}') ELSE false END`,
      );
      profile.classify('fraction', `coalesce(${number} <> floor(${number}), false)`);
    }
  }
}

/** Whether there are cells that must be looked at closely. */
export function hasUnread(profile: Profile, role: TimeRole): boolean {
  return profile.count({ [role]: UNREAD }) > 0;
}

/**
 * Decides how the column is read.
 * @throws UserError where a cell has no time, or rows contradict each other, with the first row that does and the remedy.
 */
export async function planTime(
  role: TimeRole,
  column: TableColumn,
  options: TimeOptions,
  look: Look,
  context: ReadContext,
): Promise<TimePlan> {
  const { profile, kept, connection, table, place, keep } = context;
  const { name, sql } = column;
  const count = (code: number) => profile.count({ keep: 1, [role]: code });
  const find = (condition: string) =>
    firstRow(connection, table, place, `${keep} AND (${condition})`, `CAST(${sql} AS VARCHAR)`);
  if (count(ABSENT) > 0)
    throw columnError(
      await find(isMissingSql(column)),
      `column "${name}" is empty in ${shareOf(count(ABSENT), kept)}`,
      `Leave them out: ${withoutMissing(name)}; or choose another column with --${role}, or --time none.`,
    );
  const isClock = role === 'time';
  const range = profile.range(role, { keep: 1 });
  if (isDated(column)) {
    if (count(OTHER) > 0)
      throw columnError(await find(`NOT isfinite(${sql})`), `column "${name}" is infinite`, 'Mend the row.');
    return {
      sql: `epoch(${sql})::DOUBLE`,
      notes: isClock ? spanNotes(name, range, context.now) : [],
    };
  }
  if (isClock && options.timeFormat !== undefined) {
    const value = formatSql(column, options.timeFormat);
    if (count(OTHER) > 0) {
      const found = await find(`${value} IS NULL`);
      throw columnError(
        found,
        `column "${name}" holds ${JSON.stringify(found.text)}, which is not written as ${JSON.stringify(options.timeFormat)} (${shareOf(count(OTHER), kept)})`,
        await remedyFor(column, context),
      );
    }
    return { sql: value, notes: spanNotes(name, range, context.now) };
  }
  const numbers = [ZERO, 2, 3, 4, 5, SMALL, EARLY, FAR].reduce((sum, code) => sum + count(code), 0);
  const dates = count(DATE) + count(ZONED);
  if (count(OTHER) > 0) {
    const text = trimmedSql(column);
    const found = await find(
      `NOT ${isMissingSql(column)} AND NOT coalesce(isfinite(TRY_CAST(${text} AS DOUBLE)), false) AND NOT ${isIsoSql(text)}`,
    );
    throw columnError(
      found,
      `column "${name}" holds ${JSON.stringify(found.text)}, which is neither a number nor a date such as 2026-03-01T12:00:00Z (${shareOf(count(OTHER), kept)})`,
      isClock ? await remedyFor(column, context) : 'Choose another column with --order, or mend the row.',
    );
  }
  if (numbers > 0 && dates > 0)
    throw columnError(
      await find(numbers < dates ? `isfinite(${numberOf(column)})` : isIsoSql(trimmedSql(column))),
      `column "${name}" holds numbers in ${numbers} rows and dates in ${dates}`,
      'Write all of them in one way, or leave some out with --where.',
    );
  if (dates > 0) {
    // The short way where no row has a zone but UTC.
    const isPlain = look === 'plain' || count(ZONED) === 0;
    const value = isPlain ? `epoch(TRY_CAST(${sql} AS TIMESTAMP))::DOUBLE` : isoSql(trimmedSql(column));
    if (!isClock) return { sql: value, notes: [] };
    const notes = spanNotes(name, range, context.now);
    if (count(ZONED) > 0 && count(DATE) > 0)
      notes.push(
        `Warning: ${shareOf(count(DATE), kept)} of ${name} say no time zone, the others do: those are taken as UTC.`,
      );
    return { sql: value, notes };
  }
  const number = numberOf(column);
  if (!isClock) return { sql: number, notes: [] };
  return numericTime(column, number, range, options.timeUnit ?? 'auto', context, find, count);
}

async function numericTime(
  column: TableColumn,
  number: string,
  range: { from: number; to: number },
  asked: TimeUnit,
  { profile, kept, now }: ReadContext,
  find: (condition: string) => ReturnType<typeof firstRow>,
  count: (code: number) => number,
): Promise<TimePlan> {
  const { name } = column;
  if (asked === 'excel') {
    const at = (days: number) => (days - 25_569) * 86_400;
    const span = { from: at(range.from), to: at(range.to) };
    return { sql: `round((${number} - 25569) * 86400, 3)`, notes: spanNotes(name, span, now) };
  }
  const in1 = (unit: ClockUnit) => ({ from: range.from / PER_SECOND[unit], to: range.to / PER_SECOND[unit] });
  const scaled = (unit: ClockUnit) => (unit === 's' ? number : `${number} / ${PER_SECOND[unit]}`);
  if (asked !== 'auto') return { sql: scaled(asked), notes: spanNotes(name, in1(asked), now) };
  if (kept > 0 && profile.count({ keep: 1, day: 1 }) === kept) {
    const format = range.from > 1e9 ? '%Y%m%d%H%M%S' : '%Y%m%d';
    throw columnError(
      await find('true'),
      `column "${name}" looks like dates written as ${format} (${range.from} to ${range.to})`,
      `Say so: --time-format ${format}; or --time-unit s, where they are seconds.`,
    );
  }
  const units = (Object.keys(UNIT) as ClockUnit[]).filter((unit) => count(UNIT[unit]) > 0);
  if (units.length === 0) {
    const isDate = wordsOf(name).some((word) => ['date', 'datetime'].includes(word));
    if (range.from > 20_000 && range.to < 80_000 && (isDate || profile.count({ keep: 1, fraction: 1 }) > 0))
      throw columnError(
        await find('true'),
        `column "${name}" looks like days as a spreadsheet counts them (${range.from} to ${range.to})`,
        'Say so: --time-unit excel; or --time-unit s, where they are seconds.',
      );
    // No clock of ours: a count, or the clock of another world. Told, not refused.
    const notes = spanNotes(name, range, now);
    return { sql: number, notes };
  }
  const unit = units.reduce((a, b) => (count(UNIT[a]) >= count(UNIT[b]) ? a : b));
  const belongs = unit === 's' ? count(UNIT.s) + count(EARLY) : count(UNIT[unit]);
  if (belongs < kept) {
    const low = unit === 's' ? NOT_SECONDS : EARLIEST * PER_SECOND[unit];
    const found = await find(`NOT (${number} >= ${low} AND ${number} < ${LATEST * PER_SECOND[unit]})`);
    const odd = count(SMALL) + count(FAR) + (unit === 's' ? 0 : count(EARLY));
    const others = [
      ...units.filter((each) => each !== unit).map((each) => `${count(UNIT[each])} in ${each}`),
      ...(count(ZERO) > 0 ? [`${count(ZERO)} of zero or less`] : []),
      ...(odd > 0 ? [`${odd} that are no time since 1990 in any unit`] : []),
    ];
    throw columnError(
      found,
      `column "${name}" contradicts itself: ${count(UNIT[unit])} rows are times in ${unit}, ${others.join(', ')} (${found.text})`,
      `Leave these rows out (--where ${JSON.stringify(`${name}>=${low}`)}), mend them, or say --time-unit ${unit} to take all as they are.`,
    );
  }
  const notes = spanNotes(name, in1(unit), now);
  if (unit !== 's')
    notes.push(`Times are read as ${unit} by their size; --time-unit s takes them as seconds.`);
  return { sql: scaled(unit), notes };
}

/** Seconds of a text in a named format; NULL where it is not written so. */
function formatSql(column: TableColumn, format: string): string {
  const text = column.type === 'VARCHAR' ? trimmedSql(column) : withoutZeros(column);
  return `epoch(try_strptime(coalesce(regexp_replace(${text}, '\\.0+$', ''), ''), ${sqlText(format)}))::DOUBLE`;
}

async function remedyFor(column: TableColumn, { connection, table, keep }: ReadContext): Promise<string> {
  const { fitting, close } = await suggestFormats(
    connection,
    table,
    trimmedSql(column),
    `${keep} AND NOT ${isMissingSql(column)}`,
  );
  const quoted = (formats: string[]) =>
    formats.map((format) => `--time-format ${JSON.stringify(format)}`).join(' or ');
  if (fitting.length === 1) return `Every row fits ${quoted(fitting)}.`;
  if (fitting.length > 1) return `Every row fits ${quoted(fitting)}: say which is meant.`;
  if (close.length > 0)
    return `Most rows fit ${quoted(close)}; mend the others or leave them out with --where.`;
  return 'Say how it is written with --time-format (strptime: %Y %m %d %H %M %S %z), choose another column with --time, or mend the rows.';
}

/** @throws UserError for a format that strptime does not know. */
export async function checkTimeFormat(connection: DuckDBConnection, format: string): Promise<void> {
  const reason = await isTimeFormat(connection, format);
  if (reason !== undefined)
    throw new UserError(`--time-format ${JSON.stringify(format)} is no format: ${reason}`, {
      remedy:
        'Write it as strptime has it: %d/%m/%Y %H:%M:%S, %I:%M %p for 12 hours, %b for Jan, %z for +0100.',
    });
}

/** Says where a clock runs, and loudly where it cannot be right. */
function spanNotes(name: string, { from, to }: { from: number; to: number }, now: number): string[] {
  const wrong: string[] = [];
  if (from < EARLIEST) wrong.push('begins before 1990');
  if (to > now + 86_400) wrong.push('ends in the future');
  if (to - from < 86_400) wrong.push('is shorter than a day');
  const span = `${name} runs from ${dateOf(from)} to ${dateOf(to)}`;
  if (wrong.length === 0) return [`${span}.`];
  return [
    `Warning: ${span}, which ${wrong.join(' and ')}. If that is not so, say how it is written: --time-format, or --time-unit s|ms|us|ns|excel; or choose another column with --time.`,
  ];
}

/** An ISO date and time, or the number where no calendar reaches it. */
export function dateOf(seconds: number): string {
  if (!(Math.abs(seconds) < 8.64e12)) return String(seconds);
  return new Date(1000 * seconds)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace('T00:00:00Z', '');
}
