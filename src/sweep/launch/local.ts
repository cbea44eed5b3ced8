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
