/** A thread that fits a share of the bootstrap replicates. */
import { parentPort } from 'node:worker_threads';
import { type BootstrapTask, bootstrapDraws } from './draws.js';
import { formSource } from './forms.js';
import { loadForm } from './own-form.js';

parentPort?.on('message', async (task: BootstrapTask) => {
  // a form of one's own is code: it is read again here
  if (formSource(task.form) === undefined) await loadForm(task.source);
  parentPort?.postMessage(bootstrapDraws(task));
});
