/**
 * The threads that compute the kernels of this process together. Each has the compiled kernels on the one heap; tfjs and its tape
 * know only the main thread, which hands out a kernel's work, takes part in it and waits for the rest. The work is cut so that
 * every number is computed as one thread would compute it: bits do not depend on how many there are.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { UserError } from '../../../util/errors.js';
import type { KernelExports } from '../exports.js';
import { awaitWord, createControl, fail, failure, MOST_ARGUMENTS, MOST_THREADS, Word } from './control.js';
import { aloneMember, crewMember } from './member.js';
import { PROGRAMS } from './programs.js';
import type { ThreadData } from './thread.js';

/** The compiled file, also where this one runs from its TypeScript source. */
const ENTRY = new URL('../../../../dist/kernels/wasm/threads/thread.js', import.meta.url);

export class Crew {
  readonly #control = createControl();
  #others: Worker[] = [];

  constructor(
    readonly kernels: KernelExports,
    readonly data: Pick<ThreadData, 'memory' | 'module' | 'coefficients' | 'wide'>,
  ) {}

  /** Threads, the main one among them. */
  get size(): number {
    return this.#others.length + 1;
  }

  /** Whether threads can share this heap at all. */
  get canGrow(): boolean {
    return (this.data.memory.buffer as unknown) instanceof SharedArrayBuffer;
  }

  /**
   * Starts threads, or ends some.
   * @throws UserError when they cannot be started.
   */
  async resize(size: number): Promise<void> {
    if (size < 1 || size > MOST_THREADS)
      throw new RangeError(`at most ${MOST_THREADS} threads work together`);
    if (size > 1 && !this.canGrow)
      throw new UserError('this engine shares no memory among threads', { remedy: 'Use --threads 1.' });
    if (size > 1 && !existsSync(fileURLToPath(ENTRY)))
      throw new UserError('the program of a thread is missing', {
        place: fileURLToPath(ENTRY),
        remedy: 'Run `npm run build`.',
      });
    const leaving = this.#others.splice(size - 1);
    await Promise.all(leaving.map((worker) => worker.removeAllListeners().terminate()));
    while (this.#others.length < size - 1) this.#others.push(await this.#start(this.#others.length + 1));
    if (size > 1) return;
    Atomics.store(this.#control.words, Word.failed, 0);
  }

  #start(index: number): Promise<Worker> {
    const data: ThreadData = { ...this.data, index, control: this.#control.buffer };
    Atomics.store(this.#control.words, Word.go(index), 0);
    const worker = new Worker(ENTRY, { workerData: data });
    return new Promise((resolve, reject) => {
      const refuse = (cause: unknown) =>
        reject(new UserError('a thread could not be started', { remedy: 'Use fewer --threads.', cause }));
      worker.once('error', refuse);
      worker.once('exit', refuse);
      worker.once('message', () => {
        worker.off('error', refuse);
        worker.off('exit', refuse);
        worker.on('error', (error) => fail(this.#control, error));
        worker.on('exit', () => fail(this.#control, new Error('it ended')));
        worker.unref();
        resolve(worker);
      });
    });
  }

  /**
   * Runs a program on at most `most` threads.
   * @throws Error when a thread fails or is lost; the crew is then of no use any more.
   */
  run(program: number, numbers: readonly number[], most = MOST_THREADS): number {
    const size = Math.min(most, this.size);
    if (size === 1) return PROGRAMS[program]!(this.kernels, numbers, aloneMember());
    if (Atomics.load(this.#control.words, Word.failed) !== 0) throw this.#lost();
    if (numbers.length > MOST_ARGUMENTS) throw new RangeError(`${numbers.length} numbers for a program`);
    const { words, numbers: shared } = this.#control;
    shared.set(numbers);
    for (const word of [Word.ticket, Word.done, Word.barrier]) Atomics.store(words, word, 0);
    for (let chain = 0; chain < size; chain++) Atomics.store(words, Word.chain(chain), 0);
    Atomics.store(words, Word.program, program);
    Atomics.store(words, Word.size, size);
    for (let i = 1; i < size; i++) {
      Atomics.add(words, Word.go(i), 1);
      Atomics.notify(words, Word.go(i));
    }
    try {
      const result = PROGRAMS[program]!(this.kernels, shared, crewMember(this.#control, 0, size));
      awaitWord(this.#control, Word.done, (value) => value >= size - 1);
      if (Atomics.load(words, Word.failed) === 0) return result;
    } catch (error) {
      fail(this.#control, error);
    }
    throw this.#lost();
  }

  #lost(): Error {
    return new Error(`a thread of this process failed: ${failure(this.#control)}`);
  }
}
