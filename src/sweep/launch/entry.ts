/** Where the program of a trial's process lies: every launcher starts the same one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../util/errors.js';
import { packageRoot } from '../../util/workspace.js';

/** The built program, also where this file itself runs from its TypeScript source. */
export function trialEntry(): string {
  const beside = fileURLToPath(new URL('../run/trial-process.js', import.meta.url));
  const built = join(packageRoot, 'dist', 'sweep', 'run', 'trial-process.js');
  const entry = [beside, built].find((path) => existsSync(path));
  if (!entry)
    throw new UserError('the program of a trial is missing', {
      place: built,
      remedy: 'Run `npm run build`.',
    });
  return entry;
}
