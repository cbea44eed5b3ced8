/** Finds a sweep's folder: by path, by name under reports/, or the last one that ran. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../../util/errors.js';
import { writeJson } from '../../util/files.js';
import { nearest } from '../../util/nearest.js';
import { workspace } from '../../util/workspace.js';

const isSweep = (folder: string) => existsSync(join(folder, 'plan.json'));

/** Where a sweep's plan and results lie: in `out` where that is given. */
export function sweepFolder(name: string, out?: string): string {
  return out === undefined ? join(workspace().reports, name) : resolve(out);
}

/** Notes which sweep ran last, so that `fit`, `predict` and `report` need no name. */
export function rememberSweep(folder: string): void {
  writeJson(join(workspace().reports, 'last.json'), { schema: 1, path: resolve(folder) });
}

/** Names of the sweeps under reports/, newest first. */
export function listSweeps(): string[] {
  const { reports } = workspace();
  if (!existsSync(reports)) return [];
  return readdirSync(reports)
    .filter((name) => isSweep(join(reports, name)))
    .map((name) => ({ name, time: statSync(join(reports, name, 'plan.json')).mtimeMs }))
    .sort((a, b) => b.time - a.time)
    .map(({ name }) => name);
}

/**
 * The folder of a sweep.
 * @param runs a folder, a name under reports/, or undefined for the last sweep.
 * @throws UserError when there is none.
 */
export function findSweep(runs?: string): string {
  const { reports } = workspace();
  if (runs === undefined) {
    try {
      const { path } = JSON.parse(readFileSync(join(reports, 'last.json'), 'utf8')) as { path: string };
      if (isSweep(path)) return path;
    } catch {
      // Never written, or damaged: the newest folder will do.
    }
    const newest = listSweeps()[0];
    if (newest !== undefined) return join(reports, newest);
    throw new UserError('there is no sweep yet', {
      place: reports,
      remedy: 'Run one first, for instance `perflaw sweep sweeps/quickstart.yaml`.',
    });
  }
  for (const folder of [resolve(runs), join(reports, runs)]) if (isSweep(folder)) return folder;
  const names = listSweeps();
  const near = nearest(runs, names);
  throw new UserError('this is no sweep: neither a folder with a plan.json nor a name under reports/', {
    place: runs,
    remedy: near
      ? `Did you mean \`${near}\`?`
      : names.length > 0
        ? `There are: ${names.slice(0, 8).join(', ')}.`
        : 'Run one first, for instance `perflaw sweep sweeps/quickstart.yaml`.',
  });
}
