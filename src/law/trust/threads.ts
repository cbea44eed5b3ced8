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
/** For so long a sample may be slow because the code is cold, and by so many times. */
const WARMING_MS = 150;
const WARM = 10;

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
  const threads = task.source === '' ? 1 : threadsFor(asked);
  if (threads === 1) return bootstrapDraws(task);
  const first: Draw[] = [];
  let from = task.from;
  // code runs several times as fast once it is warm: what is left is judged by the last sample, each twice the one before
  for (let spent = 0, sample = SAMPLE; from < task.to; sample *= 2) {
    const started = performance.now();
    const to = Math.min(task.to, from + sample);
    first.push(...bootstrapDraws({ ...task, from, to }));
    const took = performance.now() - started;
    spent += took;
    const left = (took / (to - from)) * (task.to - to);
    from = to;
    if (pool.length > 0 || left > WARM * WORTH_MS || (spent > WARMING_MS && left > WORTH_MS)) break;
  }
  if (from >= task.to) return first;
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
