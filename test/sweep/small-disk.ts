/** A disk of a few hundred KiB that fills up at once. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** Mounts it for the tests of the calling file; undefined, with a printed reason, where that is not allowed. */
export function mountSmallDisk(kib: number): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'perflaw-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    rmdirSync(folder);
    console.log('skipped: tests of a full disk (a tmpfs cannot be mounted here)');
    return undefined;
  }
  afterAll(() => {
    execFileSync('umount', ['-l', folder]);
    rmdirSync(folder);
  });
  return folder;
}

/** Writes until nothing more goes in. */
export function fillDisk(folder: string): void {
  try {
    for (;;) writeFileSync(join(folder, 'filler'), Buffer.alloc(4096), { flag: 'a' });
  } catch {
    // Full now.
  }
}
