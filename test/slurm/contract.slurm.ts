/** What every launcher must do, done by a real Slurm. */

import { FAKE_ENTRY } from '../../src/contract/fake.js';
import { launcherContract } from '../../src/contract/launcher.js';
import { slurmLauncher } from '../../src/sweep/launch/slurm/slurm.js';

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
