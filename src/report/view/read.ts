/** Reads a sweep's records for the report: what is done, what failed, what is still to come, what cannot be read. */

import { chosenIds, readDecisions } from '../../sweep/store/decisions.js';
import type { StoredPlan } from '../../sweep/store/layout.js';
import { findSweep } from '../../sweep/store/locate.js';
import type { DoneRecord, FailedRecord } from '../../sweep/store/record.js';
import { SweepStore } from '../../sweep/store/store.js';

export interface SweepRecords {
  name: string;
  /** The sweep's folder. */
  path: string;
  plan: StoredPlan;
  done: DoneRecord[];
  failed: FailedRecord[];
  pending: number;
  damaged: { path: string; reason: string }[];
}

/**
 * @param runs a sweep's folder or name; the last sweep where it is undefined.
 * @throws UserError when there is no such sweep or its plan cannot be read.
 */
export function readSweepRecords(runs?: string): SweepRecords {
  const path = findSweep(runs);
  const store = new SweepStore(path);
  const plan = store.readPlan();
  const out: SweepRecords = { name: plan.name, path, plan, done: [], failed: [], pending: 0, damaged: [] };
  // with a goal the plan names what may be run; what is still to run is what was chosen
  const chosen = plan.goal && chosenIds(readDecisions(path, plan.goal));
  for (const { id } of plan.trials) {
    const trial = store.readTrial(id, plan.numericVersion);
    if (trial.state === 'absent') out.pending += !chosen || chosen.has(id) ? 1 : 0;
    else if (trial.state === 'damaged') out.damaged.push({ path: trial.path, reason: trial.reason });
    else if (trial.record.status === 'done') out.done.push(trial.record);
    else out.failed.push(trial.record);
  }
  return out;
}
