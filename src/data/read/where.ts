/**
 * Conditions on rows, as people write them: `rating>=4`, `kind=buy or kind=cart`, `(a=1 or b=2) and date>=2020-01-01`.
 * `column=` and `column!=` ask for cells without and with a value. Quotes keep words together: `title="Tom and Jerry"`.
 */
import { UserError } from '../../util/errors.js';
import { sqlText } from '../duckdb.js';
import { noColumn } from './columns.js';
import { isMissingSql, trimmedSql } from './identifiers.js';
import type { Profile } from './profile.js';
import { isDated, isNumeric, type Table, type TableColumn } from './table.js';
import { isIsoSql, isoSql } from './time/iso-time.js';

const OPERATORS = ['>=', '<=', '!=', '==', '=', '>', '<'] as const;

export interface Condition {
  /** As it was written. */
  text: string;
  /** TRUE for rows that meet it; never NULL. */
  sql: string;
  /** Cells that are compared as numbers but are none: the column and the SQL that is TRUE for them. */
  notNumbers: { column: string; sql: string }[];
  /** Cells with a decimal comma, which are numbers all the same. */
  commas: { column: string; sql: string }[];
}

type Token = { kind: 'and' | 'or' | '(' | ')' } | { kind: 'term'; text: string };

/**
 * Reads one condition.
 * @throws UserError where it cannot be read or a column does not exist.
 */
export function readCondition(text: string, columns: Table['columns'], place: string): Condition {
  const tokens = tokenize(text, place);
  const condition: Condition = { text, sql: '', notNumbers: [], commas: [] };
  let at = 0;
  const fail = (what: string): never => {
    throw new UserError(`${JSON.stringify(text)}: ${what}`, {
      place,
      remedy: `Write COLUMN, one of ${OPERATORS.join(' ')}, and a value, joined by and / or, in brackets where need be: rating>=4 and (kind=buy or kind=cart).`,
    });
  };
  const expression = (): string => {
    const parts = [conjunction()];
    while (tokens[at]?.kind === 'or') {
      at++;
      parts.push(conjunction());
    }
    return parts.length === 1 ? parts[0]! : `(${parts.join(' OR ')})`;
  };
  const conjunction = (): string => {
    const parts = [operand()];
    while (tokens[at]?.kind === 'and') {
      at++;
      parts.push(operand());
    }
    return parts.length === 1 ? parts[0]! : `(${parts.join(' AND ')})`;
  };
  const operand = (): string => {
    const token = tokens[at++];
    if (token?.kind === '(') {
      const inside = expression();
      if (tokens[at++]?.kind !== ')') fail('a bracket is not closed');
      return inside;
    }
    if (token?.kind !== 'term')
      return fail(
        token === undefined
          ? 'something is missing at its end'
          : `a condition is missing before ${JSON.stringify(token.kind)}`,
      );
    return comparison(token.text, columns, place, condition);
  };
  condition.sql = expression();
  if (at < tokens.length) fail(`${JSON.stringify(tokens[at]!.kind)} is one too many`);
  return condition;
}

/** Words `and`, `or` and brackets outside quotes; a bracket within a value belongs to it where it is closed there. */
function tokenize(text: string, place: string): Token[] {
  const tokens: Token[] = [];
  let term = '';
  let depth = 0;
  const end = () => {
    if (term.trim() !== '') tokens.push({ kind: 'term', text: term.trim() });
    term = '';
    depth = 0;
  };
  for (let i = 0; i < text.length; ) {
    const word = /^(and|or)(?=[\s(]|$)/i.exec(text.slice(i))?.[1];
    const isBoundary = i === 0 || /[\s)]/.test(text[i - 1]!);
    if (text[i] === '"' && /[=<>]\s*$/.test(term)) {
      const close = text.indexOf('"', i + 1);
      if (close < 0)
        throw new UserError(`${JSON.stringify(text)}: a quote is not closed`, {
          place,
          remedy: 'Close the quote.',
        });
      term += text.slice(i, close + 1);
      i = close + 1;
    } else if (text[i] === '(' && term.trim() === '') {
      tokens.push({ kind: '(' });
      i++;
    } else if (text[i] === '(') {
      depth++;
      term += text[i++];
    } else if (text[i] === ')' && depth > 0) {
      depth--;
      term += text[i++];
    } else if (text[i] === ')') {
      end();
      tokens.push({ kind: ')' });
      i++;
    } else if (word !== undefined && isBoundary && depth === 0) {
      end();
      tokens.push({ kind: word.toLowerCase() as 'and' | 'or' });
      i += word.length;
    } else term += text[i++];
  }
  end();
  return tokens;
}

