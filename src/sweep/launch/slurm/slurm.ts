/**
 * Trials as tasks of Slurm's job arrays. They need no command that waits for them: each claims its trial, keeps its own
 * limits and writes its own result. What this launcher does is to submit what is missing, and to tell a run what became of
 * tasks: by their results first, by the queue and the accounting only where there is none.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../util/errors.js';
import { prepareFolder } from '../../../util/files.js';
import { type Claim, ClaimWatch, claimUnlessAlive } from '../../store/claim.js';
import { environment } from '../../store/environment.js';
import { SweepStore } from '../../store/store.js';
import { trialEntry } from '../entry.js';
import {
  type Adopted,
  type Launcher,
  type LaunchLimits,
  nodeOptions,
  type OnProgress,
  type RunningTrial,
  type TrialOrder,
} from '../launcher.js';
import type { SlurmSettings } from './fields.js';
import { endingOf, SlurmFollower, WITHDRAWN } from './follow.js';
import { SlurmQueue, taskName, UNFINISHED } from './queue.js';
import { batchScript, outputPattern } from './script.js';
import { type Submission, Submissions } from './submissions.js';

export interface SlurmOptions {
  /** Name of the sweep: part of the jobs' names. */
  sweep: string;
  settings: SlurmSettings;
  /** Threads of a trial; where absent, or `auto`, as many as a job has cores. */
  threads?: number | 'auto';
  /** Absolute, and the same on every node. */
  workspace: string;
  limits?: LaunchLimits;
  checkpointSeconds?: number;
  onNote?(text: string): void;
  /** The program of a trial's process, and the folder of Slurm's commands; others in tests. */
  entry?: string;
  commands?: string;
  /** Milliseconds between looks into the trials' folders, and between questions to Slurm. */
  lookMs?: number;
  askMs?: number;
  /** Milliseconds that it waits while another command submits: the rest is tried again later. */
  submitWaitMs?: number;
}

/** Seconds of a job beyond its trial's own limit: for starting, and for the last checkpoint. */
const MARGIN_SECONDS = 300;

/** Name of a submission's job in the queue. */
const jobName = (sweep: string, submission: string) => `perflaw-${sweep}-${submission}`;

const trials = (count: number) => (count === 1 ? '1 trial' : `${count} trials`);

export function slurmLauncher(options: SlurmOptions): Launcher {
  return new SlurmLauncher(options);
}

class SlurmLauncher implements Launcher {
  readonly name = 'slurm';
  readonly queues = true;
  readonly #queue: SlurmQueue;
  readonly #follower: SlurmFollower;
  readonly #watch = new ClaimWatch();
  #maxArraySize: number | undefined;
  /** How many tasks there were when Slurm took no more. */
  #fullAt: number | undefined;

