/** Trials as processes of this machine, as many side by side as there are workers. */
import { SweepStore } from '../../store/store.js';
import { trialEntry } from '../entry.js';
import { type Launcher, type LaunchLimits, trialWords } from '../launcher.js';
import { TrialWorker } from './worker.js';

export interface LocalOptions {
  workers: number;
  limits?: LaunchLimits;
  /** Seconds between checkpoints. */
  checkpointSeconds?: number;
  /** The program of a trial's process; another one in tests. */
  entry?: string;
}

export function localLauncher(options: LocalOptions): Launcher {
  const entry = options.entry ?? trialEntry();
  const workers = new Set<TrialWorker>();
  return {
    name: 'local',
    capacity: options.workers,
    start: (path, orders, onProgress) =>
      orders.map((order) => {
        const run = {
          id: order.id,
          words: trialWords(path, order, options.checkpointSeconds),
          log: new SweepStore(path).logFile(order.id),
          onProgress: onProgress.bind(undefined, order.id),
        };
        const idle = [...workers].find((worker) => worker.idle);
        if (idle) return idle.next(run);
        const worker = new TrialWorker(entry, run, options.limits ?? {});
        workers.add(worker);
        worker.gone.then(() => workers.delete(worker));
        return worker.first;
      }),
    async close() {
      await Promise.all([...workers].map((worker) => worker.close()));
    },
  };
}
