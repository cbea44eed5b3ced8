/**
 * Takes one named file out of a zip or tar.gz archive, as a stream: nothing else is written, no path of the archive is
 * ever used as a path here, and an archive that holds paths leading outside is refused.
 */
import { closeSync, createReadStream, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
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

/** POSIX tar: 512-byte headers, each followed by its file in whole blocks. Only regular files count. */
async function untar(archive: string, member: string, write: (data: Uint8Array) => void): Promise<boolean> {
  const input = createReadStream(archive);
  const stream = createGunzip();
  input.on('error', (error) => stream.destroy(error));
  input.pipe(stream);
  let pending: Buffer = Buffer.alloc(0);
  let left = 0;
  let padding = 0;
  let wanted = false;
  let found = false;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (;;) {
        if (left > 0) {
          const take = Math.min(left, pending.length);
          if (wanted) write(pending.subarray(0, take));
          pending = pending.subarray(take);
          left -= take;
          if (left > 0) break;
          if (wanted) found = true;
          wanted = false;
        }
        const skip = Math.min(padding, pending.length);
        pending = pending.subarray(skip);
        padding -= skip;
        if (padding > 0 || pending.length < 512) break;
        const header = pending.subarray(0, 512);
        pending = pending.subarray(512);
        if (header.every((byte) => byte === 0)) continue;
        const { name, size, isFile } = readHeader(header);
        checkEntry(name, archive);
        left = size;
        padding = (512 - (size % 512)) % 512;
        wanted = isFile && !found && name.replace(/^\.\//, '') === member;
        if (wanted && size === 0) found = true;
      }
    }
    if (left > 0) throw new Error('it is cut short');
    return found;
  } finally {
    input.destroy();
    stream.destroy();
  }
}

function readHeader(header: Buffer): { name: string; size: number; isFile: boolean } {
  let sum = 8 * 32;
  for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += header[i]!;
  const text = (from: number, to: number) => header.toString('utf8', from, to).replace(/\0[\s\S]*$/, '');
  const octal = (from: number, to: number) => Number.parseInt(text(from, to).trim() || '0', 8);
  const size = octal(124, 136);
  if (octal(148, 156) !== sum || !(size >= 0)) throw new Error('it is no tar archive');
  const prefix = header.toString('latin1', 257, 262) === 'ustar' ? text(345, 500) : '';
  const type = header[156];
  return {
    name: prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`,
    size,
    isFile: type === 0x30 || type === 0,
  };
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