  constructor(readonly options: SlurmOptions) {
    this.#queue = new SlurmQueue(options.commands);
    this.#follower = new SlurmFollower(this.#queue, {
      lookMs: options.lookMs ?? 2000,
      askMs: options.askMs ?? 10_000,
      jobName: (submission) => jobName(options.sweep, submission),
      onNote: (text) => options.onNote?.(text),
    });
  }

  get capacity(): number {
    // Refused once, it is tried again after something has ended.
    if (this.#fullAt !== undefined && this.#follower.size >= this.#fullAt) return this.#follower.size;
    return Number.POSITIVE_INFINITY;
  }

  start(path: string, orders: readonly TrialOrder[], onProgress: OnProgress): RunningTrial[] {
    // Nothing is written where there is no Slurm.
    this.#maxArraySize ??= this.#queue.limits().maxArraySize;
    const submissions = new Submissions(path);
    const claim = claimToSubmit(submissions.folder, this.#watch, this.options.submitWaitMs ?? 10_000);
    // Another command submits at this moment: the next try finds what it has submitted.
    if (!claim) return [];
    try {
      return this.#startClaimed(path, submissions, claim, this.#maxArraySize, orders, onProgress);
    } finally {
      claim.release();
    }
  }

  /** Follows what other commands have submitted, and submits the rest. */
  #startClaimed(
    path: string,
    submissions: Submissions,
    claim: Claim,
    maxArraySize: number,
    orders: readonly TrialOrder[],
    onProgress: OnProgress,
  ): RunningTrial[] {
    const store = new SweepStore(path);
    const elsewhere = new Map(
      openTasks(submissions, this.#queue, this.options.sweep).map((task) => [
        task.submission.trials[task.index]!,
        task,
      ]),
    );
    const running: RunningTrial[] = [];
    const missing: string[] = [];
    for (const { id } of orders) {
      const task = elsewhere.get(id);
      if (task) running.push(this.#follower.follow(path, task.submission, task.index, onProgress));
      // Trained by another command's task since it was ordered: the store tells.
      else if (!existsSync(join(store.folder(id), 'result.json'))) missing.push(id);
    }
    if (running.length > 0) this.#note(`${trials(running.length)} submitted by another command meanwhile.`);
    for (let from = 0; from < missing.length; from += maxArraySize) {
      claim.beat();
      const ids = missing.slice(from, from + maxArraySize);
      const submission = submissions.add(ids, (name) => this.#script(path, name, ids.length));
      const answer = this.#queue.submit(submission.folder, [
        `--output=${outputPattern(submission.folder)}`,
        'array.sbatch',
      ]);
      if ('refused' in answer) {
        submissions.discard(submission);
        if (!answer.full || this.#follower.size === 0)
          throw new UserError(`Slurm refused the jobs: ${answer.refused}`, {
            place: 'sbatch',
            remedy: 'Change the section `slurm:` of the sweep file and run the same command again.',
          });
        this.#fullAt = this.#follower.size;
        this.#note(
          `Slurm takes no more jobs for now (${answer.refused}); the rest follows once some have ended.`,
        );
        break;
      }
      this.#fullAt = undefined;
      submissions.submitted(submission, answer.job);
      this.#note(`Submitted ${trials(ids.length)} as job ${answer.job}.`);
      ids.forEach((_, index) => {
        running.push(this.#follower.follow(path, submission, index, onProgress));
      });
    }
    return running;
  }

  async adopt(path: string, ids: ReadonlySet<string>, onProgress: OnProgress): Promise<Adopted> {
    const store = new SweepStore(path);
    const submissions = new Submissions(path);
    const open = openTasks(submissions, this.#queue, this.options.sweep).filter(({ submission, index }) =>
      ids.has(submission.trials[index]!),
    );
    const adopted: Adopted = { running: [], ended: [] };
    if (open.length === 0) return adopted;
    const names = new Set(open.map(({ submission }) => jobName(this.options.sweep, submission.name)));
    const tasks = await this.#queue.tasks([...names]);
    const count = { running: 0, waiting: 0 };
    const seen = new Set<string>();
    for (const { submission, index } of open.reverse()) {
      const id = submission.trials[index]!;
      const task = taskName(submission.job!, index);
      const queued = tasks?.get(task);
      // An older task of a trial, or a task of one that has its result, is of no interest.
      if (seen.has(id) || existsSync(join(store.folder(id), 'result.json'))) {
        if (!queued) submissions.end(submission, index, 'result');
        continue;
      }
      seen.add(id);
      const end = queued || !tasks ? undefined : await this.#queue.end(task);
      if (queued || !tasks || (end && UNFINISHED.has(end.state)) || end?.state === 'COMPLETED') {
        count[queued?.state === 'PENDING' ? 'waiting' : 'running']++;
        adopted.running.push(this.#follower.follow(path, submission, index, onProgress));
      } else {
        submissions.end(submission, index, end?.state ?? 'lost');
        adopted.ended.push({ id, ending: endingOf(task, end) });
      }
    }
    this.#note(
      `${trials(seen.size)} submitted before: ${count.running} running, ${count.waiting} waiting, ${adopted.ended.length} ended without a result.`,
    );
    return adopted;
  }

  leave(): void {
    this.#follower.leave();
  }

  #note(text: string): void {
    this.options.onNote?.(text);
  }

  #script(path: string, name: string, tasks: number): string {
    const { settings, limits = {}, workspace, sweep, checkpointSeconds } = this.options;
    const { threads: asked = 'auto' } = this.options;
    const threads = asked === 'auto' ? (settings.cpus ?? 1) : asked;
    return batchScript({
      sweep,
      job: jobName(sweep, name),
      version: environment().perflaw,
      tasks,
      path,
      workspace,
      command: [
        settings.node ?? process.execPath,
        ...nodeOptions({ memory: limits.memory ?? settings.memory }),
        this.options.entry ?? trialEntry(),
      ],
      options: [
        '--batch',
        ...(threads === 1 ? [] : [`--threads=${threads}`]),
        ...(limits.time === undefined ? [] : [`--time-limit=${limits.time}`]),
        ...(limits.memory === undefined ? [] : [`--memory-limit=${limits.memory}`]),
        ...(checkpointSeconds === undefined ? [] : [`--checkpoint-seconds=${checkpointSeconds}`]),
      ],
      settings: {
        ...settings,
        cpus: settings.cpus ?? threads,
        time: settings.time ?? (limits.time === undefined ? undefined : limits.time + MARGIN_SECONDS),
        memory: settings.memory ?? (limits.memory === undefined ? undefined : 1.1 * limits.memory),
      },
    });
  }
}

