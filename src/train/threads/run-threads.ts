/** The threads that a running training computes on: as many as its hooks ask for, from step to step, and what they cost. */
import { setThreads } from '../../kernels/backend.js';
import type { TrainingState } from '../checkpoint.js';
import type { TrainingHooks } from '../hooks.js';

/** Milliseconds of training steps after which it is looked whether the cores are really there, and of doing with fewer. */
const LOOK_MS = 2000;
const FEWER_MS = 30_000;
/** Share of its threads' time that a process gets on free cores at least: they sleep while one of them does what it does alone. */
const FREE = 0.7;

/**
 * Threads worth having where so many milliseconds of processor time were had in so many of time: threads without a core of their own
 * make the others wait.
 */
export function worthHaving(threads: number, processor: number, passed: number): number {
  const cores = processor / passed;
  return cores < FREE * threads ? Math.max(1, Math.floor(cores)) : threads;
}

export class RunThreads {
  #count = 1;
  /** What was asked for and could not be had. */
  #refused: number | undefined;
  /** The most to be had until then, since others use the cores. */
  #fewer = { most: Number.POSITIVE_INFINITY, until: 0 };
  /** Of the steps since the last look. */
  #used = { processor: 0, passed: 0 };
  #before: NodeJS.CpuUsage | undefined;

  constructor(readonly hooks: Pick<TrainingHooks, 'threads' | 'onNote'>) {}

  get number(): number {
    return this.#count;
  }

  /** Takes as many threads as are asked for now, before a step. What cannot be had is said, and done without. */
  async follow(): Promise<void> {
    const most = performance.now() < this.#fewer.until ? this.#fewer.most : Number.POSITIVE_INFINITY;
    const asked = this.hooks.threads?.() ?? 1;
    const wanted = typeof asked === 'number' ? asked : Math.min(most, asked.upTo);
    if (wanted !== this.#count && wanted !== this.#refused) await this.#take(wanted);
    if (this.#count > 1 && typeof asked !== 'number') this.#before = process.cpuUsage();
  }

  async #take(wanted: number): Promise<void> {
    this.#used = { processor: 0, passed: 0 };
    this.#refused = undefined;
    try {
      this.#count = await setThreads(wanted);
      if (this.#count !== wanted) this.#refused = wanted;
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
    const passed = performance.now() - begun;
    const spent = passed / 1000;
    if (this.#count > 1 || seconds.cores !== undefined)
      seconds.cores = (seconds.cores ?? seconds.training + seconds.evaluation) + spent * this.#count;
    seconds[what] += spent;
    if (this.#before) this.#look(process.cpuUsage(this.#before), passed);
    this.#before = undefined;
    return spent;
  }

  /** After a step: whether the cores that its threads ran on were free. */
  #look({ user, system }: NodeJS.CpuUsage, passed: number): void {
    const used = this.#used;
    used.processor += (user + system) / 1000;
    used.passed += passed;
    if (used.passed < LOOK_MS) return;
    const most = worthHaving(this.#count, used.processor, used.passed);
    if (most < this.#count) this.#fewer = { most, until: performance.now() + FEWER_MS };
    this.#used = { processor: 0, passed: 0 };
  }

  /** Ends all threads but the calling one. */
  async close(): Promise<void> {
    await setThreads(1);
  }
}
