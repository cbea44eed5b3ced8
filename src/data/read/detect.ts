/**
 * What kind of text a file is, from its first lines: JSON, delimited text (MovieLens, RecBole, CSV, TSV) with or without a
 * header, or `user item item ...` sequences.
 */
import { UserError } from '../../util/errors.js';
import { looksLikeHeader } from './columns.js';
import type { Format } from './formats.js';
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
  | { kind: 'json'; isArray: boolean; isLines: boolean }
  | { kind: 'sequences'; delimiter: string; skip: number; notes: string[] }
  | Delimited;

const HEAD = 1 << 16;
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
    return { kind: 'json', isArray: first.trimStart().startsWith('['), isLines: isWholeObject(first) };
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
  // Empty lines before the table are the parser's to skip.
  if (comments === 0 && said === undefined) skip = 0;
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
  let header = options.header ?? (isRecBole || hasHeader(rows, options.asked ?? [], place));
  let names = rows[0]!;
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
  if (header) names = distinctNames(names);
  else {
    header = false;
    names = headerlessNames(rows, place, options.header === false);
  }
  return { kind: 'delimited', delimiter, quote, header, names, skip, notes };
}

/**
 * Whether the file is one value a line: a series of symbols or numbers rather than a table.
 * @throws UserError where it is missing, a folder, or not text.
 */
export function isSeries(path: string): boolean {
  const { head, size } = readEnds(path);
  if (size === 0) throw new UserError('the file is empty', { place: path });
  const magic = head.toString('latin1', 0, 4);
  if (
    magic === 'PAR1' ||
    magic.startsWith('PK') ||
    /^(\x1f\x8b|\x28\xb5\x2f\xfd|\xff\xfe|\xfe\xff)/.test(magic)
  )
    return false;
  const lines = textLines(head, size > HEAD, path).filter((line) => line.trim() !== '');
  return lines.length > 0 && lines.every((line) => !/[\s,;|]|::|[{[]/.test(line.trim()));
}

/**
 * `::` of MovieLens, else the separator that gives nearly every line the same number of fields, the most where several do;
 * where none does, the one that occurs most in the first line; a space only where there is no other.
 */
function guessDelimiter(lines: string[]): string {
  const first = lines[0]!;
  if (first.includes('::')) return '::';
  const sample = lines.slice(0, 200);
  let best = ' ';
  let most = 1;
  let evenness = 0;
  for (const candidate of ['\t', ',', ';', '|']) {
    const counts = sample.map((line) => splitLine(line, candidate, '"').length);
    const fields = counts[0]!;
    const even = counts.filter((count) => count === fields).length >= 0.95 * counts.length ? 1 : 0;
    if (fields > 1 && (even > evenness || (even === evenness && fields > most))) {
      most = fields;
      best = candidate;
      evenness = even;
    }
  }
  // `user item` and `user i1,i2,...`: a space that splits every line once, where nothing else splits them evenly.
  if (
    evenness === 0 &&
    best !== ' ' &&
    sample.length > 1 &&
    sample.every((line) => /^\S+ +\S+$/.test(line.trim()))
  )
    return ' ';
  return best === ' ' && !first.trim().includes(' ') ? ',' : best;
}

/** Fields of one line; doubled quotes inside a quoted field are one quote. */
export function splitLine(line: string, delimiter: string, quote: string): string[] {
  if (quote === '' || !line.includes(quote)) return line.split(delimiter).map((field) => field.trim());
  const fields: string[] = [];
  let field = '';
  let inside = false;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === quote && (inside || field.trim() === '')) {
      if (inside && line[i + 1] === quote) field += line[i++];
      else inside = !inside;
    } else if (!inside && line.startsWith(delimiter, i)) {
      fields.push(field.trim());
      field = '';
      i += delimiter.length - 1;
    } else field += line[i];
  }
  fields.push(field.trim());
  return fields;
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

const isNumber = (field: string) => field !== '' && Number.isFinite(Number(field));
const isDate = (field: string) => /^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]|$)/.test(field);

/** A field's form: digits become 0, so that `user_000001` and `user_000002` are alike. */
const formOf = (field: string) => field.replace(/\d+/g, '0');

/**
 * Whether the first line names the columns: by a name that was asked for, by usual names, or because a column is numbers
 * but for its first line. A first line with a number or a date, or with the form of the lines below it, is a row.
 */
function hasHeader(rows: string[][], asked: string[], place: string): boolean {
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
  const isLike = (i: number) => {
    const form = formOf(first[i]!);
    return /\d/.test(first[i]!) && others.some((row) => row[i] !== undefined && formOf(row[i]!) === form);
  };
  if (first.some((_, i) => isLike(i))) return false;
  if (looksLikeHeader(first)) return true;
  return (
    others.length > 0 &&
    first.some((_, i) =>
      others.every((row) => row[i] !== undefined && (isNumber(row[i]!) || isDate(row[i]!))),
    )
  );
}

/** Columns of a file without header: `user item rating time`, `user item time`, `user item`; else column1, column2, ... */
function headerlessNames(rows: string[][], place: string, said: boolean): string[] {
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
function distinctNames(names: string[]): string[] {
  const seen = new Set<string>();
  return names.map((name, i) => {
    let distinct = name === '' ? `column${i + 1}` : name;
    for (let n = 2; seen.has(distinct); n++) distinct = `${name}_${n}`;
    seen.add(distinct);
    return distinct;
  });
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
