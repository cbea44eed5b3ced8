/** A temporary folder a test file, and data files in it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { UserError } from '../../src/util/errors.js';

export const folder = mkdtempSync(join(tmpdir(), 'perflaw-data-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

export function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** The UserError that a promise ends with; anything else fails the test. */
export async function userError(promise: Promise<unknown>): Promise<UserError> {
  const outcome = await promise.then(
    () => new Error('no error came'),
    (error: unknown) => error,
  );
  if (!(outcome instanceof UserError)) throw outcome;
  return outcome;
}
