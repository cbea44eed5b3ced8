/** The launcher `slurm`: tasks of job arrays on a cluster. */
import { workspace } from '../../../util/workspace.js';
import type { LauncherKind } from '../kind.js';
import { slurmFields } from './fields.js';

export const slurm = {
  about: 'jobs of a cluster',
  section: {
    fields: slurmFields,
    example: '{partition: gpu, gpus: 1, time: 4h}',
    description: 'What the jobs of `--launch slurm` ask for',
  },
  async open({ sweep, threads, limits, settings, onNote }) {
    const { slurmLauncher } = await import('./slurm.js');
    return slurmLauncher({ sweep, settings, threads, limits, onNote, workspace: workspace().root });
  },
  /** As many at a time as the cluster allows. */
  workers: ({ concurrent }, trials) => concurrent ?? trials,
  queue: {
    title: 'Slurm',
    cancel: async (path, sweep) => (await import('./slurm.js')).cancelJobs(path, sweep),
    byHand: async (path) =>
      `scancel ${(await import('./slurm.js')).openJobs(path).join(' ')} does too, and records them as cancelled`,
  },
} satisfies LauncherKind<typeof slurmFields>;
