/** What of the code is part of a trial's identity, since its numbers depend on it. */
import type { TrialConfig } from './config.js';

/** Raised whenever a change of the code changes a trial's numbers. */
export const NUMERIC_VERSION = 3;

/** From this chance on that dropout empties a whole row a training may meet one. */
const LIKELY = 1e-10;

/**
 * What a version changed, where that is not every trial: the others keep the identity that they had, and are found again.
 * 3: a row that dropout has emptied passes no gradient through a norm (kernels/layer-norm); weight decay shrinks matrices alone
 * (step/optimizer); on webgpu the gradients of an input are added in another order.
 */
const TOUCHED: ReadonlyMap<number, (config: TrialConfig) => boolean> = new Map([
  [
    3,
    // read from files, which may hold no model
    ({ model, training, backend }) =>
      model?.dropout ** model?.dim > LIKELY || training?.weightDecay > 0 || backend === 'webgpu',
  ],
]);

/** The version that last changed this trial's numbers, up to `numericVersion`. */
export function versionOf(config: TrialConfig, numericVersion: number): number {
  let version = numericVersion;
  while (TOUCHED.get(version)?.(config) === false) version--;
  return version;
}
