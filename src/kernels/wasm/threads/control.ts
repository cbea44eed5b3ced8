/**
 * The words that the threads of a crew share: who is to work, on what, how far each is. Each word that several threads write
 * has a cache line of its own.
 */

export const MOST_THREADS = 64;
const LINE = 16;

/** Indices of 32-bit words. */
export const Word = {
  /** Raised to start a thread; below 0 it ends. A line for each thread. */
  go: (thread: number) => thread * LINE,
  program: MOST_THREADS * LINE,
  /** Threads that take part. */
  size: MOST_THREADS * LINE + 1,
  failed: (MOST_THREADS + 1) * LINE,
  ticket: (MOST_THREADS + 2) * LINE,
  done: (MOST_THREADS + 3) * LINE,
  barrier: (MOST_THREADS + 4) * LINE,
  /** How far a chain of dependent work is. */
  chain: (index: number) => (MOST_THREADS + 5 + index) * LINE,
} as const;

const MESSAGE_AT = 4 * Word.chain(MOST_THREADS);
const MESSAGE_BYTES = 1024;
const ARGUMENTS_AT = MESSAGE_AT + MESSAGE_BYTES;
/** Most numbers that a program can be given. */
export const MOST_ARGUMENTS = 8192;

export interface Control {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly numbers: Float64Array<SharedArrayBuffer>;
}

export function createControl(): Control {
  return controlOf(new SharedArrayBuffer(ARGUMENTS_AT + 8 * MOST_ARGUMENTS));
}

export function controlOf(buffer: SharedArrayBuffer): Control {
  return {
    buffer,
    words: new Int32Array(buffer, 0, MESSAGE_AT / 4),
    numbers: new Float64Array(buffer, ARGUMENTS_AT, MOST_ARGUMENTS),
  };
}

/** Says why a thread cannot go on, once. */
export function fail({ buffer, words }: Control, error: unknown): void {
  if (Atomics.compareExchange(words, Word.failed, 0, 1) !== 0) return;
  const text = Buffer.from(error instanceof Error ? error.message : String(error)).subarray(
    0,
    MESSAGE_BYTES - 1,
  );
  const message = new Uint8Array(buffer, MESSAGE_AT, MESSAGE_BYTES);
  message.fill(0);
  message.set(text);
  Atomics.store(words, Word.failed, 2);
}

export function failure({ buffer, words }: Control): string | undefined {
  if (Atomics.load(words, Word.failed) === 0) return undefined;
  const message = Buffer.from(new Uint8Array(buffer, MESSAGE_AT, MESSAGE_BYTES));
  return message.subarray(0, message.indexOf(0)).toString() || 'it ended without a word';
}

/** Looks before a thread sleeps: some 50 microseconds, about what it takes to wake one. */
const LOOKS = 2000;
/** Seconds without a sign of another thread after which it is given up; of a process that is stopped they do not pass. */
const LOST_SECONDS = 300;

/**
 * Waits until a word holds what `enough` wants, and returns it.
 * @param patient waits for ever, for work.
 * @throws Error when another thread failed or is lost.
 */
export function awaitWord(
  control: Control,
  index: number,
  enough: (value: number) => boolean,
  patient = false,
): number {
  const { words } = control;
  for (let look = 0; look < LOOKS; look++) {
    const value = Atomics.load(words, index);
    if (enough(value)) return value;
  }
  for (let seconds = 0; patient || seconds < LOST_SECONDS; ) {
    const value = Atomics.load(words, index);
    if (enough(value)) return value;
    if (!patient && Atomics.load(words, Word.failed) !== 0) throw new Error('another thread failed');
    if (Atomics.wait(words, index, value, patient ? undefined : 1000) === 'timed-out') seconds++;
  }
  throw new Error(`a thread gave no sign for ${LOST_SECONDS} seconds`);
}
