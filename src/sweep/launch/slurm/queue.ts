/** Slurm's own commands, and their words as values: sbatch, squeue, scontrol, sacct, scancel. No shell in between. */
import { execFile, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../../util/errors.js';

/** One task of a job array: `123_4`. */
export const taskName = (job: string, index: number) => `${job}_${index}`;

/** How a task that left the queue ended. */
export interface TaskEnd {
  /** Slurm's word: COMPLETED, FAILED, CANCELLED, TIMEOUT, OUT_OF_MEMORY, PREEMPTED, NODE_FAIL, ... */
  state: string;
  /** Null where a signal ended it. */
  code: number | null;
  signal: string | null;
}

export interface QueuedTask {
  state: string;
  /** Why it waits, in Slurm's word. */
  reason: string;
}

const TIMEOUT_MS = 60_000;

/** States of `end` in which a task has not ended after all. */
export const UNFINISHED = new Set([
  'PENDING',
  'RUNNING',
  'SUSPENDED',
  'CONFIGURING',
  'COMPLETING',
  'REQUEUED',
  'REQUEUE_HOLD',
  'REQUEUE_FED',
  'RESIZING',
  'SIGNALING',
  'STAGE_OUT',
  'STOPPED',
]);

/** Slurm's commands as they lie on the path, or in `folder`. */
export class SlurmQueue {
  readonly #folder: string | undefined;

  constructor(folder?: string) {
    this.#folder = folder;
  }

  #program(name: string): string {
    return this.#folder === undefined ? name : join(this.#folder, name);
  }

  #environment(): NodeJS.ProcessEnv {
    // Submitted from within another job: its restarts are not those of the new one.
    const { SLURM_RESTART_COUNT: _, ...rest } = process.env;
    return rest;
  }

  /** Runs a command to its end. @throws UserError when it is not installed. */
  #now(name: string, words: string[], cwd?: string): { ok: boolean; out: string; words: string } {
    const { status, stdout, stderr, error } = spawnSync(this.#program(name), words, {
      cwd,
      encoding: 'utf8',
      env: this.#environment(),
      timeout: TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
      throw new UserError(`there is no Slurm here: the program ${name} was not found`, {
        place: '--launch slurm',
        remedy: 'Run this on a login node of the cluster, or load the module that has Slurm.',
      });
    return { ok: status === 0, out: stdout ?? '', words: (stderr || error?.message || '').trim() };
  }

  #later(name: string, words: string[]): Promise<{ ok: boolean; out: string; words: string }> {
    return new Promise((resolve) =>
      execFile(
        this.#program(name),
        words,
        { timeout: TIMEOUT_MS, env: this.#environment(), maxBuffer: 2 ** 28 },
        (error, out, err) =>
          resolve({ ok: error === null, out, words: (err || error?.message || '').trim() }),
      ),
    );
  }

  /**
   * The cluster's name and its limit of indices: tasks of an array are numbered below it.
   * @throws UserError when Slurm is not installed or does not answer.
   */
  limits(): { cluster: string; maxArraySize: number } {
    const { ok, out, words } = this.#now('scontrol', ['show', 'config']);
    if (!ok) throw new UserError(`Slurm does not answer: ${words}`, { place: 'scontrol show config' });
    const value = (key: string) => new RegExp(`^${key}\\s*=\\s*(\\S+)`, 'm').exec(out)?.[1];
    return { cluster: value('ClusterName') ?? '', maxArraySize: Number(value('MaxArraySize')) || 1001 };
  }

  /** Submits the script in `folder`. `full`: Slurm takes no more jobs for now. @throws UserError when there is no Slurm. */
  submit(folder: string, words: string[]): { job: string } | { refused: string; full: boolean } {
    const answer = this.#now('sbatch', ['--parsable', ...words], folder);
    const job = /^([0-9]+)(?:;.*)?$/m.exec(answer.out)?.[1];
    if (answer.ok && job !== undefined) return { job };
    const full = /SubmitJobLimit|SubmitJobPerUserLimit|MaxJobCount|job submit limit|maximum number of jobs/i;
    return { refused: answer.words || 'sbatch gave no reason', full: full.test(answer.words) };
  }

  /** The job of that name that waits or runs, if there is one. */
  find(name: string): string | undefined {
    const { out } = this.#now('squeue', ['--noheader', `--name=${name}`, '--format=%F']);
    return /^[0-9]+/m.exec(out)?.[0];
  }

  /** Every task of jobs with these names that waits or runs, by `taskName`; undefined when Slurm does not answer. */
  async tasks(names: readonly string[]): Promise<Map<string, QueuedTask> | undefined> {
    const { ok, out } = await this.#later('squeue', [
      '--noheader',
      '--array',
      `--name=${names.join(',')}`,
      '--format=%F|%K|%T|%r',
    ]);
    if (!ok) return undefined;
    const tasks = new Map<string, QueuedTask>();
    for (const line of out.split('\n')) {
      const [job, index, state, reason] = line.trim().split('|');
      if (job && index) tasks.set(taskName(job, Number(index)), { state: state!, reason: reason! });
    }
    return tasks;
  }

  /** How a task ended, by the controller's memory or by the accounting; undefined when neither knows it any more. */
  async end(task: string): Promise<TaskEnd | undefined> {
    const shown = await this.#later('scontrol', ['--oneliner', 'show', 'job', task]);
    const state = /\bJobState=([A-Z_]+)/.exec(shown.out)?.[1];
    const exit = /\bExitCode=([0-9]+):([0-9]+)/.exec(shown.out);
    if (shown.ok && state && exit) return { state, ...exitOf(exit[1]!, exit[2]!) };
    const kept = await this.#later('sacct', [
      '--allocations',
      '--noheader',
      '--parsable2',
      `--jobs=${task}`,
      '--format=State,ExitCode',
    ]);
    const line = /^([A-Z_]+)[^|\n]*\|([0-9]+):([0-9]+)/m.exec(kept.out);
    return kept.ok && line ? { state: line[1]!, ...exitOf(line[2]!, line[3]!) } : undefined;
  }

  /** Takes tasks or whole jobs out of the queue; those that run get TERM first. `kill`: at once. */
  cancel(tasks: readonly string[], kill = false): void {
    if (tasks.length === 0) return;
    if (kill) this.#now('scancel', ['--batch', '--signal=KILL', ...tasks]);
    this.#now('scancel', [...tasks]);
  }
}

const SIGNAL_NAMES = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

function exitOf(code: string, signal: string): Pick<TaskEnd, 'code' | 'signal'> {
  const number = Number(signal);
  if (number === 0) return { code: Number(code), signal: null };
  return { code: null, signal: SIGNAL_NAMES.get(number) ?? `signal ${number}` };
}
