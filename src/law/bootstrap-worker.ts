/** A thread that fits a share of the bootstrap replicates. */
import { parentPort } from 'node:worker_threads';
import { type BootstrapTask, bootstrapDraws } from './draws.js';

parentPort?.on('message', (task: BootstrapTask) => {
  parentPort?.postMessage(bootstrapDraws(task));
});
