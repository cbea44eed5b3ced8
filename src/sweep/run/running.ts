/** The trials that run now: how far each has come, and its share of the cores. */
import type { TrainingProgress } from '../../train/hooks.js';
import type { Ending, RunningTrial } from '../launch/launcher.js';
import type { StoredTrial } from '../store/layout.js';
import { shareDone, workOf } from './estimate.js';
import type { RunObserver, RunOptions } from './run-options.js';
import { shareCores } from './share-cores.js';

interface Running {
  process: RunningTrial;
  trial: StoredTrial;
  begun: boolean;
  /** Share of its epochs that is done. */
  done: number;
  threads: number;
}

export class RunningTrials {
  readonly #running = new Map<string, Running>();

  /** @param queued whether trials wait after their start: then their first progress tells that they run. */
  constructor(
    readonly queued: boolean,
    readonly cores: RunOptions['cores'],
    readonly observer: RunObserver,
  ) {}

  get size(): number {
    return this.#running.size;
  }

  trials(): StoredTrial[] {
    return [...this.#running.values()].map(({ trial }) => trial);
  }

  /**
   * @param settle told how its process ended, in the moment in which it is no longer among the running ones: nobody sees it in neither place.
   * @returns a promise that rejects with what `settle` throws.
   */
  add(trial: StoredTrial, process: RunningTrial, settle: (ending: Ending) => void): Promise<void> {
    this.#running.set(trial.id, { process, trial, begun: !this.queued, done: 0, threads: 1 });
    if (!this.queued) this.observer.started?.(trial);
    return process.ended.then((ending) => {
      this.#running.delete(trial.id);
      settle(ending);
    });
  }

  readonly onProgress = (id: string, progress: TrainingProgress): void => {
    const running = this.#running.get(id);
    if (!running) return;
    if (!running.begun) this.observer.started?.(running.trial);
    running.begun = true;
    running.done = shareDone(progress);
    this.observer.progress?.(running.trial, progress);
  };

  /** Gives every trial its threads anew; where all cores are busy nothing changes. */
  shareCores(): void {
    const { cores } = this;
    if (!cores) return;
    const running = [...this.#running.values()];
    const sharers = running.map(({ trial, done }) => ({
      work: workOf(trial) * (1 - done),
      most: cores.mostOf(trial),
    }));
    shareCores(sharers, cores.count).forEach((threads, i) => {
      const one = running[i]!;
      if (one.threads === threads) return;
      one.threads = threads;
      one.process.threads?.(cores.free ? { upTo: threads } : threads);
    });
  }

  stop(how: 'checkpoint' | 'now'): void {
    for (const { process } of this.#running.values()) process.stop(how);
  }

  /** Resolves when the process of each has ended. */
  async ended(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ process }) => process.ended));
  }
}
