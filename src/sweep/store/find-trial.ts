/** Finds one trial of the sweeps in a workspace by the beginning of its identity, or by its folder, with its result. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../../util/errors.js';
import { workspace } from '../../util/workspace.js';
import type { TrialJob } from './layout.js';
import { findSweep, listSweeps } from './locate.js';
import type { DoneRecord } from './record.js';
import { SweepStore } from './store.js';

export interface FinishedTrial {
  store: SweepStore;
  job: TrialJob;
  record: DoneRecord;
}

const ID = /^[0-9a-f]{10}$/;

/**
 * A trial that is done.
 * @param run its folder, or the beginning of its identity, looked for in `sweep`, or in the last sweep and then in all others.
 * @throws UserError when there is none, or several, or it has no result.
 */
export function findTrial(run: string, sweep?: string): FinishedTrial {
  const folder = resolve(run);
  if (ID.test(basename(folder)) && existsSync(join(folder, 'config.json')))
    return finished(new SweepStore(dirname(dirname(folder))), basename(folder));
  const paths = sweep === undefined ? allSweeps() : [findSweep(sweep)];
  for (const path of paths) {
    const ids = trialFolders(path).filter((id) => id.startsWith(run.toLowerCase()));
    if (ids.length === 1) return finished(new SweepStore(path), ids[0]!);
    if (ids.length > 1)
      throw new UserError(`${ids.length} trials of ${basename(path)} begin with this`, {
        place: run,
        remedy: `Give more of the identity: ${ids.slice(0, 6).join(', ')}${ids.length > 6 ? ', ...' : ''}.`,
      });
  }
  throw new UserError(
    sweep === undefined
      ? 'this is neither a run folder nor the beginning of a trial in any sweep here'
      : `no trial of the sweep ${sweep} begins with this`,
    { place: run, remedy: '`perflaw results` shows the trials of a sweep with their identities.' },
  );
}

/** The last sweep first, then the others of the workspace, newest first. */
function allSweeps(): string[] {
  const others = listSweeps().map((name) => join(workspace().reports, name));
  try {
    return [...new Set([findSweep(), ...others])];
  } catch {
    return others; // none has run yet
  }
}

function trialFolders(path: string): string[] {
  try {
    return readdirSync(join(path, 'trials')).filter((name) => ID.test(name));
  } catch {
    return [];
  }
}

function finished(store: SweepStore, id: string): FinishedTrial {
  const job = store.readJob(id);
  const found = store.readTrial(id, job.numericVersion);
  if (found.state === 'damaged')
    throw new UserError(`this result ${found.reason}`, {
      place: found.path,
      remedy: 'Run the sweep again: the trial is then trained anew.',
    });
  if (found.state === 'absent')
    throw new UserError('this trial has not finished', {
      place: store.folder(id),
      remedy: 'Run the sweep again: it goes on where it stopped.',
    });
  if (found.record.status === 'failed')
    throw new UserError(`this trial failed (${found.record.reason}): ${found.record.message}`, {
      place: store.folder(id),
      remedy: 'Mend the cause and run the sweep again with --retry-failed.',
    });
  return { store, job, record: found.record };
}
