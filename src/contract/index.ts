/**
 * `perflaw/contract`: what every backend and every launcher must keep, to be called from a test file of vitest in a package of one's
 * own. Needs the packages vitest and fast-check.
 *
 *   import { launcherContract, FAKE_ENTRY } from 'perflaw/contract';
 *   launcherContract('mine', { make: (limits) => myLauncher({ limits, entry: FAKE_ENTRY }) });
 */
export { FAKE_ENTRY } from './fake.js';
export { describeHeadKernels } from './head-kernels.js';
export { describeKernels } from './kernels.js';
export { type LauncherUnderTest, launcherContract } from './launcher.js';
export { describeSampledCrossEntropy } from './sampled-cross-entropy.js';
