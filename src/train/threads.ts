/** Which trainings can have several threads, and how many pay. Loads nothing: plans ask for it too. */
import type { TrialConfig } from './config.js';

/** Backends whose trials may have several threads. */
const THREADED: readonly string[] = ['wasm'];

/** Whether threads change anything for a trial. */
export function hasThreads({ backend }: Pick<TrialConfig, 'backend'>): boolean {
  return THREADED.includes(backend);
}

/** The most threads that pay: the scans forward share the rows of a step. */
export function mostThreads({ training, backend }: Pick<TrialConfig, 'training' | 'backend'>): number {
  return hasThreads({ backend }) ? Math.min(training.rows, 16) : 1;
}
