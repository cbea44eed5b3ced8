/**
 * A process of this machine that runs trials one after the other, output in each trial's log, progress over the IPC channel.
 * The first is in its arguments. After a trial that was short and went well the process may be given another, which then
 * starts without loading the program anew; after any other, or with much of its memory limit in use, it ends.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AskedThreads, TrainingProgress } from '../../../train/hooks.js';
import { fileError } from '../../../util/errors.js';
import {
  type Ending,
  GRACE_SECONDS,
  type LaunchLimits,
  MEMORY_POLL_MS,
  nodeOptions,
  type RunningTrial,
} from '../launcher.js';

/** What a trial's process hears from its parent. */
export type ParentMessage =
  | { type: 'stop' }
  | { type: 'run'; words: string[]; log: string }
  | { type: 'threads'; asked: AskedThreads };
/** What a parent hears from a trial's process. `ended`: the process waits for another trial. */
export type ChildMessage = { type: 'progress'; progress: TrainingProgress } | { type: 'ended'; code: number };

/** How long a process waits for another trial before it is let go. */
const IDLE_MS = 1000;

export interface TrialRun {
  id: string;
  /** See trialWords. */
  words: string[];
  log: string;
  onProgress(progress: TrainingProgress): void;
}

interface Current {
  run: TrialRun;
  watch: ReturnType<typeof watchLimits>;
  end(ending: Pick<Ending, 'code' | 'signal'>): void;
}

export class TrialWorker {
  readonly #child: ChildProcess;
  #current: Current | undefined;
  #letGo: NodeJS.Timeout | undefined;
  /** A request to stop may still be on its way to it. */
  #stopped = false;

  /** The trial that the process is started with. */
  readonly first: RunningTrial;
  /** Resolves when the process has ended. */
  readonly gone: Promise<void>;

  /** @throws UserError when the trial's log cannot be written. */
  constructor(
    entry: string,
    run: TrialRun,
    readonly limits: LaunchLimits,
  ) {
    const output = openLog(run.log);
    this.#child = fork(entry, run.words, {
      stdio: ['ignore', output, output, 'ipc'],
      execArgv: nodeOptions(limits),
    });
    closeSync(output);
    this.#child.on('message', (message: ChildMessage) => {
      if (message.type === 'ended') this.#rest(message.code);
      else {
        this.#current?.watch.sawMemory();
        this.#current?.run.onProgress(message.progress);
      }
    });
    this.gone = new Promise((resolve) => {
      const end = (code: number | null, signal: string | null) => {
        clearTimeout(this.#letGo);
        this.#letGo = undefined;
        this.#end({ code, signal });
        resolve();
      };
      this.#child.on('exit', end);
      this.#child.on('error', () => {
        if (this.#child.pid === undefined) end(null, null);
      });
    });
    this.first = this.#follow(run);
  }

  /** Whether it waits for a trial. */
  get idle(): boolean {
    return this.#letGo !== undefined && this.#child.connected;
  }

  /** Lets a process without a trial end; resolves when it has. */
  async close(): Promise<void> {
    if (this.#current) return;
    this.#child.ref();
    this.#dismiss();
    await this.gone;
  }

  /**
   * Gives an idle process another trial.
   * @throws UserError when the trial's log cannot be written.
   */
  next(run: TrialRun): RunningTrial {
    closeSync(openLog(run.log));
    clearTimeout(this.#letGo);
    this.#letGo = undefined;
    this.#child.ref();
    this.#child.channel?.ref();
    const running = this.#follow(run);
    this.#send({ type: 'run', words: run.words, log: run.log });
    return running;
  }

  #follow(run: TrialRun): RunningTrial {
    const watch = watchLimits(this.#child, this.limits, () => this.#askToStop());
    const ended = new Promise<Ending>((resolve) => {
      const end = (ending: Pick<Ending, 'code' | 'signal'>) => resolve({ ...ending, ...watch.finish() });
      this.#current = { run, watch, end };
    });
    return {
      id: run.id,
      ended,
      stop: (how) => {
        if (this.#current?.run !== run) return;
        if (how === 'now') this.#child.kill('SIGKILL');
        else this.#askToStop();
      },
      threads: (asked) => {
        if (this.#current?.run === run) this.#send({ type: 'threads', asked });
      },
    };
  }

  #askToStop(): void {
    this.#stopped = true;
    this.#send({ type: 'stop' });
  }

  #send(message: ParentMessage): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** What a trial left behind must not count against the memory of the next. */
  #isFull(): boolean {
    const { memory } = this.limits;
    return memory !== undefined && residentBytes(this.#child.pid!) > memory / 2;
  }

  #dismiss(): void {
    clearTimeout(this.#letGo);
    this.#letGo = undefined;
    if (this.#child.connected) this.#child.disconnect();
  }

  #end(ending: Pick<Ending, 'code' | 'signal'>): void {
    const current = this.#current;
    this.#current = undefined;
    current?.end(ending);
  }

  /** Its trial is over: it waits for another one for a moment, and holds nobody up meanwhile. */
  #rest(code: number): void {
    if (this.#stopped || this.#isFull()) this.#dismiss();
    else {
      this.#letGo = setTimeout(() => this.#dismiss(), IDLE_MS).unref();
      this.#child.unref();
      this.#child.channel?.unref();
    }
    this.#end({ code, signal: null });
  }
}

function openLog(log: string): number {
  try {
    mkdirSync(dirname(log), { recursive: true });
    return openSync(log, 'a');
  } catch (error) {
    throw fileError(error, log, 'write this log');
  }
}

function watchLimits(child: ChildProcess, limits: LaunchLimits, askToStop: () => void) {
  let passed: 'memory' | 'time' | undefined;
  let peakMemory = 0;
  const sawMemory = () => {
    const used = child.pid === undefined ? 0 : residentBytes(child.pid);
    peakMemory = Math.max(peakMemory, used);
    if (limits.memory !== undefined && used > limits.memory && !passed) {
      passed = 'memory';
      child.kill('SIGKILL');
    }
  };
  const memoryTimer = limits.memory === undefined ? undefined : setInterval(sawMemory, MEMORY_POLL_MS);
  const timers: NodeJS.Timeout[] = [];
  if (limits.time !== undefined)
    timers.push(
      setTimeout(() => {
        passed ??= 'time';
        askToStop();
        timers.push(setTimeout(() => child.kill('SIGKILL'), GRACE_SECONDS * 1000));
      }, limits.time * 1000),
    );
  return {
    sawMemory,
    finish(): Pick<Ending, 'limit' | 'peakMemory'> {
      clearInterval(memoryTimer);
      for (const timer of timers) clearTimeout(timer);
      return { limit: passed, peakMemory: peakMemory || undefined };
    },
  };
}

/** Resident memory of a process by the kernel's account; 0 where there is none to ask. */
function residentBytes(pid: number): number {
  try {
    const match = /^VmRSS:\s+([0-9]+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match ? Number(match[1]) * 1024 : 0;
  } catch {
    return 0;
  }
}