/**
 * The right to submit for a sweep, of one command at a time: what another one has submitted would else go into the queue twice.
 * @returns undefined when another one takes long over it.
 * @throws UserError when the folder cannot be written.
 */
function claimToSubmit(folder: string, watch: ClaimWatch, waitMs: number): Claim | undefined {
  prepareFolder(folder);
  const begun = performance.now();
  for (;;) {
    const claim = claimUnlessAlive(folder, watch);
    if (claim || performance.now() - begun >= waitMs) return claim;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
}

/** Tasks that nobody has accounted for, the oldest first. */
function openTasks(submissions: Submissions, queue: SlurmQueue, sweep: string) {
  const open: { submission: Submission; index: number }[] = [];
  for (const submission of submissions.all()) {
    if (submission.ended.size >= submission.trials.length) continue;
    if (submission.job === undefined) {
      // The command that submitted it died before it knew the number.
      const job = queue.find(jobName(sweep, submission.name));
      if (job === undefined) continue;
      submissions.submitted(submission, job);
    }
    submission.trials.forEach((_, index) => {
      if (!submission.ended.has(index)) open.push({ submission, index });
    });
  }
  return open;
}

/**
 * Takes every job of a sweep out of the queue: trials that run write a checkpoint, and all stay open for a next command.
 * @returns how many tasks waited or ran.
 * @throws UserError when there is no Slurm, or it does not answer.
 */
export async function cancelJobs(path: string, sweep: string, commands?: string): Promise<number> {
  const queue = new SlurmQueue(commands);
  queue.limits();
  const submissions = new Submissions(path);
  const open = openTasks(submissions, queue, sweep);
  if (open.length === 0) return 0;
  const names = new Set(open.map(({ submission }) => jobName(sweep, submission.name)));
  const tasks = await queue.tasks([...names]);
  if (tasks === undefined)
    throw new UserError('Slurm does not answer', { place: 'squeue', remedy: 'Try again later.' });
  const queued = open.filter(({ submission, index }) => tasks.has(taskName(submission.job!, index)));
  for (const { submission, index } of queued) submissions.end(submission, index, WITHDRAWN);
  queue.cancel([...new Set(queued.map(({ submission }) => submission.job!))]);
  return queued.length;
}

/** Slurm's numbers of the jobs that nobody has accounted for: what a person may hand to scancel. */
export function openJobs(path: string): string[] {
  return new Submissions(path)
    .all()
    .filter(({ job, trials, ended }) => job !== undefined && ended.size < trials.length)
    .map(({ job }) => job!);
}
