/** Trials as processes of this machine, as many side by side as there are workers. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../util/errors.js';
import { packageRoot } from '../../util/workspace.js';
import { SweepStore } from '../store.js';
import { type Launcher, type LaunchLimits, trialWords } from './launcher.js';
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
  const free = new Set<TrialWorker>();
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
        for (const worker of free) {
          free.delete(worker);
          if (worker.idle) return worker.next(run);
        }
        return new TrialWorker(entry, run, options.limits ?? {}, (worker) => free.add(worker)).first;
      }),
    async close() {
      await Promise.all([...free].map((worker) => worker.close()));
      free.clear();
    },
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
