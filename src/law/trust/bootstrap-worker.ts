/** A thread that fits a share of the bootstrap replicates. */
import { parentPort } from 'node:worker_threads';
import { formSource } from '../forms/forms.js';
import { loadForm } from '../forms/own-form.js';
import { type BootstrapTask, bootstrapDraws } from './draws.js';

parentPort?.on('message', async (task: BootstrapTask) => {
  // a form of one's own is code: it is read again here
  if (formSource(task.form) === undefined) await loadForm(task.source);
  parentPort?.postMessage(bootstrapDraws(task));
});
