/** What every launcher must do, done by a real Slurm. */
import { slurmLauncher } from '../../src/sweep/launch/slurm/slurm.js';
import { launcherContract } from '../contract/launcher.js';
import { FAKE_ENTRY } from '../sweep/fake.js';

launcherContract('slurm', {
  make: (limits) =>
    slurmLauncher({
      sweep: 'contract',
      settings: { time: 600 },
      workspace: '/tmp',
      limits,
      entry: FAKE_ENTRY,
      lookMs: 100,
      askMs: 500,
    }),
});
