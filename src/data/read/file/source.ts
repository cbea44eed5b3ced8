/**
 * A file as the readers need it: Parquet as it is, everything else as plain UTF-8 text. What is packed (gzip, zstd), in UTF-16,
 * or ends its lines in several ways is written anew to a temporary file first, so that a damaged archive is found out before
 * a row of it is used.
 */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { fileError, UserError } from '../../../util/errors.js';
import { wideEncoding } from '../../../util/text.js';
import { refuseKnown } from './signature.js';

export interface Source {
  /** What to read; a temporary file where something had to be written anew. */
  path: string;
  /** The file as the caller named it, for messages. */
  place: string;
  isParquet: boolean;
  /** What was done to it. */
  notes: string[];
}

const HEAD = 1 << 16;

/**
 * Opens a file, hands it over, and removes what was written for it.
 * @throws UserError where it is missing, a folder, empty, damaged, or known to be no table.
 */
export async function withSource<T>(path: string, use: (source: Source) => Promise<T>): Promise<T> {
  const { head, tail, size } = readEnds(path);
  const isParquet = head.toString('latin1', 0, 4) === 'PAR1';
  if (isParquet || (/\.parquet$/i.test(path) && size > 0)) {
    checkParquet(isParquet, tail, size, path);
    return use({ path, place: path, isParquet: true, notes: [] });
  }
  if (size === 0) throw new UserError('the file is empty', { place: path });
  const changes = changesOf(head);
  if (changes.length === 0) {
    refuseKnown(head, path);
    return use({ path, place: path, isParquet: false, notes: [] });
  }
  return withCopy(path, changes, async (copy) => {
    const inside = readEnds(copy);
    if (inside.size === 0) throw new UserError('the file is empty', { place: path });
    refuseKnown(inside.head, path);
    const wide = changesOf(inside.head).find(({ what }) => what.startsWith('UTF-16'));
    const notes = changes.map(({ what }) => `Read as ${what}.`);
    if (!wide) return use({ path: copy, place: path, isParquet: false, notes });
    return withCopy(copy, [wide], (text) =>
      use({ path: text, place: path, isParquet: false, notes: [...notes, `Read as ${wide.what}.`] }),
    );
  });
}

/** The same text with every line ended by a line feed: for files whose lines end in several ways. */
export function withEvenLines<T>(source: Source, use: (source: Source) => Promise<T>): Promise<T> {
  const change = { what: 'lines that end in several ways', open: () => new EvenLines() };
  return withCopy(source.path, [change], (path) => use({ ...source, path }), source.place);
}

interface Change {
  what: string;
  open(): Transform;
}

/** What must be undone to have UTF-8 text. */
function changesOf(head: Buffer): Change[] {
  if (head.length > 2 && head.readUInt16BE(0) === 0x1f8b)
    return [{ what: 'gzip', open: () => createGunzip() }];
  if (head.length > 3 && head.readUInt32LE(0) === 0xfd2fb528)
    return [{ what: 'zstd', open: () => new Unzstd() }];
  const encoding = wideEncoding(head);
  return encoding === undefined ? [] : [{ what: encoding.toUpperCase(), open: () => new Decode(encoding) }];
}

