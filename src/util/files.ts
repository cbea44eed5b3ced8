/** Files that are whole or absent: every write goes through a temporary name, fsync and rename. */
import { randomInt } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fileError, UserError } from './errors.js';

/**
 * Makes a folder and those above it, one after another: Node's recursive way calls a read-only disk a missing folder, and
 * on a file system that answers so for good, as /proc does, it never ends.
 */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (makeOne(path)) return;
  makeFolder(dirname(path));
  if (!makeOne(path)) mkdirSync(path);
}

/** Makes one folder, or finds that somebody else made it meanwhile; false where the one above is missing. */
function makeOne(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return true;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    return false;
  }
}

/**
 * Makes a folder that will be written to later.
 * @throws UserError when it cannot be made or written.
 */
export function prepareFolder(path: string): void {
  try {
    makeFolder(path);
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw folderError(error, path, 'write to this folder');
  }
}

function folderError(error: unknown, path: string, doing: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return fileError(error, path, doing);
  return new UserError(`cannot ${doing}: a file stands where a folder is needed`, {
    place: path,
    remedy: 'Choose another folder.',
    cause: error,
  });
}

/**
 * Writes `data` so that a reader, or a crash at any moment, sees either the old file or the new one.
 * Every byte is accounted for: on a disk that is nearly full a single write may store a part only and report no error,
 * which is why a loop stands here.
 * @throws UserError when the folder cannot be written or the disk is full; the old file then stays as it was.
 */
export function writeAtomic(path: string, data: string | Uint8Array): void {
  const bytes =
    typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  let temporary: string | undefined;
  try {
    makeFolder(dirname(path));
    const old = statSync(path, { throwIfNoEntry: false });
    const target = old ? realpathSync(path) : path;
    temporary = `${target}.${randomInt(1e9, 1e10)}`;
    const file = openSync(temporary, 'wx', old ? old.mode & 0o777 : 0o666);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, target);
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    throw folderError(error, path, 'write this file');
  }
}

/** Writes `value` as indented JSON, atomically. */
export function writeJson(path: string, value: unknown): void {
  writeAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Files of a store larger than this are not believed. */
const MOST_BYTES = 512 * 2 ** 20;

/**
 * The text of a file that other people may have put there: no device or pipe that never ends, nothing of absurd size.
 * @throws the system's error where it cannot be read, and one with code EFTYPE or EFBIG for such a file.
 */
export function readRegular(path: string): string {
  refuseIrregular(path, MOST_BYTES);
  return readFileSync(path, 'utf8');
}

/** The same for bytes, of any size that memory holds. */
export function readRegularBytes(path: string): Uint8Array {
  refuseIrregular(path, Number.POSITIVE_INFINITY);
  return readFileSync(path);
}

function refuseIrregular(path: string, most: number): void {
  const found = statSync(path);
  const code = found.isDirectory() ? 'EISDIR' : !found.isFile() ? 'EFTYPE' : found.size > most ? 'EFBIG' : '';
  if (code) throw Object.assign(new Error(`${path}: ${code}`), { code });
}

/**
 * Reads and parses a JSON file.
 * @throws UserError when it is missing or is not JSON.
 */
export function readJson(path: string): unknown {
  let text: string;
  try {
    text = readRegular(path);
  } catch (error) {
    throw fileError(error, path, 'read this file');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`not valid JSON (${(error as Error).message})`, { place: path, cause: error });
  }
}
