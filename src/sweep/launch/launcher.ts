/**
 * Where trials run. A launcher starts processes and says when they ended; what came out of them is read from the store,
 * never asked of the launcher, so that a cluster's accounting and a lost connection cannot make a result up.
 */
import type { TrainingProgress } from '../../train/hooks.js';

export interface TrialOrder {
  id: string;
  /** Token of a claim whose owner is known to be dead. */
  provenDead?: string;
}

/** How a trial's process ended. */
export interface Ending {
  code: number | null;
  signal: string | null;
  /** Set where the launcher itself ended it: a limit was passed. */
  limit?: 'memory' | 'time';
  /** The most memory that was seen in use, in bytes, where the launcher can tell. */
  peakMemory?: number;
}

export interface RunningTrial {
  id: string;
  /** Asks for a checkpoint and an end (`checkpoint`), or ends it at once (`now`). */
  stop(how: 'checkpoint' | 'now'): void;
  ended: Promise<Ending>;
}

export interface LaunchLimits {
  /** Bytes. */
  memory?: number;
  /** Seconds. */
  time?: number;
}

export interface Launcher {
  readonly name: string;
  /** How many trials it takes at a time: cores on one machine, everything at once on a cluster. */
  readonly capacity: number;
  /**
   * Starts trials of a store.
   * @param path the sweep's folder; each trial's job lies there already.
   * @throws UserError when none can be started.
   */
  start(
    path: string,
    orders: readonly TrialOrder[],
    onProgress: (id: string, progress: TrainingProgress) => void,
  ): RunningTrial[];
}
