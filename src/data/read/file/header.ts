/** Whether the first line of a text table names the columns, and what they are called where it does not. */
import { UserError } from '../../../util/errors.js';
import { looksLikeHeader } from '../columns.js';

const isNumber = (field: string) => field !== '' && Number.isFinite(Number(field));
const isDate = (field: string) => /^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]|$)/.test(field);

/** A field's form: digits become 0, so that `user_000001` and `user_000002` are alike. */
const formOf = (field: string) => field.replace(/\d+/g, '0');

/** Whether a field of the first line has the form of one below it, digits in it: then the line is a row like the others. */
function isLikeOthers([first, ...others]: string[][]): boolean {
  return first!.some((field, i) => {
    const form = formOf(field);
    return /\d/.test(field) && others.some((row) => row[i] !== undefined && formOf(row[i]) === form);
  });
}

/**
 * Whether the first line names the columns: by a name that was asked for, by usual names, or because a column is numbers
 * but for its first line. A first line with a number or a date, or with the form of the lines below it, is a row.
 */
export function hasHeader(rows: string[][], asked: string[], place: string): boolean {
  const first = rows[0]!;
  if (asked.some((name) => first.includes(name))) return true;
  const others = rows.slice(1);
  if (
    first.length > 2 &&
    first.every((field, i) => field === String(i) || (i === 0 && field === '')) &&
    others.length > 0
  )
    throw new UserError(
      `does the first line, ${JSON.stringify(first.join(' ').slice(0, 60))}, number the columns?`,
      {
        place,
        remedy: 'Say --header (and name the columns by their numbers) or --no-header.',
      },
    );
  if (first.some((field) => isNumber(field) || isDate(field))) return false;
  if (isLikeOthers(rows)) return false;
  if (looksLikeHeader(first)) return true;
  return (
    others.length > 0 &&
    first.some((_, i) =>
      others.every((row) => row[i] !== undefined && (isNumber(row[i]!) || isDate(row[i]!))),
    )
  );
}

/** Columns of a file without header: `user item rating time`, `user item time`, `user item`; else column1, column2, ... */
export function headerlessNames(rows: string[][], place: string, said: boolean): string[] {
  const row = rows[0]!;
  const value = (i: number) => rows.map((fields) => Number(fields[i] === '' ? Number.NaN : fields[i]));
  const isClock = (i: number) =>
    value(i).every((v) => v >= 1e8) || rows.every((fields) => isDate(fields[i] ?? ''));
  if (row.length === 1)
    throw new UserError('the first line has one field: neither a table nor sequences', {
      place,
      remedy: 'Name the separator with --delimiter.',
    });
  if (row.length === 4 && isClock(3) && value(2).every((v) => Math.abs(v) <= 1000))
    return ['user', 'item', 'rating', 'time'];
  if (row.length === 3 && isClock(2)) return ['user', 'item', 'time'];
  if (row.length === 2) {
    // Two columns of words: a header would pass for an interaction.
    if (
      !said &&
      !row.some(isNumber) &&
      !isLikeOthers(rows) &&
      rows.slice(1).every((fields) => fields[0] !== row[0] && fields[1] !== row[1])
    )
      throw new UserError(`does the first line, ${JSON.stringify(row.join(' '))}, name the columns?`, {
        place,
        remedy: 'Say --no-header, or name the columns: --user COLUMN --item COLUMN.',
      });
    return ['user', 'item'];
  }
  return row.map((_, i) => `column${i + 1}`);
}

/** Empty and repeated names made distinct, so that a column can be asked for. */
export function distinctNames(names: string[]): string[] {
  const seen = new Set<string>();
  return names.map((name, i) => {
    let distinct = name === '' ? `column${i + 1}` : name;
    for (let n = 2; seen.has(distinct); n++) distinct = `${name}_${n}`;
    seen.add(distinct);
    return distinct;
  });
}
