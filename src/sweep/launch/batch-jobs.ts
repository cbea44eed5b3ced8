/**
 * Which job of a batch system this process is: a row for each system that starts a job again under the same number, so that a
 * claim of the earlier run is known to be a dead one's. A leaf: claims ask it, and it loads nothing.
 */
import { slurmJob } from './slurm/job.js';

export interface BatchJob {
  /** `cluster:123_4` */
  job: string;
  /** How often it was put back into the queue: only one of its runs is ever alive. */
  restarts: number;
}

const BATCH_JOBS: readonly ((environment: NodeJS.ProcessEnv) => BatchJob | undefined)[] = [slurmJob];

/** The job that this process is, if it is one. */
export function batchJob(environment = process.env): BatchJob | undefined {
  for (const jobOf of BATCH_JOBS) {
    const found = jobOf(environment);
    if (found) return found;
  }
  return undefined;
}
