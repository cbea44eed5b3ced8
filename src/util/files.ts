/** Files that are whole or absent: every write goes through a temporary name, fsync and rename. */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { fileError, UserError } from './errors.js';

/**
 * Writes `data` so that a reader, or a crash at any moment, sees either the old file or the new one.
 * @throws UserError when the folder cannot be written or the disk is full.
 */
export function writeAtomic(path: string, data: string | Uint8Array): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileAtomic.sync(
      path,
      typeof data === 'string' ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    );
  } catch (error) {
    throw fileError(error, path, 'write this file');
  }
}

/** Writes `value` as indented JSON, atomically. */
export function writeJson(path: string, value: unknown): void {
  writeAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Reads and parses a JSON file.
 * @throws UserError when it is missing or is not JSON.
 */
export function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(error, path, 'read this file');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`not valid JSON (${(error as Error).message})`, { place: path, cause: error });
  }
}
