/**
 * Where trials run. A launcher starts processes and says when they ended; what came out of them is read from the store,
 * never asked of the launcher, so that a cluster's accounting and a lost connection cannot make a result up.
 */
import type { AskedThreads, TrainingProgress } from '../../train/hooks.js';

export interface TrialOrder {
  id: string;
  /** Token of a claim whose owner is known to be dead. */
  provenDead?: string;
}

/** The words of a trial's program: `node trial-process.js WORDS`, under every launcher. */
export function trialWords(path: string, order: TrialOrder, checkpointSeconds?: number): string[] {
  const words = [path, order.id];
  if (order.provenDead !== undefined) words.push(`--proven-dead=${order.provenDead}`);
  if (checkpointSeconds !== undefined) words.push(`--checkpoint-seconds=${checkpointSeconds}`);
  return words;
}

/**
 * Options of Node for a trial's process. Its young objects get more room than Node gives: the many small ones of a training
 * step then die where they are, which saves a twentieth of the time (docs/log.md).
 * With a memory limit JavaScript's own heap stays below it, so that it fails with words before it is killed without.
 */
export function nodeOptions(limits: Pick<LaunchLimits, 'memory'>): string[] {
  const options: string[] = [];
  if (limits.memory === undefined || limits.memory >= 2 ** 30) options.push('--max-semi-space-size=64');
  if (limits.memory !== undefined)
    options.push(`--max-old-space-size=${Math.max(64, Math.floor(limits.memory / 2 ** 20))}`);
  return options;
}

/** How a trial's process ends; the result itself lies in the store. */
export const TrialExit = {
  /** A result, good or failed, is in the store. */
  recorded: 0,
  /** The disk is full: nothing could be recorded. */
  diskFull: 74,
  /** Stopped on request, with a checkpoint. */
  interrupted: 75,
  /** Somebody else works on it. */
  held: 76,
  /** Came to the epoch that its job names; what it reached lies in the store. */
  rung: 77,
} as const;

/** How a trial's process ended, or the trial in a process that may run another one. */
export interface Ending {
  code: number | null;
  signal: string | null;
  /** Set where the launcher itself ended it: a limit was passed. */
  limit?: 'memory' | 'time';
  /** The most memory that was seen in use, in bytes, where the launcher can tell. */
  peakMemory?: number;
  /**
   * What a batch system did: `cancelled` by somebody, `displaced` (preempted, its node failed) through no fault of its own,
   * `lost` without anybody who knows how it ended, `withdrawn` to be left open, or `left`: it goes on without this command.
   */
  fate?: 'cancelled' | 'displaced' | 'lost' | 'withdrawn' | 'left';
  /** The job of the batch system, once it is known that nothing of it runs any more. */
  endedJob?: string;
}

export interface RunningTrial {
  id: string;
  /** Asks for a checkpoint and an end (`checkpoint`), or ends it at once (`now`). */
  stop(how: 'checkpoint' | 'now'): void;
  /** Lets it compute on so many threads from its next step on. Absent: it has what it was started with. */
  threads?(asked: AskedThreads): void;
  ended: Promise<Ending>;
}

export interface LaunchLimits {
  /** Bytes. */
  memory?: number;
  /** Seconds. */
  time?: number;
}

/** Seconds that a process past its time limit has for a checkpoint, and milliseconds between two looks at its memory. */
export const GRACE_SECONDS = 10;
export const MEMORY_POLL_MS = 500;

export interface Launcher {
  readonly name: string;
  /** How many trials it takes at a time: cores on one machine, everything at once on a cluster. */
  readonly capacity: number;
  /** Whether trials wait in a queue after their start: then their first progress tells that they run. */
  readonly queues?: boolean;
  /**
   * Starts trials of a store; those that are not in the answer found no room, and may be tried again later.
   * @param path the sweep's folder; each trial's job lies there already.
   * @throws UserError when none can be started.
   */
  start(path: string, orders: readonly TrialOrder[], onProgress: OnProgress): RunningTrial[];
  /**
   * Of the trials `ids`, those that earlier commands started and that nobody has accounted for yet: what waits or runs, and
   * what ended. To be asked once, before anything is started.
   */
  adopt?(path: string, ids: ReadonlySet<string>, onProgress: OnProgress): Promise<Adopted>;
  /** Lets go of trials that run on without this command; each then ends with the fate `left`. Absent: none do. */
  leave?(): void;
  /** Ends what waits for trials; resolves when nothing of the launcher is left but trials that it let go of. */
  close?(): Promise<void>;
}

export interface Adopted {
  running: RunningTrial[];
  ended: { id: string; ending: Ending }[];
}

export type OnProgress = (id: string, progress: TrainingProgress) => void;
