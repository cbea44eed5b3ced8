/**
 * Shares bootstrap replicates among worker threads where that is worth their start. The threads run the compiled file beside
 * this one; where there is none (sources run directly) all work is done in this thread, with the same result.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type BootstrapTask, bootstrapDraws, type Draw } from './draws.js';

const WORKER = new URL('./bootstrap-worker.js', import.meta.url);

/** Work below this is done before a thread has started. */
const WORTH_MS = 400;
const SAMPLE = 24;

let pool: Worker[] = [];

function threadsFor(asked: number | undefined): number {
  const count = asked ?? Math.min(8, availableParallelism());
  return count > 1 && existsSync(fileURLToPath(WORKER)) ? count : 1;
}

/** Ends the threads; they end by themselves with the process. */
export async function closeThreads(): Promise<void> {
  const ending = pool;
  pool = [];
  await Promise.all(ending.map((worker) => worker.terminate()));
}

/** All replicates of a task, in order. */
export async function shareDraws(task: BootstrapTask, asked?: number): Promise<Draw[]> {
  const started = performance.now();
  const first = bootstrapDraws({ ...task, to: Math.min(task.to, task.from + SAMPLE) });
  const from = task.from + first.length;
  if (from >= task.to) return first;
  const left = ((performance.now() - started) / first.length) * (task.to - from);
  const threads = task.source === '' ? 1 : threadsFor(asked);
  if (threads === 1 || (left < WORTH_MS && pool.length === 0))
    return [...first, ...bootstrapDraws({ ...task, from })];
  while (pool.length < threads) {
    const worker = new Worker(WORKER);
    worker.unref();
    pool.push(worker);
  }
  const share = Math.ceil((task.to - from) / threads);
  const parts = pool.slice(0, threads).map((worker, i) => {
    const begin = from + i * share;
    const part = { ...task, from: begin, to: Math.min(task.to, begin + share) };
    return part.from < part.to ? ask(worker, part) : [];
  });
  return [first, ...(await Promise.all(parts))].flat();
}

function ask(worker: Worker, task: BootstrapTask): Promise<Draw[]> {
  return new Promise((resolve, reject) => {
    worker.ref();
    const done = (settle: () => void) => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      worker.unref();
      settle();
    };
    const onMessage = (draws: Draw[]) => done(() => resolve(draws));
    const onError = (error: unknown) =>
      done(() => {
        pool = pool.filter((other) => other !== worker);
        reject(error);
      });
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.postMessage(task);
  });
}
