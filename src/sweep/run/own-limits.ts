/**
 * Limits that a trial's process keeps by itself, where no parent watches it: under a batch system, whose own limits end a
 * process without a word and whose memory limit is not enforced everywhere.
 */
import { formatBytes, formatDuration } from '../../util/format.js';
import { GRACE_SECONDS, type LaunchLimits, MEMORY_POLL_MS } from '../launch/launcher.js';
import type { FailedRecord } from '../store/record.js';

export type Failure = Pick<FailedRecord, 'reason' | 'message'>;

export class OwnLimits {
  #failure: Failure | undefined;
  #forced: ((failure: Failure) => void) | undefined;
  readonly #timers: NodeJS.Timeout[] = [];

  /** `stop` asks the training for a checkpoint and an end. */
  constructor(
    readonly limits: LaunchLimits,
    readonly stop: () => void,
  ) {
    const { time, memory } = limits;
    if (time !== undefined)
      this.#timers.push(
        setTimeout(() => {
          this.timeIsUp(`past the time limit of ${formatDuration(time)}`);
          this.#timers.push(setTimeout(() => this.#force(), GRACE_SECONDS * 1000));
        }, time * 1000),
      );
    if (memory !== undefined) this.#timers.push(setInterval(() => this.checkMemory(), MEMORY_POLL_MS));
  }

  /** Why the trial has to end, once it has to. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** What to do when the training does not end by itself. */
  whenForced(forced: (failure: Failure) => void): void {
    this.#forced = forced;
  }

  /** The time that the trial, or its job, was given is over or nearly so. */
  timeIsUp(message: string): void {
    this.#failure ??= { reason: 'time-limit', message };
    this.stop();
  }

  /** Past its memory a process may not even manage a checkpoint: it ends at once, and the last checkpoint stays. */
  checkMemory(): void {
    const { memory } = this.limits;
    if (memory === undefined || this.#failure) return;
    const used = process.memoryUsage.rss();
    if (used <= memory) return;
    this.#failure = {
      reason: 'out-of-memory',
      message: `past the memory limit of ${formatBytes(memory)}, ${formatBytes(used)} were in use`,
    };
    this.#force();
  }

  end(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #force(): void {
    if (this.#failure) this.#forced?.(this.#failure);
  }
}
