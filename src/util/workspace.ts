/** Where things lie: one workspace folder (the current one, or PERFLAW_HOME) holds cached data and reports. */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The installed package's own folder: descriptors and sweep files that ship with perflaw. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

export interface Workspace {
  root: string;
  /** Descriptors of the user's own data sets (`*.yaml`) and, one folder a data set, cached and raw data. */
  datasets: string;
  /** One folder a sweep. */
  reports: string;
}

export function workspace(): Workspace {
  const root = resolve(process.env['PERFLAW_HOME'] ?? '.');
  return { root, datasets: join(root, 'datasets'), reports: join(root, 'reports') };
}
