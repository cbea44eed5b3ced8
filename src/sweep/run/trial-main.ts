/**
 * What every trial's process does besides the trial: it reads its arguments, passes progress to its parent, stops when the
 * parent asks or dies, and turns the outcome into an exit code, or asks the parent for another trial. Under a batch system
 * (`--batch`) it has no parent: SIGTERM stops it, SIGUSR2 tells that the time of its job is nearly up.
 */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import type { AskedThreads } from '../../train/hooks.js';
import { describeError, UserError } from '../../util/errors.js';
import { TrialExit } from '../launch/launcher.js';
import type { ChildMessage, ParentMessage } from '../launch/local/worker.js';
import { OwnLimits } from './own-limits.js';
import { runTrial, type TrialParts } from './trial.js';

/** Milliseconds between two messages of progress. */
const PROGRESS_MS = 200;
/** A process that took no longer than this for a trial may run another: after a long one a fresh start costs nothing. */
const SHORT_SECONDS = 60;

type LoadParts = () => Promise<TrialParts>;

/** Runs the trial that `words` name, and those that the parent sends after it; ends the process. */
export async function trialProcess(words: string[], loadParts: LoadParts): Promise<void> {
  const parent = new Parent();
  // Ctrl-C reaches the whole group; what it means is for the parent to say.
  process.on('SIGINT', () => {});
  // A full disk must not end a process through its log.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  try {
    let outcome = await oneTrial(words, loadParts, parent, 0);
    for (;;) {
      process.exitCode = outcome.code;
      const next = outcome.again ? await parent.another(outcome.code) : undefined;
      if (!next) break;
      const begun = performance.now();
      writeTo(next.log);
      forgetPeakMemory();
      outcome = await oneTrial(next.words, loadParts, parent, begun);
    }
  } catch (error) {
    const stack = error instanceof Error && !(error instanceof UserError) ? `${error.stack}\n` : '';
    process.stderr.write(`${describeError(error)}\n${stack}`);
    process.exitCode = 1;
  }
  // The channel, or a backend's threads, would keep the process alive.
  process.exit();
}

/** Whoever started this process: a sweep, or a batch system that does not talk. */
class Parent {
  readonly #pid = process.ppid;
  readonly #stopping = new AbortController();
  /** Threads that the trial may use, as the sweep shares its cores. */
  #threads: AskedThreads = 1;
  #onOrder: ((order: { words: string[]; log: string } | undefined) => void) | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor() {
    process.on('message', (message: ParentMessage) => {
      if (message.type === 'stop') this.stop();
      else if (message.type === 'threads') this.#threads = message.asked;
      else {
        this.#threads = 1;
        this.#onOrder?.(message);
      }
    });
    for (const event of ['disconnect', 'SIGTERM', 'SIGHUP']) process.on(event, this.stop);
  }

  readonly stop = () => {
    this.#stopping.abort();
    this.#onOrder?.(undefined);
  };

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  get threads(): AskedThreads {
    return this.#threads;
  }

  progress(progress: Extract<ChildMessage, { type: 'progress' }>['progress']): void {
    if (process.ppid !== this.#pid) this.stop();
    const now = performance.now();
    if (!process.connected || now - this.#sentAt < PROGRESS_MS) return;
    this.#sentAt = now;
    this.#send({ type: 'progress', progress });
  }

  /** Another trial, or undefined when there is none and this process is no longer needed. */
  another(code: number): Promise<{ words: string[]; log: string } | undefined> {
    if (!process.connected || this.signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#onOrder = (order) => {
        this.#onOrder = undefined;
        resolve(order);
      };
      this.#sentAt = Number.NEGATIVE_INFINITY;
      this.#send({ type: 'ended', code });
    });
  }

  #send(message: ChildMessage): void {
    process.send!(message, undefined, undefined, () => {});
  }
}

async function oneTrial(
  words: string[],
  loadParts: LoadParts,
  parent: Parent,
  begun: number,
): Promise<{ code: number; again: boolean }> {
  const [path, id] = words;
  const option = (name: string) => words.find((w) => w.startsWith(`--${name}=`))?.slice(name.length + 3);
  const size = (name: string) => (option(name) === undefined ? undefined : Number(option(name)));
  // Under a batch system no parent keeps the limits, and none starts the trial again where its claim is still held.
  const batch = words.includes('--batch');
  const limits = batch
    ? new OwnLimits({ time: size('time-limit'), memory: size('memory-limit') }, parent.stop)
    : undefined;
  if (batch)
    process.on('SIGUSR2', () =>
      limits?.timeIsUp('its job ran out of time; a retry goes on from its checkpoint'),
    );
  let failed = false;
  const code = await runTrial(path!, id!, loadParts, {
    provenDead: option('proven-dead'),
    patient: batch,
    limits,
    begun,
    checkpointSeconds: size('checkpoint-seconds'),
    threads: () => size('threads') ?? parent.threads,
    signal: parent.signal,
    onFailure() {
      failed = true;
    },
    onProgress: (progress) => parent.progress(progress),
  });
  const short = performance.now() - begun < SHORT_SECONDS * 1000;
  const good = !failed && (code === TrialExit.recorded || code === TrialExit.rung);
  return { code, again: good && short && process.platform !== 'win32' };
}

/**
 * Lets everything that this process prints, its engine's last words among it, go to another file: a file that is opened gets
 * the lowest number that is free (POSIX).
 * @throws Error when it cannot be opened; then this process must end, lest the number go to some other file.
 */
function writeTo(path: string): void {
  closeSync(openSync(path, 'a'));
  for (const output of [1, 2]) {
    closeSync(output);
    if (openSync(path, 'a') !== output) throw new Error(`output ${output} could not be sent to ${path}`);
  }
}

/** The most memory that the system saw in use counts from here on: an earlier trial's is not this one's. Linux only. */
function forgetPeakMemory(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Then the figure is that of the process.
  }
}
