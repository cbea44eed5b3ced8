/**
 * What kind of text a file is, from its first lines: JSON, delimited text (MovieLens, RecBole, CSV, TSV) with or without a
 * header, or `user item item ...` sequences.
 */
import { UserError } from '../../../util/errors.js';
import { looksLikeHeader } from '../columns.js';
import type { Format } from '../formats.js';
import { guessDelimiter, splitLine } from './delimiter.js';
import { distinctNames, hasHeader, headerlessNames } from './header.js';
import { readEnds, type Source } from './source.js';

export interface DetectOptions {
  format?: Format;
  /** Separator of delimited text; guessed where absent. */
  delimiter?: string;
  /** Quote of delimited text, `none` for none; by default a double quote where fields are quoted whole. */
  quote?: string;
  /** Whether the first line of delimited text names the columns; guessed where absent. */
  header?: boolean;
  /** Column names the caller asks for: a first line that holds one of them is a header. */
  asked?: string[];
}

export interface Delimited {
  kind: 'delimited';
  delimiter: string;
  /** The quote asked for, '' for none, or undefined where the scan of the whole file is to tell. */
  quote: string | undefined;
  header: boolean;
  names: string[];
  /** Lines before the header or the first row: `sep=;`, comments. */
  skip: number;
  notes: string[];
}

export type Detected =
  | { kind: 'parquet' }
  | { kind: 'json'; isLines: boolean }
  | { kind: 'sequences'; delimiter: string; skip: number; notes: string[] }
  | Delimited;

const READABLE = 'Readable are CSV, TSV, Parquet, JSON lines, MovieLens, RecBole .inter and sequence text.';

/**
 * Looks at the beginning of a source.
 * @throws UserError where it is not text, or where one cannot tell what its first line is.
 */
