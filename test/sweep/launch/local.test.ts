import { localLauncher } from '../../../src/sweep/launch/local.js';
import { launcherContract } from '../../contract/launcher.js';
import { FAKE_ENTRY } from '../fake.js';

launcherContract('local', {
  make: (limits) => localLauncher({ workers: 2, limits, entry: FAKE_ENTRY }),
});
