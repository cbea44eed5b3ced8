/** What a trial is called: its folder, and the proof that a result is its own. Light: reading results needs nothing else of the plan. */

import { shortHash } from '../util/hash.js';
import type { TrialConfig } from './config.js';
import { versionOf } from './version.js';

/** A trial's name: ten hexadecimal digits of its configuration, its data and the numeric version of the code. */
export function trialId(config: TrialConfig, numericVersion: number): string {
  // A data set's content counts, its name does not.
  return shortHash({
    config: { ...config, data: config.data.hash },
    numericVersion: versionOf(config, numericVersion),
  });
}
