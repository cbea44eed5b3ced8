/** Values that several processes need and one of them computes: kept as files, found by their key. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileError } from '../../util/errors.js';
import { readRegular, writeJson } from '../../util/files.js';
import { ClaimWatch, claimUnlessAlive } from './claim.js';
import { STORE_SCHEMA } from './layout.js';

/**
 * The value of `<folder>/<key>.json`: read where it is kept, else computed and kept. While somebody alive computes it, the
 * others wait; the work of a dead one is taken over.
 * @throws UserError where the folder cannot be written.
 */
export async function computeOnce<T>(folder: string, key: string, compute: () => T | Promise<T>): Promise<T> {
  const path = join(folder, `${key}.json`);
  const kept = read<T>(path);
  if (kept !== undefined) return kept;
  // Its claims stay beside it: a folder that comes and goes cannot be claimed safely.
  const claims = join(folder, key);
  try {
    mkdirSync(claims, { recursive: true });
  } catch (error) {
    throw fileError(error, claims, 'make this folder');
  }
  const watch = new ClaimWatch();
  for (;;) {
    const claim = claimUnlessAlive(claims, watch);
    if (claim)
      try {
        const value = read<T>(path) ?? (await compute());
        writeJson(path, { schema: STORE_SCHEMA, facts: value });
        return value;
      } finally {
        claim.release();
      }
    await sleep(100);
    const written = read<T>(path);
    if (written !== undefined) return written;
  }
}

function read<T>(path: string): T | undefined {
  try {
    const kept = JSON.parse(readRegular(path)) as { schema: number; facts?: T };
    return kept.schema === STORE_SCHEMA ? kept.facts : undefined;
  } catch {
    return undefined; // Not there, or damaged.
  }
}
