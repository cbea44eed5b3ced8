/** Which trainings can have several threads, and how many pay. Loads nothing: plans ask for it too. */
import type { TrialConfig } from '../config.js';

/** Backends whose trials may have several threads. */
const THREADED: readonly string[] = ['wasm'];

/** Whether threads change anything for a trial. */
export function hasThreads({ backend }: Pick<TrialConfig, 'backend'>): boolean {
  return THREADED.includes(backend);
}

/** Tokens of a step times dim times layers for each thread: of less, handing it out costs as much as it saves. */
const WORTH = 12_800;
const MOST = 16;

/** The most threads that pay: as many as a step has rows, which the scans forward share, and as its work is worth. */
export function mostThreads({ model, training, backend }: Omit<TrialConfig, 'data'>): number {
  if (!hasThreads({ backend })) return 1;
  const work = training.rows * model.maxLength * model.dim * model.layers;
  return Math.max(1, Math.min(training.rows, MOST, Math.floor(work / WORTH)));
}
