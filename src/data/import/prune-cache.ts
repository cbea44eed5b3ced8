/** Caches of files that were read: each saves one reading, and goes when nobody has used it for long. */
import { readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

/** Days without use after which a cache is removed; it is made again from its file when it is needed. */
const KEPT_DAYS = 60;

/** Notes that a cache was used now. */
export function markUsed(cache: string): void {
  try {
    const now = new Date();
    utimesSync(cache, now, now);
  } catch {
    // A read-only folder: nothing is removed there either.
  }
}

/** Removes caches, and what killed writers left of them, that were not used for KEPT_DAYS before `fresh` was written. */
export function pruneCaches(folder: string, fresh: string): void {
  try {
    const { mtimeMs: now } = statSync(join(folder, fresh));
    for (const name of readdirSync(folder)) {
      if (!/^[0-9a-f]{10}\.bin(\.[0-9]+)?$/.test(name)) continue;
      const path = join(folder, name);
      if (statSync(path).mtimeMs < now - KEPT_DAYS * 86_400_000) rmSync(path, { force: true });
    }
  } catch {
    // Somebody else prunes, or it is not ours to prune: it only costs space.
  }
}
