/** Trials as processes of this machine: one a trial, its output in the trial's log, its progress over the IPC channel. */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TrainingProgress } from '../../train/hooks.js';
import { fileError, UserError } from '../../util/errors.js';
import { packageRoot } from '../../util/workspace.js';
import { SweepStore } from '../store.js';
import {
  type Ending,
  type Launcher,
  type LaunchLimits,
  type RunningTrial,
  type TrialOrder,
  trialWords,
} from './launcher.js';

export interface LocalOptions {
  workers: number;
  limits?: LaunchLimits;
  /** Seconds between checkpoints. */
  checkpointSeconds?: number;
  /** The program of a trial's process; another one in tests. */
  entry?: string;
}

/** What a trial's process hears from its parent. */
export type ParentMessage = { type: 'stop' };
/** What a parent hears from a trial's process. */
export type ChildMessage = { type: 'progress'; progress: TrainingProgress };

/** Seconds that a process past its time limit has for a checkpoint. */
const GRACE_SECONDS = 10;
const MEMORY_POLL_MS = 500;

export function localLauncher(options: LocalOptions): Launcher {
  const entry = options.entry ?? trialEntry();
  return {
    name: 'local',
    capacity: options.workers,
    start: (path, orders, onProgress) =>
      orders.map((order) => startOne(path, order, entry, options, onProgress)),
  };
}

/** The built program, also where this file itself runs from its TypeScript source. */
export function trialEntry(): string {
  const beside = fileURLToPath(new URL('../trial-process.js', import.meta.url));
  const built = join(packageRoot, 'dist', 'sweep', 'trial-process.js');
  const entry = [beside, built].find((path) => existsSync(path));
  if (!entry)
    throw new UserError('the program of a trial is missing', {
      place: built,
      remedy: 'Run `npm run build`.',
    });
  return entry;
}

function startOne(
  path: string,
  order: TrialOrder,
  entry: string,
  options: LocalOptions,
  onProgress: (id: string, progress: TrainingProgress) => void,
): RunningTrial {
  const log = new SweepStore(path).logFile(order.id);
  let output: number;
  try {
    mkdirSync(dirname(log), { recursive: true });
    output = openSync(log, 'a');
  } catch (error) {
    throw fileError(error, log, 'write this log');
  }
  const child = fork(entry, trialWords(path, order, options.checkpointSeconds), {
    stdio: ['ignore', output, output, 'ipc'],
    execArgv: heapLimit(options.limits),
  });
  closeSync(output);
  const watch = watchLimits(child, options.limits ?? {});
  child.on('message', (message: ChildMessage) => {
    if (message.type !== 'progress') return;
    watch.sawMemory();
    onProgress(order.id, message.progress);
  });
  const ended = new Promise<Ending>((resolve) => {
    let done = false;
    const end = (code: number | null, signal: string | null) => {
      if (done) return;
      done = true;
      resolve({ code, signal, ...watch.finish() });
    };
    child.on('exit', end);
    child.on('error', () => {
      if (child.pid === undefined) end(null, null);
    });
  });
  return {
    id: order.id,
    ended,
    stop: (how) => {
      if (how === 'now') child.kill('SIGKILL');
      else if (child.connected) child.send({ type: 'stop' } satisfies ParentMessage, () => {});
    },
  };
}

/** Keeps JavaScript's own heap below a memory limit, so that it fails with words before it is killed without. */
function heapLimit(limits: LaunchLimits | undefined): string[] {
  return limits?.memory === undefined
    ? []
    : [`--max-old-space-size=${Math.max(64, Math.floor(limits.memory / 2 ** 20))}`];
}

function watchLimits(child: ChildProcess, limits: LaunchLimits) {
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
        if (child.connected) child.send({ type: 'stop' } satisfies ParentMessage, () => {});
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
