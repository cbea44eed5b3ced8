/**
 * One pass over the bytes of a text table: is it UTF-8 to its end, how many records does it hold, how long is the longest
 * line, and what do its quotes mean. The count stands beside the one of the parser that reads the rows: where the two
 * differ, the file is not taken.
 */
import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { fileError, UserError } from '../../../util/errors.js';

export interface Scan {
  /** Lines that are not empty, whatever quotes say. */
  lines: number;
  /** Records where quoted fields may hold line breaks; equal to `lines` where no quote was looked for. */
  records: number;
  /** Bytes of the longest line (of the longest record where quotes hold line breaks). */
  longest: number;
  /** How records end. */
  ends: { lf: number; crlf: number; cr: number };
  quotes: QuoteCounts;
}

/** What quotes do, by the number of fields, with the first line of each kind that contradicts quoting. */
export interface QuoteCounts {
  /** Quoted whole for nothing: no delimiter and no line break inside. */
  whole: number;
  /** Quoted whole, with a delimiter or a line break inside. */
  needed: number;
  /** A quote in the middle of a field. */
  inside: number;
  /**
   * A field that begins with a quote and is not quoted whole: text after the closing quote, or no closing quote on the
   * line while every line up to it is a whole record by itself.
   */
  broken: number;
  firstBroken: number;
  /** The line on which a quoted field begins that never ends; 0 for none. */
  open: number;
}

export interface ScanOptions {
  /** A delimiter of one byte makes quotes be looked at; '' counts lines only. */
  delimiter: string;
  quote: string;
  /** Fields of a record, to tell a line break within quotes from a quote that means nothing. */
  fields: number;
  /** Lines before the first record, which are no text of the table. */
  skip: number;
}

const BLOCK = 1 << 20;
const LF = 10;
const CR = 13;

/**
 * Reads the whole file.
 * @param place the file's name for messages.
 * @throws UserError for bytes that are no UTF-8 text, with the line.
 */
export function scanText(path: string, place: string, options: ScanOptions): Scan {
  const scanner = new Scanner(place, options);
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw fileError(error, place, 'read this file');
  }
  try {
    let buffer = Buffer.alloc(BLOCK);
    let kept = 0;
    for (;;) {
      const got = readSync(file, buffer, kept, buffer.length - kept, null);
      const filled = kept + got;
      if (got === 0) {
        if (filled > 0) scanner.block(buffer.subarray(0, filled));
        return scanner.finish();
      }
      // Whole lines only, so that no character and no line end is cut in two.
      let end = buffer.subarray(0, filled).lastIndexOf(LF) + 1;
      if (end === 0 && filled > 1) end = buffer.subarray(0, filled - 1).lastIndexOf(CR) + 1;
      if (end > 0) scanner.block(buffer.subarray(0, end));
      kept = filled - end;
      if (kept === buffer.length) {
        const larger = Buffer.alloc(2 * buffer.length);
        buffer.copy(larger);
        buffer = larger;
      } else buffer.copyWithin(0, end, filled);
    }
  } catch (error) {
    throw fileError(error, place, 'read this file');
  } finally {
    closeSync(file);
  }
}

class Scanner {
  private readonly delimiter: number;
  private readonly quote: number;
  private readonly expected: number;
  /** Physical lines so far, empty ones too. */
  private line = 0;
  private readonly scan: Scan = {
    lines: 0,
    records: 0,
    longest: 0,
    ends: { lf: 0, crlf: 0, cr: 0 },
    quotes: { whole: 0, needed: 0, inside: 0, broken: 0, firstBroken: 0, open: 0 },
  };
  // The state of the record that is being read; it outlives a block.
  private inQuotes = false;
  private opened = 0;
  private recordBytes = 0;
  private recordIsEmpty = true;
  /** Delimiters on this line, inside quotes too. */
  private delimiters = 0;
  private hasDelimiter = false;
  /** A line break within quotes: in this field, in this record. */
  private fieldBreaks = false;
  private hasBreak = false;
  /** Whether every line since a quote opened in this record is a record by itself. */
  private looksLiteral = true;
  /** The file ends within a line. */
  private lineIsOpen = false;

  constructor(
    private readonly place: string,
    private readonly options: ScanOptions,
  ) {
    const delimiter = Buffer.from(options.delimiter);
    const quote = Buffer.from(options.quote);
    const isPlain = delimiter.length === 1 && quote.length === 1;
    this.delimiter = isPlain ? delimiter[0]! : -1;
    this.quote = isPlain ? quote[0]! : -1;
    this.expected = options.fields - 1;
  }

  /** Takes some whole lines. */
  block(bytes: Buffer): void {
    if (!isUtf8(bytes) || bytes.includes(0)) this.refuse(bytes);
    let start = 0;
    while (this.line < this.options.skip && start < bytes.length) start = this.skipLine(bytes, start);
    const rest = start === 0 ? bytes : bytes.subarray(start);
    if (this.inQuotes || (this.quote >= 0 && rest.includes(this.quote))) this.quoted(rest);
    else this.plain(rest);
  }

