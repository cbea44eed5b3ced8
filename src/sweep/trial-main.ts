/**
 * What every trial's process does besides the trial: it reads its arguments, passes progress to its parent, stops when the
 * parent asks or dies, and turns the outcome into an exit code. Under a batch system (`--batch`) it has no parent: SIGTERM
 * stops it, SIGUSR2 tells that the time of its job is nearly up.
 */
import { describeError, UserError } from '../util/errors.js';
import type { ChildMessage, ParentMessage } from './launch/local.js';
import { OwnLimits } from './own-limits.js';
import { runTrial, type TrialParts } from './trial.js';

/** Milliseconds between two messages of progress. */
const PROGRESS_MS = 200;

export async function trialProcess(words: string[], loadParts: () => Promise<TrialParts>): Promise<void> {
  const [path, id] = words;
  const option = (name: string) => words.find((w) => w.startsWith(`--${name}=`))?.slice(name.length + 3);
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  const size = (name: string) => (option(name) === undefined ? undefined : Number(option(name)));
  // Under a batch system no parent keeps the limits, and none starts the trial again where its claim is still held.
  const batch = words.includes('--batch');
  const limits = batch
    ? new OwnLimits({ time: size('time-limit'), memory: size('memory-limit') }, stop)
    : undefined;
  process.on('SIGUSR2', () =>
    limits?.timeIsUp('its job ran out of time; a retry goes on from its checkpoint'),
  );
  process.on('message', (message: ParentMessage) => {
    if (message.type === 'stop') stop();
  });
  process.on('disconnect', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', stop);
  // Ctrl-C reaches the whole group; what it means is for the parent to say.
  process.on('SIGINT', () => {});
  // A full disk must not end a process through its log.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});

  const parent = process.ppid;
  let sentAt = Number.NEGATIVE_INFINITY;
  try {
    process.exitCode = await runTrial(path!, id!, loadParts, {
      provenDead: option('proven-dead'),
      patient: batch,
      limits,
      checkpointSeconds: size('checkpoint-seconds'),
      signal: stopping.signal,
      onProgress(progress) {
        if (process.ppid !== parent) stop();
        const now = performance.now();
        if (!process.connected || now - sentAt < PROGRESS_MS) return;
        sentAt = now;
        process.send!({ type: 'progress', progress } satisfies ChildMessage, undefined, undefined, () => {});
      },
    });
  } catch (error) {
    const stack = error instanceof Error && !(error instanceof UserError) ? `${error.stack}\n` : '';
    process.stderr.write(`${describeError(error)}\n${stack}`);
    process.exitCode = 1;
  }
  // The channel, or a backend's threads, would keep the process alive.
  process.exit();
}