async function withCopy<T>(
  path: string,
  changes: Change[],
  use: (copy: string) => Promise<T>,
  place = path,
): Promise<T> {
  const room = tmpdir();
  let folder: string;
  try {
    folder = mkdtempSync(join(room, 'perflaw-read-'));
  } catch (error) {
    throw fileError(error, room, 'make a folder to unpack into');
  }
  const copy = join(folder, 'text');
  try {
    const steps = changes.map(({ open }) => open());
    try {
      await pipeline([createReadStream(path), ...steps, createWriteStream(copy)]);
    } catch (error) {
      throw unpackError(error, changes, place, room);
    }
    refuseTrailing(steps[0]!, path, place);
    return await use(copy);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** gunzip ends quietly before bytes that are no gzip: a second part with a damaged head would be lost. */
function refuseTrailing(step: Transform, path: string, place: string): void {
  const read = (step as { bytesWritten?: number }).bytesWritten;
  if (read === undefined) return;
  const { size } = statSync(path);
  if (read >= size) return;
  const file = openSync(path, 'r');
  try {
    const rest = Buffer.alloc(Math.min(HEAD, size - read));
    readSync(file, rest, 0, rest.length, read);
    if (rest.some((byte) => byte !== 0))
      throw new UserError(`a damaged gzip file: ${size - read} bytes after its end are no gzip`, {
        place,
        remedy: 'Copy or download it again.',
      });
  } finally {
    closeSync(file);
  }
}

function unpackError(error: unknown, changes: Change[], place: string, room: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new UserError('no space left on the device to unpack into', {
      place: room,
      remedy: 'Free some space, or name another folder by the variable TMPDIR.',
      cause: error,
    });
  const known = fileError(error, place, 'read this file');
  if (known instanceof UserError) return known;
  const reason = error instanceof Error ? error.message : String(error);
  const cut = /unexpected end|unexpected EOF/i.test(reason);
  return new UserError(
    `a ${cut ? 'truncated' : 'damaged'} ${changes[0]!.what} file${cut ? ': its end is missing' : `: ${reason}`}`,
    { place, remedy: 'Copy or download it again.', cause: error },
  );
}

/** zstd, which zlib of Node 20 does not know. */
class Unzstd extends Transform {
  private stream: { push(chunk: Uint8Array, final?: boolean): void } | undefined;

  private async opened() {
    if (!this.stream) {
      const { Decompress } = await import('fzstd');
      this.stream = new Decompress((chunk) => this.push(Buffer.from(chunk)));
    }
    return this.stream;
  }

  override _transform(chunk: Buffer, _: string, done: TransformCallback): void {
    this.opened()
      .then((stream) => stream.push(new Uint8Array(chunk)))
      .then(() => done(), done);
  }

  override _flush(done: TransformCallback): void {
    this.opened()
      .then((stream) => stream.push(new Uint8Array(0), true))
      .then(() => done(), done);
  }
}

/** UTF-16 to UTF-8; half a pair is an error. */
class Decode extends Transform {
  private readonly decoder: InstanceType<typeof TextDecoder>;

  constructor(private readonly encoding: 'utf-16le' | 'utf-16be') {
    super();
    this.decoder = new TextDecoder(encoding, { fatal: true });
  }

  private decode(done: TransformCallback, chunk?: Buffer): void {
    try {
      done(null, this.decoder.decode(chunk, { stream: chunk !== undefined }));
    } catch {
      done(new Error(`bytes that are no ${this.encoding.toUpperCase()}`));
    }
  }

  override _transform(chunk: Buffer, _: string, done: TransformCallback): void {
    this.decode(done, chunk);
  }

  override _flush(done: TransformCallback): void {
    this.decode(done);
  }
}

/** CR LF and lone CR become LF. */
class EvenLines extends Transform {
  private endedInReturn = false;

  override _transform(chunk: Buffer, _: string, done: TransformCallback): void {
    const out = Buffer.alloc(chunk.length);
    let n = 0;
    for (const byte of chunk) {
      if (byte === 10 && this.endedInReturn) {
        this.endedInReturn = false;
        continue;
      }
      this.endedInReturn = byte === 13;
      out[n++] = byte === 13 ? 10 : byte;
    }
    done(null, out.subarray(0, n));
  }
}

function checkParquet(isParquet: boolean, tail: Buffer, size: number, path: string): void {
  if (!isParquet) throw new UserError('not a Parquet file: it does not begin with PAR1', { place: path });
  if (size < 12 || tail.toString('latin1') !== 'PAR1')
    throw new UserError('a truncated Parquet file: its end is missing', {
      place: path,
      remedy: 'Copy or download it again.',
    });
}

/** The beginning and the last four bytes of a regular file. @throws UserError where it is none. */
export function readEnds(path: string): { head: Buffer; tail: Buffer; size: number } {
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
      return { head, tail, size: stat.size };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileError(error, path, 'read this file');
  }
}
