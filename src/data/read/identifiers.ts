/**
 * Identifiers in SQL: spaces around them do not count, words for "no value" are none, 17850 and 17850.0 are one, whole
 * numbers of 32 bits are numbers and everything else is text, digit by digit.
 */
import { UserError } from '../../util/errors.js';
import { sqlText } from '../duckdb.js';
import { columnError, firstRow, type Profile, type ReadContext, shareOf, withoutMissing } from './profile.js';
import type { TableColumn } from './table.js';
import { MISSING } from './time/clock.js';

const SPACES = "' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(65279)";
const MISSING_SQL = `(${MISSING.map(sqlText).join(', ')})`;

/** A column as trimmed text. */
export function trimmedSql({ sql, type }: TableColumn): string {
  return type === 'VARCHAR' ? `trim(${sql}, ${SPACES})` : `CAST(${sql} AS VARCHAR)`;
}

/** Whether a cell stands for no value. */
export function isMissingSql(column: TableColumn): string {
  const text = trimmedSql(column);
  return `(${text} IS NULL OR ${text} IN ${MISSING_SQL})`;
}

const SMALL = /^(TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT)$/;
// What a cell is, from the commonest on.
const INTEGER = 0;
const ABSENT = 1;
const FLOAT = 2;
const LOSSY = 3;
const QUOTE = 4;
const TEXT = 5;
const SPACED = 6;

/**
 * Adds what must be known of an identifier's column to the first reading.
 * @param trims whether cells are looked at without the spaces around them; costly, and needed only where there are some.
 */
export function profileIdentifier(
  profile: Profile,
  role: 'user' | 'item',
  column: TableColumn,
  trims: boolean,
  place: string,
): void {
  const { sql, type, name, nested } = column;
  const held = nested ?? type;
  if (/\[|STRUCT|MAP|UNION|BLOB/.test(held))
    throw new UserError(`column "${name}" holds ${held}, not identifiers`, {
      place,
      remedy: `Give one row an interaction; lists of them are read where the ${role} alone is a list, events with --events COLUMN.`,
    });
  if (SMALL.test(type)) {
    profile.classify(role, `CASE WHEN ${sql} IS NULL THEN ${ABSENT} ELSE ${INTEGER} END`);
    return;
  }
  const text = profile.value(
    `${role} as text`,
    trims ? trimmedSql(column) : type === 'VARCHAR' ? sql : `CAST(${sql} AS VARCHAR)`,
  );
  const hasSpace = `regexp_matches(${text}, '[\\s\\x{a0}\\x{feff}]')`;
  // Only what begins with a digit or a minus sign can be a number; a cast that fails costs more than this.
  const mayBeNumber = `${text} < ':'`;
  profile.classify(
    role,
    `CASE WHEN ${mayBeNumber} AND CAST(TRY_CAST(${text} AS INTEGER) AS VARCHAR) = ${text} THEN ${INTEGER} ` +
      `WHEN ${text} IS NULL OR ${text} IN ${MISSING_SQL} THEN ${ABSENT} ` +
      (trims ? '' : `WHEN ${hasSpace} THEN ${SPACED} `) +
      `WHEN ${mayBeNumber} AND regexp_full_match(${text}, '-?[0-9]+\\.0+') THEN ${FLOAT} ` +
      `WHEN ${mayBeNumber} AND regexp_full_match(${text}, '-?[0-9](\\.[0-9]+)?[eE]\\+?[0-9]+') THEN ${LOSSY} ` +
      `WHEN starts_with(${text}, '"') THEN ${QUOTE} ELSE ${TEXT} END`,
  );
}

/** Kept rows whose identifier is of a kind: absent, written as 12.0, as 1.2E+10, with a quote at its beginning, or other text. */
export function countIdentifiers(
  profile: Profile,
  role: 'user' | 'item',
  kind: 'integer' | 'absent' | 'float' | 'lossy' | 'quote' | 'text' | 'spaced',
): number {
  const code = {
    integer: INTEGER,
    absent: ABSENT,
    float: FLOAT,
    lossy: LOSSY,
    quote: QUOTE,
    text: TEXT,
    spaced: SPACED,
  }[kind];
  return profile.count({ keep: 1, [role]: code });
}

/** @throws UserError where a kept row has no identifier, or one that begins with a lone quote. */
export async function checkIdentifiers(
  role: 'user' | 'item',
  column: TableColumn,
  hasLoneQuotes: boolean,
  { connection, table, place, profile, kept, keep }: ReadContext,
): Promise<void> {
  const find = (condition: string) =>
    firstRow(connection, table, place, `${keep} AND ${condition}`, trimmedSql(column));
  const absent = countIdentifiers(profile, role, 'absent');
  if (absent > 0)
    throw columnError(
      await find(isMissingSql(column)),
      `the ${role} ("${column.name}") is empty or a word for no value (NA, NULL, ...) in ${shareOf(absent, kept)}`,
      `Leave them out: ${withoutMissing(column.name)}; or choose another column: --${role} COLUMN.`,
    );
  if (!hasLoneQuotes || countIdentifiers(profile, role, 'quote') === 0) return;
  const found = await find(`starts_with(${trimmedSql(column)}, '"')`);
  throw columnError(
    found,
    `the ${role} ${JSON.stringify(found.text)} begins with a quote that does not end`,
    'Mend the row; or say --quote none, where quotes are letters like any other.',
  );
}

export interface IdentifierPlan {
  /** A 32-bit number where the identifier is one in canonical form, else NULL. */
  number: string;
  /** The text where it is no such number; undefined where every row has a number. */
  text: string | undefined;
  notes: string[];
}

/** The expressions that read an identifier, as simple as the whole column allows. Missing cells are the caller's to refuse. */
export function planIdentifier(
  role: 'user' | 'item',
  column: TableColumn,
  trims: boolean,
  profile: Profile,
): IdentifierPlan {
  const { sql, type, name } = column;
  if (SMALL.test(type)) return { number: `${sql}::INTEGER`, text: undefined, notes: [] };
  const count = (kind: Parameters<typeof countIdentifiers>[2]) => countIdentifiers(profile, role, kind);
  const notes: string[] = [];
  const floats = count('float');
  const lossy = count('lossy');
  if (floats > 0) notes.push(`${floats} values of ${name} are written as 12.0 and taken as 12.`);
  if (lossy > 0)
    notes.push(
      `Warning: ${lossy} values of ${name} are written like 1.23E+10: digits were lost before they came here, and different ${role}s may have become one. Export the column as text.`,
    );
  if (/^(FLOAT|DOUBLE)$/.test(type)) {
    // Beyond 2^53 neighbours are one number already.
    notes.push(`${name} is stored as floating point: identifiers above 2^53 would have lost digits.`);
  }
  const odd = floats + lossy + count('quote') + count('text') + count('absent');
  if (odd === 0) return { number: `TRY_CAST(${sql} AS INTEGER)`, text: undefined, notes };
  const trimmed = trims || type !== 'VARCHAR' ? trimmedSql(column) : sql;
  const text = floats > 0 ? `regexp_replace(${trimmed}, '^(-?[0-9]+)\\.0+$', '\\1')` : trimmed;
  if (count('integer') + floats === 0) return { number: 'NULL::INTEGER', text, notes };
  const number = `TRY_CAST(${text} AS INTEGER)`;
  return {
    number: `CASE WHEN CAST(${number} AS VARCHAR) = ${text} THEN ${number} END`,
    text: `CASE WHEN CAST(${number} AS VARCHAR) IS DISTINCT FROM ${text} THEN ${text} END`,
    notes,
  };
}
