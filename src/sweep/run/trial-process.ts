/** The program of a trial's process: `node trial-process.js SWEEP-FOLDER TRIAL-ID`. Loads training only once it runs. */
import { realParts } from './parts.js';
import { trialProcess } from './trial-main.js';

await trialProcess(process.argv.slice(2), realParts);
