/**
 * What kind of file this is, from its first bytes and its name: Parquet, JSON, delimited text (MovieLens, RecBole, CSV,
 * TSV) with or without a header, or `user item item ...` sequences.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { constants, gunzipSync } from 'node:zlib';
import { fileError, UserError } from '../util/errors.js';
import { looksLikeHeader } from './columns.js';

export type Format = 'auto' | 'csv' | 'parquet' | 'json' | 'sequences';

export interface DetectOptions {
  format?: Format;
  /** Separator of delimited text; guessed where absent. */
  delimiter?: string;
  /** Whether the first line of delimited text names the columns; guessed where absent. */
  header?: boolean;
  /** Column names the caller asks for: a first line that holds one of them is a header. */
  asked?: string[];
}

export type Detected =
  | { kind: 'parquet' }
  | { kind: 'json' }
  | { kind: 'sequences'; delimiter: string; gzip: boolean }
  | { kind: 'delimited'; delimiter: string; quote: string; header: boolean; names: string[]; gzip: boolean };

const HEAD = 1 << 16;

/**
 * Looks at the file.
 * @throws UserError where it is missing, a folder, empty, truncated, an archive, or not text.
 */
export function detectFormat(path: string, options: DetectOptions = {}): Detected {
  const { head, tail, size } = readEnds(path);
  if (size === 0) throw new UserError('the file is empty', { place: path });
  const format = options.format ?? 'auto';
  const isParquet = head.subarray(0, 4).toString('latin1') === 'PAR1';
  if (isParquet || format === 'parquet' || (format === 'auto' && /\.parquet$/i.test(path))) {
    if (!isParquet) throw new UserError('not a Parquet file: it does not begin with PAR1', { place: path });
    if (size < 12 || tail.toString('latin1') !== 'PAR1')
      throw new UserError('a truncated Parquet file: its end is missing', {
        place: path,
        remedy: 'Copy or download it again.',
      });
    return { kind: 'parquet' };
  }
  if (head.readUInt16BE(0) === 0x504b)
    throw new UserError('a zip archive, not a table', {
      place: path,
      remedy: 'Unpack it, or use `perflaw data fetch NAME --from-file ARCHIVE`.',
    });
  const gzip = head.length > 2 && head.readUInt16BE(0) === 0x1f8b;
  const lines = textLines(gzip ? gunzipHead(head, path) : head, size > HEAD || gzip, path);
  if (lines.length === 0) throw new UserError('the file is empty', { place: path });
  if (
    format === 'json' ||
    (format === 'auto' && /^\s*[[{]/.test(lines[0]!) && !/^\s*\[\d+\]/.test(lines[0]!))
  )
    return { kind: 'json' };
  return delimited(lines, gzip, options, path);
}

function delimited(lines: string[], gzip: boolean, options: DetectOptions, path: string): Detected {
  const first = lines[0]!;
  const delimiter = options.delimiter ?? guessDelimiter(first);
  const isRecBole = /:(token|float|token_seq|float_seq)\b/.test(first);
  const quote = isRecBole || delimiter === '::' || delimiter === ' ' ? '' : '"';
  const rows = lines.map((line) => splitLine(line, delimiter, quote));
  const names = rows[0]!;
  const header = options.header ?? (isRecBole || hasHeader(rows, options.asked ?? []));
  const isSequences =
    options.format === 'sequences' ||
    (options.format !== 'csv' && !header && delimiter !== '::' && isRagged(rows));
  if (isSequences) return { kind: 'sequences', delimiter, gzip };
  return {
    kind: 'delimited',
    delimiter,
    quote,
    header,
    names: header ? distinctNames(names) : headerlessNames(rows, path, options.header === false),
    gzip,
  };
}

/**
 * Whether the file is one value a line: a series of symbols or numbers rather than a table.
 * @throws UserError where it is missing, a folder, or not text.
 */
export function isSeries(path: string): boolean {
  const { head, size } = readEnds(path);
  if (size === 0) throw new UserError('the file is empty', { place: path });
  const magic = head.toString('latin1', 0, 4);
  if (magic === 'PAR1' || magic.startsWith('PK') || magic.startsWith('\x1f\x8b')) return false;
  const lines = textLines(head, size > HEAD, path);
  return lines.length > 0 && lines.every((line) => !/[\s,;|]|::|[{[]/.test(line.trim()));
}

/** `::` of MovieLens, else the separator that occurs most outside quotes; a space only where there is no other. */
function guessDelimiter(line: string): string {
  if (line.includes('::')) return '::';
  let best = ' ';
  let most = 1;
  for (const candidate of ['\t', ',', ';', '|']) {
    const fields = splitLine(line, candidate, '"').length;
    if (fields > most) {
      most = fields;
      best = candidate;
    }
  }
  return best === ' ' && !line.trim().includes(' ') ? ',' : best;
}

/** Fields of one line; doubled quotes inside a quoted field are one quote. */
export function splitLine(line: string, delimiter: string, quote: string): string[] {
  if (quote === '' || !line.includes(quote)) return line.split(delimiter).map((field) => field.trim());
  const fields: string[] = [];
  let field = '';
  let inside = false;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === quote) {
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

/**
 * Whether the first line names the columns: by usual names, by a name that was asked for, or because a column is numbers
 * but for its first line.
 */
function hasHeader(rows: string[][], asked: string[]): boolean {
  const first = rows[0]!;
  if (looksLikeHeader(first) || asked.some((name) => first.includes(name))) return true;
  return (
    rows.length > 1 &&
    !first.some(isNumber) &&
    first.some((_, i) => rows.slice(1).every((row) => row[i] !== undefined && isNumber(row[i])))
  );
}

/** Columns of a file without header: `user item rating time`, `user item time`, `user item`; else column1, column2, ... */
function headerlessNames(rows: string[][], path: string, said: boolean): string[] {
  const row = rows[0]!;
  const value = (i: number) => rows.map((fields) => Number(fields[i] === '' ? Number.NaN : fields[i]));
  const isClock = (i: number) => value(i).every((v) => v >= 1e8);
  if (row.length === 1)
    throw new UserError('the first line has one field: neither a table nor sequences', {
      place: path,
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
        place: path,
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

/** Whole lines of the head, without a byte-order mark and empty lines. */
function textLines(head: Buffer, isPart: boolean, path: string): string[] {
  let bytes = head;
  if (isPart) {
    const end = head.lastIndexOf(10);
    if (end > 0) bytes = head.subarray(0, end);
  }
  if (bytes.includes(0)) throw new UserError('a binary file, not text', { place: path, remedy: READABLE });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError('not UTF-8 text (a binary file, or text in another encoding)', {
      place: path,
      remedy: `${READABLE} Text in Latin-1 is converted by: iconv -f latin1 -t utf-8 FILE`,
      cause: error,
    });
  }
  return text
    .split(/\r?\n|\r/)
    .filter((line) => line.trim() !== '')
    .slice(0, 1000);
}

const READABLE = 'Readable are CSV, TSV, Parquet, JSON lines, MovieLens, RecBole .inter and sequence text.';

function gunzipHead(head: Buffer, path: string): Buffer {
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 64 * HEAD }).subarray(
      0,
      HEAD,
    );
  } catch (error) {
    throw new UserError('not a readable gzip file', {
      place: path,
      remedy: 'Unpack it by hand.',
      cause: error,
    });
  }
}

function readEnds(path: string): { head: Buffer; tail: Buffer; size: number } {
  try {
    // Looked at before it is opened: opening a pipe would wait for ever.
    const stat = statSync(path);
    if (stat.isDirectory())
      throw new UserError('this is a folder, a file was expected', {
        place: path,
        remedy: 'Name the file itself.',
      });
    if (!stat.isFile())
      throw new UserError('not a regular file (a pipe or a device)', {
        place: path,
        remedy: 'Save it to a file first.',
      });
    const file = openSync(path, 'r');
    try {
      const head = Buffer.alloc(Math.min(HEAD, stat.size));
      readSync(file, head, 0, head.length, 0);
      const tail = Buffer.alloc(Math.min(4, stat.size));
      readSync(file, tail, 0, tail.length, stat.size - tail.length);
      return {
        head: head.length < 2 ? Buffer.concat([head, Buffer.from('\n\n')]) : head,
        tail,
        size: stat.size,
      };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileError(error, path, 'read this file');
  }
}
