/** What does not belong into a store: symbolic links that lead out of it, and files that a killed writer left half-written. */
import { type Dirent, lstatSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../util/errors.js';

/** Past so long nobody writes on a temporary file any more. */
const LITTER_MILLISECONDS = 3_600_000;

/**
 * Whatever is written through a link lands elsewhere, and a store may have been made by somebody else. The sweep's own
 * folder, and what lies above, may be one: that is the user's doing.
 * @throws UserError when `path` is a symbolic link.
 */
export function refuseLink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) throw linkError(path);
}

/** @throws UserError for the first symbolic link among the entries of the folders; folders that are not there hold none. */
export function refuseLinks(folders: readonly string[]): void {
  for (const folder of folders)
    for (const entry of entriesOf(folder))
      if (entry.isSymbolicLink()) throw linkError(join(folder, entry.name));
}

function linkError(path: string): UserError {
  return new UserError('a symbolic link inside a sweep: what is written there would land elsewhere', {
    place: path,
    remedy: 'Remove it. To keep a sweep on another disk, link its whole folder.',
  });
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // Not there, or not readable: whoever writes there says so.
  }
}

/** Removes temporary files of a folder that are older than an hour at `now`, a time of the same file system's clock. */
export function removeLitter(folder: string, now: number): void {
  for (const { name } of entriesOf(folder)) {
    if (!/^[a-z0-9-]+\.json\.[0-9]+$/.test(name)) continue;
    const path = join(folder, name);
    try {
      if (statSync(path).mtimeMs < now - LITTER_MILLISECONDS) rmSync(path, { force: true });
    } catch {
      // Just renamed by its writer, or not ours to remove.
    }
  }
}