  finish(): Scan {
    const { scan } = this;
    if (this.inQuotes) {
      const isRecord = !this.lineIsOpen || this.delimiters === this.expected;
      if (this.looksLiteral && isRecord) this.broke(this.opened);
      else scan.quotes.open = this.opened;
    }
    if (!this.recordIsEmpty) this.endRecord();
    return scan;
  }

  private skipLine(bytes: Buffer, start: number): number {
    this.line++;
    for (let i = start; i < bytes.length; i++)
      if (bytes[i] === LF || (bytes[i] === CR && bytes[i + 1] !== LF)) return i + 1;
    return bytes.length;
  }

  /** Lines without a quote: only their ends matter. */
  private plain(bytes: Buffer): void {
    const { scan } = this;
    let start = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte !== LF && byte !== CR) continue;
      const length = i - start;
      if (byte === CR && bytes[i + 1] === LF) {
        i++;
        scan.ends.crlf++;
      } else if (byte === CR) scan.ends.cr++;
      else scan.ends.lf++;
      this.line++;
      start = i + 1;
      if (length === 0) continue;
      scan.lines++;
      scan.records++;
      if (length > scan.longest) scan.longest = length;
    }
    // The last line of a file may have no end.
    if (start < bytes.length) {
      this.recordBytes = bytes.length - start;
      this.recordIsEmpty = false;
      scan.lines++;
    }
  }

  private quoted(bytes: Buffer): void {
    const { scan } = this;
    const { quotes } = scan;
    let atStart = !this.inQuotes;
    let closed = false;
    let lineStart = 0;
    const endField = () => {
      if (!closed) return;
      closed = false;
      if (!this.fieldBreaks) quotes[this.hasDelimiter ? 'needed' : 'whole']++;
    };
    const endLine = (i: number) => {
      this.line++;
      if (i > lineStart) {
        scan.lines++;
        this.recordIsEmpty = false;
      }
      this.recordBytes += i - lineStart;
      const isRecord = this.delimiters === this.expected;
      this.delimiters = 0;
      if (this.inQuotes) {
        this.hasBreak = true;
        this.fieldBreaks = true;
        if (!isRecord) this.looksLiteral = false;
        return;
      }
      endField();
      if (this.hasBreak) {
        if (this.looksLiteral && isRecord) this.broke(this.opened);
        else quotes.needed++;
        this.hasBreak = false;
      }
      if (!this.recordIsEmpty) this.endRecord();
      atStart = true;
    };
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === LF || byte === CR) {
        const end = i;
        const isPair = byte === CR && bytes[i + 1] === LF;
        if (isPair) i++;
        // How records end; line breaks within quotes are text.
        if (!this.inQuotes) scan.ends[isPair ? 'crlf' : byte === CR ? 'cr' : 'lf']++;
        endLine(end);
        lineStart = i + 1;
      } else if (byte === this.delimiter) {
        this.delimiters++;
        if (this.inQuotes) this.hasDelimiter = true;
        else {
          endField();
          atStart = true;
        }
      } else if (byte === this.quote) {
        if (this.inQuotes) {
          if (bytes[i + 1] === this.quote) i++;
          else {
            this.inQuotes = false;
            closed = true;
          }
        } else if (atStart) {
          this.inQuotes = true;
          this.opened = this.line + 1;
          this.hasDelimiter = false;
          this.fieldBreaks = false;
          if (!this.hasBreak) this.looksLiteral = true;
          atStart = false;
        } else if (closed) {
          closed = false;
          this.broke(this.line + 1);
        } else quotes.inside++;
      } else {
        if (closed) {
          closed = false;
          this.broke(this.line + 1);
        }
        atStart = false;
      }
    }
    if (lineStart < bytes.length) {
      // The file ends without a line end.
      scan.lines++;
      this.lineIsOpen = true;
      this.recordIsEmpty = false;
      this.recordBytes += bytes.length - lineStart;
      if (!this.inQuotes) endField();
      if (!this.inQuotes && this.hasBreak) {
        if (this.looksLiteral && this.delimiters === this.expected) this.broke(this.opened);
        else quotes.needed++;
      }
    }
  }

  private broke(line: number): void {
    const { quotes } = this.scan;
    if (quotes.broken++ === 0) quotes.firstBroken = line;
  }

  private endRecord(): void {
    this.scan.records++;
    if (this.recordBytes > this.scan.longest) this.scan.longest = this.recordBytes;
    this.recordBytes = 0;
    this.recordIsEmpty = true;
  }

  /** Finds the line at fault in a block that is no text. */
  private refuse(bytes: Buffer): never {
    let line = this.line;
    for (let start = 0; start < bytes.length; ) {
      line++;
      const at = bytes.indexOf(LF, start);
      const end = at < 0 ? bytes.length : at + 1;
      const part = bytes.subarray(start, end);
      const place = `${this.place}:${line}`;
      if (part.includes(0))
        throw new UserError('a zero byte: a binary file, not text, or a damaged line', {
          place,
          remedy: 'Mend or remove the line, or copy the file again.',
        });
      if (!isUtf8(part))
        throw new UserError('not UTF-8 text (a damaged line, or text in another encoding)', {
          place,
          remedy: 'Mend the line; text in Latin-1 is converted by: iconv -f latin1 -t utf-8 FILE',
        });
      start = end;
    }
    throw new UserError('not UTF-8 text', { place: this.place });
  }
}