function comparison(text: string, columns: Table['columns'], place: string, condition: Condition): string {
  const match = /^(.+?)\s*(>=|<=|!=|<>|==|=|>|<)\s*(.*)$/s.exec(text);
  if (!match)
    throw new UserError(`"${text}" is no condition`, {
      place,
      remedy: `Write COLUMN, one of ${OPERATORS.join(' ')}, and a value: rating>=4. A value with "and" or "or" in it stands in quotes.`,
    });
  const [, name, written, given] = match as unknown as [string, string, string, string];
  const operator = written === '==' ? '=' : written === '<>' ? '!=' : written;
  const column = findColumn(name, columns, place, `${operator}${given}`);
  const value = /^"(.*)"$/s.exec(given)?.[1] ?? given;
  if (value === '') {
    if (operator === '=') return isMissingSql(column);
    if (operator === '!=') return `NOT ${isMissingSql(column)}`;
  }
  const number = Number(value);
  if (value.trim() !== '' && Number.isFinite(number) && given === value)
    return numeric(column, operator, number, condition);
  const cell = trimmedSql(column);
  if (/^\d{4}-\d{1,2}-\d{1,2}([T ].*)?$/.test(value)) {
    const date = sqlText(value);
    const seconds = isDated(column)
      ? `epoch(${column.sql})`
      : `CASE WHEN ${isIsoSql(cell)} THEN ${isoSql(cell)} END`;
    if (operator !== '=' && operator !== '!=')
      return `coalesce(${seconds} ${operator} ${isoSql(date)}, false)`;
  }
  if (operator !== '=' && operator !== '!=')
    throw new UserError(`"${text}" orders by ${JSON.stringify(value)}, which is not a number`, { place });
  // A cell without a value is not equal to anything, and differs from nothing: it is left out by both.
  return `coalesce(${cell} ${operator} ${sqlText(value)}, false)`;
}

function numeric(column: TableColumn, operator: string, number: number, condition: Condition): string {
  if (isNumeric(column)) return `coalesce(${column.sql}::DOUBLE ${operator} ${number}::DOUBLE, false)`;
  const cell = trimmedSql(column);
  // 4,5 is a number; 1,234 could be two.
  const comma = `regexp_full_match(${cell}, '[+-]?([0-9]+,([0-9]{1,2}|[0-9]{4,})|0,[0-9]+)')`;
  const value = `TRY_CAST(CASE WHEN ${comma} THEN replace(${cell}, ',', '.') ELSE ${cell} END AS DOUBLE)`;
  if (column.type === 'BOOLEAN') return `coalesce(${column.sql}::INTEGER ${operator} ${number}, false)`;
  condition.commas.push({ column: column.name, sql: comma });
  condition.notNumbers.push({
    column: column.name,
    sql: `(${value} IS NULL AND NOT ${isMissingSql(column)})`,
  });
  return `coalesce(${value} ${operator} ${number}::DOUBLE, false)`;
}

function findColumn(name: string, columns: Table['columns'], place: string, rest: string): TableColumn {
  const column = columns.find((candidate) => candidate.name === name);
  if (column) return column;
  const names = columns.map((candidate) => candidate.name);
  throw noColumn(name, names, place, 'Choose one of them.', (near) => near + rest);
}

/** The SQL of the rows that meet every condition; `true` for all. */
export function allOf(conditions: readonly Condition[]): string {
  return conditions.length === 0 ? 'true' : conditions.map(({ sql }) => `(${sql})`).join(' AND ');
}

/** Adds the conditions to the first reading. */
export function profileConditions(profile: Profile, conditions: Condition[]): void {
  for (const [i, { sql, notNumbers, commas }] of conditions.entries()) {
    profile.classify(`where${i}`, sql);
    for (const [j, one] of notNumbers.entries()) profile.classify(`where${i}words${j}`, one.sql);
    for (const [j, one] of commas.entries()) profile.classify(`where${i}commas${j}`, one.sql);
  }
}

/** Says how many rows each condition left out, and what could not be compared. */
export function sayConditions(
  conditions: Condition[],
  profile: Profile,
  rows: number,
  unfoldedFrom: number | undefined,
  notes: string[],
): void {
  notes.push(
    unfoldedFrom === undefined
      ? `${rows} rows read.`
      : `${unfoldedFrom} rows read, ${rows} interactions in them.`,
  );
  conditions.forEach(({ text, notNumbers, commas }, i) => {
    const met = profile.count({ [`where${i}`]: 1 });
    notes.push(
      met === 0 ? `Warning: no row meets ${text}.` : `${rows - met} rows left out: they do not meet ${text}.`,
    );
    notNumbers.forEach(({ column }, j) => {
      const words = profile.count({ [`where${i}words${j}`]: 1 });
      if (words > 0)
        notes.push(`Warning: ${words} values of ${column} are no numbers and do not meet ${text}.`);
    });
    commas.forEach(({ column }, j) => {
      const found = profile.count({ [`where${i}commas${j}`]: 1 });
      if (found > 0)
        notes.push(`${found} values of ${column} have a decimal comma and are taken as numbers.`);
    });
  });
}
