/**
 * Takes one named file out of a zip or tar.gz archive, as a stream: nothing else is written, no path of the archive is
 * ever used as a path here, and an archive that holds paths leading outside is refused.
 */
import { closeSync, createReadStream, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { fileError, UserError } from '../../util/errors.js';
import { isSafeMember } from './catalogue.js';

/** More than any table a descriptor names; a smaller archive that unpacks to more is a trap. */
const MOST_BYTES = 32 * 2 ** 30;

/**
 * Unpacks `member` to `target` (written under another name first, so it is whole or absent).
 * @throws UserError where the archive is damaged, unsafe, or does not hold the member.
 */
export async function unpackMember(
  archive: string,
  kind: 'zip' | 'tar.gz',
  member: string,
  target: string,
  mostBytes = MOST_BYTES,
): Promise<void> {
  const part = `${target}.part`;
  let file: number;
  try {
    file = openSync(part, 'w');
  } catch (error) {
    throw fileError(error, part, 'write this file');
  }
  let bytes = 0;
  const write = (data: Uint8Array) => {
    bytes += data.length;
    if (bytes > mostBytes)
      throw new UserError(`"${member}" unpacks to more than ${mostBytes} bytes`, { place: archive });
    for (let at = 0; at < data.length; ) at += writeSync(file, data, at);
  };
  try {
    const found = await (kind === 'zip' ? unzip : untar)(archive, member, write);
    if (!found)
      throw new UserError(`the archive does not hold "${member}"`, {
        place: archive,
        remedy: 'Is it the right archive, and whole?',
      });
    closeSync(file);
    renameSync(part, target);
  } catch (error) {
    try {
      closeSync(file);
    } catch {}
    rmSync(part, { force: true });
    throw archiveError(error, archive);
  }
}

async function unzip(archive: string, member: string, write: (data: Uint8Array) => void): Promise<boolean> {
  const { Unzip, UnzipInflate } = await import('fflate');
  let complete = false;
  let written = 0;
  let failure: unknown;
  const unzipper = new Unzip((entry) => {
    try {
      checkEntry(entry.name, archive);
    } catch (error) {
      failure ??= error;
    }
    if (entry.name !== member || complete || failure) return;
    entry.ondata = (error, data, final) => {
      if (error) throw error;
      written += data.length;
      write(data);
      if (!final) return;
      if (entry.originalSize !== undefined && entry.originalSize !== written)
        throw new Error(`"${member}" has ${written} bytes instead of ${entry.originalSize}`);
      complete = true;
    };
    entry.start();
  });
  unzipper.register(UnzipInflate);
  const file = openSync(archive, 'r');
  try {
    const block = Buffer.alloc(1 << 20);
    for (;;) {
      const length = readSync(file, block, 0, block.length, null);
      // fflate keeps what it is given, so each piece gets memory of its own.
      unzipper.push(Uint8Array.prototype.slice.call(block, 0, length), length === 0);
      if (failure) throw failure;
      if (length === 0) return complete;
    }
  } finally {
    closeSync(file);
  }
}

async function untar(archive: string, member: string, write: (data: Uint8Array) => void): Promise<boolean> {
  const { Parser } = await import('tar');
  let found = false;
  let failure: unknown;
  const attempt = (work: () => void) => {
    try {
      if (!failure) work();
    } catch (error) {
      failure = error;
    }
  };
  const parser = new Parser({
    strict: true,
    onReadEntry(entry) {
      attempt(() => checkEntry(entry.path, archive));
      const wanted = !found && entry.type === 'File' && entry.path.replace(/^\.\//, '') === member;
      if (!wanted) return entry.resume();
      found = true;
      entry.on('data', (data: Buffer) => attempt(() => write(data)));
    },
  });
  const ended = new Promise<void>((resolve, reject) => {
    parser.on('end', resolve);
    parser.on('error', reject);
  });
  ended.catch((error) => {
    failure ??= error;
  });
  for await (const block of createReadStream(archive, { highWaterMark: 1 << 20 })) {
    if (!parser.write(block)) await new Promise((resolve) => setImmediate(resolve));
    if (failure) throw failure;
  }
  parser.end();
  await ended;
  if (failure) throw failure;
  return found;
}

function checkEntry(name: string, archive: string): void {
  if (!isSafeMember(name))
    throw new UserError(`the archive holds an unsafe path: ${JSON.stringify(name)}`, {
      place: archive,
      remedy: 'Do not trust this archive; get it from its publisher.',
    });
}

function archiveError(error: unknown, archive: string): unknown {
  if (error instanceof UserError) return error;
  const known = fileError(error, archive, 'unpack this archive');
  if (known instanceof UserError) return known;
  return new UserError(`a damaged archive: ${error instanceof Error ? error.message : String(error)}`, {
    place: archive,
    remedy: 'Copy or download it again.',
    cause: error,
  });
}
