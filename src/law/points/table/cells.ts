/** Cells of a table of results as numbers: counts, decimal commas, words for nothing; or an error that names row and column. */
import { UserError } from '../../../util/errors.js';
import { parseCount } from '../../../util/format.js';
import type { Cell, RawRow } from './rows.js';

/** What a comma within a number is: of decimals (`0,037`), of thousands (`1,234,567`), or it cannot be told (`1,234`). */
export type CommaStyle = 'decimal' | 'thousands' | 'unknown' | 'both';

export const isEmpty = (cell: Cell) =>
  cell === undefined || cell === null || (typeof cell === 'string' && cell.trim() === '');

/**
 * Nothing, in the words that programs write for it. NaN is none of them, other than in a file of events: it is a run that came
 * to nothing, and a dash can be no identifier here. Text such as a setting `none` is asked with `isEmpty`.
 */
export const isMissing = (cell: Cell) =>
  isEmpty(cell) ||
  (typeof cell === 'string' && /^\s*(n\/?a|<na>|null|none|nil|nat|\\n|-|--|–|—|\?)\s*$/i.test(cell));

const PLAIN = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const AMBIGUOUS = /^[-+]?[1-9]\d{0,2},\d{3}$/;
const DECIMAL = /^[-+]?(\d+,\d*|,\d+)(e[-+]?\d+)?$/i;
const THOUSANDS = /^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$/;

/** What the commas within the numbers of a table are: one that can be read in one way only decides for all. */
export function commaStyle(cells: Iterable<Cell>): CommaStyle {
  let decimal = false;
  let thousands = false;
  for (const cell of cells) {
    if (typeof cell !== 'string' || !cell.includes(',')) continue;
    const text = cell.trim();
    if (AMBIGUOUS.test(text)) continue;
    if (DECIMAL.test(text)) decimal = true;
    else if (THOUSANDS.test(text)) thousands = true;
  }
  if (decimal && thousands) return 'both';
  return decimal ? 'decimal' : thousands ? 'thousands' : 'unknown';
}

/** A cell as a number; undefined where it is none. NaN and the infinities are numbers here. */
export function readNumber(cell: Cell, commas: CommaStyle = 'unknown'): number | undefined {
  if (typeof cell === 'number') return cell;
  if (typeof cell !== 'string') return undefined;
  let text = cell.trim();
  if (text.includes(',')) {
    if (commas === 'decimal' && DECIMAL.test(text)) text = text.replace(',', '.');
    else if (commas === 'thousands' && THOUSANDS.test(text)) text = text.replaceAll(',', '');
    else return undefined;
    // 1.234 among decimal commas may be a thousand
  } else if (commas === 'decimal' && /^[-+]?[1-9]\d{0,2}(\.\d{3})+$/.test(text)) return undefined;
  if (/^[-+]?nan$/i.test(text)) return Number.NaN;
  if (/^[-+]?inf(inity)?$/i.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return PLAIN.test(text) ? Number(text) : parseCount(text);
}

/** Whether a column holds numbers: at least half of what is filled in. */
export function isNumeric(rows: readonly RawRow[], column: string): boolean {
  const filled = rows.filter(({ cells }) => !isMissing(cells[column]));
  const style = commaStyle(filled.map(({ cells }) => cells[column]));
  const numbers = filled.filter(
    ({ cells }) => readNumber(cells[column], style === 'unknown' ? 'decimal' : style) !== undefined,
  );
  return filled.length > 0 && 2 * numbers.length >= filled.length;
}

/** What a number may be, by what it counts. */
export interface NumberKind {
  words: string;
  /** NaN and the infinities are kept: they are refused by name when they are fitted. */
  any?: boolean;
  fits(value: number): boolean;
}

export const SIZE: NumberKind = {
  words: 'a whole number above 0',
  fits: (value) => value > 0 && Number.isInteger(value),
};
export const WHOLE: NumberKind = { words: 'a whole number', fits: Number.isInteger };
export const POSITIVE: NumberKind = {
  words: 'a number above 0',
  fits: (value) => value > 0 && Number.isFinite(value),
};
export const NUMBER: NumberKind = { words: 'a number', fits: Number.isFinite };
export const METRIC: NumberKind = { words: 'a number', any: true, fits: () => true };

/**
 * @throws UserError naming row and column where the cell is not of that kind.
 */
export function cellNumber(row: RawRow, column: string, kind: NumberKind, commas: CommaStyle): number {
  const cell = row.cells[column];
  const value = readNumber(cell, commas);
  if (value !== undefined && kind.fits(value)) return value;
  const text = String(cell).trim();
  const two = AMBIGUOUS.test(text) || /^[-+]?\d{1,3}(\.\d{3})+$/.test(text);
  if (value === undefined && (two || /^[-+]?[\d.,]+$/.test(text)) && /[.,]/.test(text))
    throw new UserError(`column "${column}": "${cell}" can be read in two ways (decimals or thousands)`, {
      place: row.place,
      remedy: 'Write it with a decimal point and without marks between thousands.',
    });
  throw new UserError(`column "${column}": "${cell}" is not ${kind.words}`, {
    place: row.place,
    remedy: text.endsWith('%')
      ? 'Write the share without the sign, all of a column as fractions or all as percentages.'
      : 'Mend the cell, or leave it empty if it is not known.',
  });
}
