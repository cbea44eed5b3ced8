/**
 * Looks after tasks that were submitted until each has ended. The trial's folder is looked at often, because that costs
 * little and is what counts; the queue is asked seldom and for all tasks at once, because a cluster serves many people.
 */
import type { TrainingProgress } from '../../../train/hooks.js';
import { SweepStore } from '../../store/store.js';
import { type Ending, type OnProgress, type RunningTrial, TrialExit } from '../launcher.js';
import { type QueuedTask, type SlurmQueue, type TaskEnd, taskName, UNFINISHED } from './queue.js';
import { type Submission, Submissions } from './submissions.js';

/** A result written on another node may take this long to be seen here: network file systems remember what was absent. */
const VISIBLE_SECONDS = 90;

/** Reasons for waiting that are nobody's mistake. */
const USUAL = new Set([
  ...['None', 'Priority', 'Resources', 'BeginTime', 'JobArrayTaskLimit', 'Cleaning', '(null)'],
  ...['Prolog', 'Licenses', 'Reservation', 'ReqNodeNotAvail'],
]);

/** Noted of a task whose trial is to stay open. */
export const WITHDRAWN = 'withdrawn';

/** What a task's end means for its trial. `stopped`: the command itself asked for it. */
export function endingOf(task: string, end: TaskEnd | undefined, stopped = false): Ending {
  if (end === undefined) return { code: null, signal: null, fate: 'lost' };
  const { state, code, signal } = end;
  const ending: Ending = { code, signal, endedJob: task };
  if (stopped) return code === 0 && signal === null ? { ...ending, code: TrialExit.interrupted } : ending;
  if (state === 'CANCELLED' || state === 'REVOKED') return { ...ending, fate: 'cancelled' };
  if (state === 'PREEMPTED') return { ...ending, fate: 'displaced' };
  // An unreachable node may still be at work: only the heartbeat tells.
  if (state === 'NODE_FAIL' || state === 'BOOT_FAIL') return { code, signal, fate: 'displaced' };
  if (state === 'TIMEOUT' || state === 'DEADLINE' || signal === 'SIGUSR2')
    return { ...ending, limit: 'time' };
  if (state === 'OUT_OF_MEMORY') return { ...ending, limit: 'memory' };
  if (state === 'COMPLETED') return { ...ending, fate: 'lost' };
  return ending;
}

interface Followed {
  store: SweepStore;
  id: string;
  numericVersion: number;
  submission: Submission;
  index: number;
  task: string;
  onProgress: OnProgress;
  progressAt: string;
  /** When the queue was first seen without it. */
  goneAt?: number;
  /** Whether this command itself asked for its end. */
  stopped: boolean;
  resolve(ending: Ending): void;
}

export interface FollowOptions {
  lookMs: number;
  askMs: number;
  /** The job's name of a submission. */
  jobName(submission: string): string;
  onNote(text: string): void;
}

export class SlurmFollower {
  readonly #followed = new Set<Followed>();
  readonly #said = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly queue: SlurmQueue,
    readonly options: FollowOptions,
  ) {}

  get size(): number {
    return this.#followed.size;
  }

  /** Follows a task that was submitted. */
  follow(path: string, submission: Submission, index: number, onProgress: OnProgress): RunningTrial {
    const id = submission.trials[index]!;
    const store = new SweepStore(path);
    const task = taskName(submission.job!, index);
    let followed: Followed | undefined;
    const ended = new Promise<Ending>((resolve) => {
      followed = {
        ...{ store, id, submission, index, task, onProgress, resolve },
        numericVersion: store.readJob(id).numericVersion,
        progressAt: store.readProgress(id)?.at ?? '',
        stopped: false,
      };
    });
    this.#followed.add(followed!);
    this.#timer ??= setTimeout(() => this.#tick(), this.options.lookMs);
    return {
      id,
      ended,
      stop: (how) => {
        followed!.stopped = true;
        this.queue.cancel([task], how === 'now');
      },
    };
  }

  leave(): void {
    for (const followed of [...this.#followed])
      this.#finish(followed, { code: null, signal: null, fate: 'left' });
  }

  async #tick(): Promise<void> {
    try {
      for (const followed of this.#followed) this.#look(followed);
      if (this.#followed.size > 0 && performance.now() - this.#askedAt >= this.options.askMs) {
        await this.#ask();
        this.#askedAt = performance.now();
      }
    } catch (error) {
      // Nothing here may end the command that waits: jobs go on, and the next look may succeed.
      this.#sayOnce(`While looking after jobs: ${(error as Error).message}`);
    }
    this.#timer = this.#followed.size > 0 ? setTimeout(() => this.#tick(), this.options.lookMs) : undefined;
  }

  /** What the trial's folder tells: whether it has its result. */
  #look(followed: Followed): boolean {
    const { store, id, numericVersion } = followed;
    if (store.readTrial(id, numericVersion, { curve: false }).state !== 'absent') {
      this.#finish(followed, { code: TrialExit.recorded, signal: null }, 'result');
      return true;
    }
    const progress = store.readProgress(id);
    if (progress && progress.at !== followed.progressAt) {
      followed.progressAt = progress.at;
      followed.onProgress(id, progress as TrainingProgress);
    }
    return false;
  }

  async #ask(): Promise<void> {
    const names = new Set([...this.#followed].map(({ submission }) => this.options.jobName(submission.name)));
    const tasks = await this.queue.tasks([...names]);
    if (tasks === undefined)
      return this.#sayOnce('Slurm does not answer at the moment; its jobs are waited for.');
    this.#tellWhyHeld(tasks);
    const gone = [...this.#followed].filter((followed) => {
      if (tasks.has(followed.task)) followed.goneAt = undefined;
      return !tasks.has(followed.task);
    });
    for (const followed of gone) {
      const now = performance.now();
      const before = followed.goneAt;
      followed.goneAt ??= now;
      // Seen twice without it: a task that goes back into the queue may be missing from it for a moment.
      if (before === undefined || this.#look(followed)) continue;
      if (new Submissions(followed.store.path).endOf(followed.submission, followed.index) === WITHDRAWN) {
        this.#finish(followed, { code: null, signal: null, fate: 'withdrawn' }, WITHDRAWN);
        continue;
      }
      const end = await this.queue.end(followed.task);
      if (end !== undefined && UNFINISHED.has(end.state)) continue;
      const seconds = (now - before) / 1000;
      if (end?.state === 'COMPLETED' && end.code === 0 && seconds < VISIBLE_SECONDS) continue;
      if (!this.#look(followed))
        this.#finish(followed, endingOf(followed.task, end, followed.stopped), end?.state ?? 'lost');
    }
  }

  #finish(followed: Followed, ending: Ending, word?: string): void {
    if (!this.#followed.delete(followed)) return;
    if (word !== undefined)
      new Submissions(followed.store.path).end(followed.submission, followed.index, word);
    followed.resolve(ending);
  }

  #tellWhyHeld(tasks: Map<string, QueuedTask>): void {
    const reasons = new Map<string, number>();
    for (const { task } of this.#followed) {
      const queued = tasks.get(task);
      if (queued?.state === 'PENDING' && !USUAL.has(queued.reason))
        reasons.set(queued.reason, (reasons.get(queued.reason) ?? 0) + 1);
    }
    for (const [reason, count] of reasons)
      this.#sayOnce(`Slurm holds ${count === 1 ? 'a trial' : `${count} trials`} back: ${reason}.`, reason);
  }

  #sayOnce(text: string, key = text): void {
    if (this.#said.has(key)) return;
    this.#said.add(key);
    this.options.onNote(text);
  }
}
