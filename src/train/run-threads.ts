/** The threads that a running training computes on: as many as its hooks ask for, from step to step, and what they cost. */
import { setThreads } from '../kernels/backend.js';
import type { TrainingState } from './checkpoint.js';
import type { TrainingHooks } from './hooks.js';

export class RunThreads {
  #count = 1;
  /** What was asked for and could not be had. */
  #refused: number | undefined;

  constructor(readonly hooks: Pick<TrainingHooks, 'threads' | 'onNote'>) {}

  get number(): number {
    return this.#count;
  }

  /** Takes as many threads as are asked for now. What cannot be had is said, and done without. */
  async follow(): Promise<void> {
    const wanted = this.hooks.threads?.() ?? 1;
    if (wanted === this.#count || wanted === this.#refused) return;
    try {
      await setThreads(wanted);
      this.#count = wanted;
      this.#refused = undefined;
    } catch (error) {
      this.#refused = wanted;
      await setThreads(1);
      this.#count = 1;
      this.hooks.onNote?.(
        `Training goes on with one thread instead of ${wanted}: ${(error as Error).message}.`,
      );
    }
  }

  /** Counts time that passed since `begun` (performance.now()), in seconds of training or evaluation. */
  count({ seconds }: TrainingState, what: 'training' | 'evaluation', begun: number): number {
    const spent = (performance.now() - begun) / 1000;
    if (this.#count > 1 || seconds.cores !== undefined)
      seconds.cores = (seconds.cores ?? seconds.training + seconds.evaluation) + spent * this.#count;
    seconds[what] += spent;
    return spent;
  }

  /** Ends all threads but the calling one. */
  async close(): Promise<void> {
    await setThreads(1);
  }
}
