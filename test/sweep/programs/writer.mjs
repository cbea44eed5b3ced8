/** Writes results of one trial without end, each larger than the last, until it is killed. */
import { readFileSync } from 'node:fs';
import { SweepStore } from '../../../dist/sweep/store/store.js';

const [path, recordFile] = process.argv.slice(2);
const record = JSON.parse(readFileSync(recordFile, 'utf8'));
const store = new SweepStore(path);
const epochs = record.result.curve;
process.stdout.write('ready\n');
for (let round = 1; ; round++) {
  record.result.epochsRun = round;
  record.result.curve = Array.from({ length: 200 + (round % 50) }, (_, i) => epochs[i % epochs.length]);
  store.writeResult(record);
}
