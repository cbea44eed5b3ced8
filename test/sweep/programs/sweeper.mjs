/** Runs given trials of a store with stand-in training: one of several commands on one sweep. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { localLauncher } from '../../../dist/sweep/launch/local/local.js';
import { runSweep } from '../../../dist/sweep/run/run.js';
import { SweepStore } from '../../../dist/sweep/store/store.js';
import { describeError, UserError } from '../../../dist/util/errors.js';

const { path, trials } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const entry = fileURLToPath(new URL('../../../dist/contract/fake-trial.js', import.meta.url));
try {
  const { done, failed } = await runSweep(
    new SweepStore(path),
    trials,
    localLauncher({ workers: 1, entry }),
    { numericVersion: 1, data: 'fake', pollMs: 50 },
  );
  process.stdout.write(JSON.stringify({ done, failed }));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = error.exitCode;
}