export function detectFormat(source: Source, options: DetectOptions = {}): Detected {
  const { place } = source;
  const format = options.format ?? 'auto';
  if (source.isParquet) return { kind: 'parquet' };
  if (format === 'parquet') throw new UserError('not a Parquet file: it does not begin with PAR1', { place });
  const { head, size } = readEnds(source.path);
  const all = textLines(head, size > head.length, place);
  const first = all.find((line) => line.trim() !== '');
  if (first === undefined) throw new UserError('the file is empty', { place });
  if (format === 'json' || (format === 'auto' && /^\s*[[{]/.test(first) && !/^\s*\[\d+\]/.test(first)))
    return { kind: 'json', isLines: isWholeObject(first) };
  const { skip, said, names, notes } = preamble(all);
  const lines = all.slice(skip).filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new UserError('the file is empty', { place });
  return delimited(
    lines,
    { ...options, delimiter: options.delimiter ?? said },
    { skip, names, notes },
    place,
  );
}

/** Whether a line is a JSON object by itself: then every line is one. */
function isWholeObject(line: string): boolean {
  try {
    return !Array.isArray(JSON.parse(line));
  } catch {
    return false;
  }
}

/** Lines that are no table: `sep=;` of spreadsheets, comments, and what a comment says of the columns. */
function preamble(lines: string[]): { skip: number; said?: string; names?: string; notes: string[] } {
  const notes: string[] = [];
  let skip = 0;
  let said: string | undefined;
  let names: string | undefined;
  let comments = 0;
  for (const line of lines) {
    const separator = /^"?sep=(.)"?\s*$/i.exec(line)?.[1];
    const comment = /^\s*(?:#|%|\/\/)\s?(.*)$/.exec(line);
    if (separator !== undefined && skip === 0) said = separator;
    else if (comment && !isHashtag(line, lines)) {
      comments++;
      names = comment[1]!;
    } else if (line.trim() !== '') break;
    skip++;
  }
  if (said !== undefined) notes.push(`The first line says that the separator is ${JSON.stringify(said)}.`);
  if (comments > 0)
    notes.push(`${comments} comment ${comments === 1 ? 'line' : 'lines'} at the beginning left out.`);
  return { skip, said, names, notes };
}

/** Most lines begin so: it is how identifiers look here, no comment. */
function isHashtag(line: string, lines: string[]): boolean {
  const mark = line.trimStart()[0]!;
  const present = lines.filter((each) => each.trim() !== '');
  return (
    present.filter((each) => each.trimStart()[0] === mark).length > 0.5 * present.length && present.length > 3
  );
}

function delimited(
  lines: string[],
  options: DetectOptions,
  before: { skip: number; names?: string; notes: string[] },
  place: string,
): Detected {
  const first = lines[0]!;
  const delimiter = options.delimiter ?? guessDelimiter(lines);
  const isRecBole = /:(token|float|token_seq|float_seq)\b/.test(first);
  const noQuotes = isRecBole || delimiter === '::' || delimiter === ' ';
  const asked = options.quote === 'none' ? '' : options.quote;
  const quote = asked ?? (noQuotes ? '' : undefined);
  const { skip, notes } = before;
  if (delimiter === ' ' && options.delimiter === undefined && lines.every((line) => /\S {2,}\S/.test(line)))
    throw new UserError('fields are separated by several spaces', {
      place,
      remedy: "Make them one each first: tr -s ' ' < FILE",
    });
  let rows = lines.map((line) => splitLine(line, delimiter, quote ?? '"'));
  // A comment that names as many columns as the rows have is the header.
  const header = options.header ?? (isRecBole || hasHeader(rows, options.asked ?? [], place));
  const names = rows[0]!;
  if (!header && before.names !== undefined && options.header === undefined) {
    const said = splitLine(before.names, delimiter, quote ?? '"');
    if (said.length === names.length && looksLikeHeader(said)) {
      notes.push(`The comment above the rows names the columns: ${said.join(', ')}.`);
      return { kind: 'delimited', delimiter, quote, header: false, names: distinctNames(said), skip, notes };
    }
  }
  if (header) rows = rows.slice(1);
  const isSequences =
    options.format === 'sequences' ||
    (options.format !== 'csv' && !header && delimiter !== '::' && isRagged(rows));
  if (isSequences) return { kind: 'sequences', delimiter, skip, notes };
  const distinct = header ? distinctNames(names) : headerlessNames(rows, place, options.header === false);
  return { kind: 'delimited', delimiter, quote, header, names: distinct, skip, notes };
}

/**
 * Whether the file is one value a line: a series of symbols or numbers rather than a table.
 * @throws UserError where it is missing, a folder, or not text.
 */
export function isSeries(path: string): boolean {
  const { head, size } = readEnds(path);
  if (size === 0) throw new UserError('the file is empty', { place: path });
  const isPacked = head[0] === 0x1f && head[1] === 0x8b;
  const isWide = head.length > 1 && [0xfffe, 0xfeff].includes(head.readUInt16BE(0));
  if (isPacked || isWide || /^(PAR1|PK|\(\xb5\/\xfd)/.test(head.toString('latin1', 0, 4))) return false;
  const lines = textLines(head, size > head.length, path).filter((line) => line.trim() !== '');
  return lines.length > 0 && lines.every((line) => !/[\s,;|]|::|[{[]/.test(line.trim()));
}

/** Lines of many lengths, some long: sequences rather than a table with a few broken lines. */
function isRagged(rows: string[][]): boolean {
  const counts = new Map<number, number>();
  for (const row of rows) {
    const length = row.filter((field) => field !== '').length;
    counts.set(length, (counts.get(length) ?? 0) + 1);
  }
  return Math.max(...counts.keys()) > 4 && Math.max(...counts.values()) < 0.8 * rows.length;
}

/** Whole lines of the head, without a byte-order mark; empty ones stay, so that they can be counted. */
function textLines(head: Buffer, isPart: boolean, place: string): string[] {
  let bytes = head;
  if (isPart) {
    const end = Math.max(head.lastIndexOf(10), head.lastIndexOf(13));
    if (end > 0) bytes = head.subarray(0, end);
  }
  if (bytes.includes(0)) throw new UserError('a binary file, not text', { place, remedy: READABLE });
  let text: string;
  try {
    // One line that is longer than the head ends within a character, perhaps.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: isPart });
  } catch (error) {
    throw new UserError('not UTF-8 text (a binary file, or text in another encoding)', {
      place,
      remedy: `${READABLE} Text in Latin-1 is converted by: iconv -f latin1 -t utf-8 FILE`,
      cause: error,
    });
  }
  return text.split(/\r\n|\n|\r/).slice(0, 1000);
}
