/** Every kernel on a backend against float64: the contract that perflaw's own tests use. Prints one JSON line a test. */
import { runAll } from 'vitest';
import { describeHeadKernels } from '../dist/contract/head-kernels.js';
import { describeKernels } from '../dist/contract/kernels.js';
import { describeSampledCrossEntropy } from '../dist/contract/sampled-cross-entropy.js';

const [backend = 'webgpu', runs = '8', seconds = '600'] = process.argv.slice(2);
describeKernels(backend, Number(runs));
describeHeadKernels(backend, Number(runs));
describeSampledCrossEntropy(backend, Number(runs));
const begun = performance.now();
let failed = 0;
await runAll(
  (result) => {
    if (result.state === 'failed') failed++;
    console.log(JSON.stringify(result));
  },
  () => (performance.now() - begun) / 1000 > Number(seconds),
);
process.exit(failed > 0 ? 1 : 0);
