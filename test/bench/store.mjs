/**
 * Is a store of 10,000 results read by `fit` in time? Writes one and reads it:
 * `node test/bench/store.mjs [--trials 10000] [--folder DIR]`; a folder that is named is kept.
 * Results follow a smooth surface over layers and dim with a little noise, 20 epochs each, so that a law can be fitted.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DEFAULT_MODEL } from '../../dist/model/config.js';
import { readSweepObservations } from '../../dist/sweep/results/observations.js';
import { recordText } from '../../dist/sweep/store/layout.js';
import { SweepStore } from '../../dist/sweep/store/store.js';
import { DEFAULT_EVALUATION, DEFAULT_TRAINING } from '../../dist/train/config.js';
import { trialId } from '../../dist/train/identity.js';
import { NUMERIC_VERSION } from '../../dist/train/version.js';
import { createRandom } from '../../dist/util/random.js';

const { values } = parseArgs({
  options: { trials: { type: 'string', default: '10000' }, folder: { type: 'string' } },
});
const count = Number(values.trials);
const home = values.folder ?? mkdtempSync(join(tmpdir(), 'perflaw-store-'));
const store = new SweepStore(join(home, 'reports', 'large'));

const LAYERS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32];
const DIMS = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256];
const random = createRandom('store bench');
const began = performance.now();
const trials = Array.from({ length: count }, (_, i) => {
  const layers = LAYERS[i % 10];
  const dim = DIMS[Math.floor(i / 10) % 10];
  const config = {
    data: { name: 'made', hash: 'made' },
    slice: { users: 1 },
    model: { ...DEFAULT_MODEL, layers, dim },
    training: DEFAULT_TRAINING,
    evaluation: DEFAULT_EVALUATION,
    seed: Math.floor(i / 100),
    backend: 'wasm',
  };
  const id = trialId(config, NUMERIC_VERSION);
  const size = dim * dim * layers * 12;
  return { id, label: `d${dim} x${layers}`, config, parameters: size, tokens: 1e5, flops: 6e5 * size };
});
for (const trial of trials) {
  const folder = store.folder(trial.id);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'result.json'), recordText(recordOf(trial)));
}
store.writePlan({
  schema: 1,
  name: 'large',
  perflaw: '0',
  numericVersion: NUMERIC_VERSION,
  updatedAt: new Date().toISOString(),
  data: { name: 'made', hash: 'made', numItems: 1000, reference: 'made' },
  workers: 1,
  file: 'large.yaml',
  text: '',
  trials,
});
console.log(`${count} results written in ${seconds(began)}`);

const reading = performance.now();
const { observations } = await readSweepObservations(store.path);
console.log(`${observations.length} read in ${seconds(reading)}`);
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const fitting = performance.now();
const fit = spawnSync(process.execPath, [cli, 'fit', store.path, '--bootstrap', '0', '--json'], {
  env: { ...process.env, PERFLAW_HOME: home },
});
console.log(`perflaw fit --bootstrap 0 in ${seconds(fitting)}, exit code ${fit.status}`);
if (fit.status !== 0) console.log(String(fit.stderr));
if (values.folder === undefined) rmSync(home, { recursive: true });

function seconds(from) {
  const { user } = process.cpuUsage();
  return `${((performance.now() - from) / 1000).toFixed(2)} s (${(user / 1e6).toFixed(1)} s of CPU in this process so far)`;
}

function recordOf({ id, config, parameters, flops }) {
  const { layers, dim } = config.model;
  const value = 0.1 + 0.02 * Math.log(dim) - 0.003 * Math.log(layers) ** 2 + 0.002 * random.normal();
  const metrics = Object.fromEntries(
    [5, 10, 20].flatMap((k) => [
      [`hr@${k}`, value],
      [`ndcg@${k}`, value / 2],
      [`mrr@${k}`, value / 3],
    ]),
  );
  const ranking = { masked: metrics, unmasked: metrics };
  return {
    schema: 1,
    id,
    config,
    environment: { perflaw: '0', node: process.version, platform: 'any', host: 'bench' },
    startedAt: '2025-01-01T00:00:00.000Z',
    finishedAt: '2025-01-01T00:01:00.000Z',
    status: 'done',
    slice: {
      label: 'all',
      users: 1000,
      tokens: 1e5,
      apenPooled: 1.5,
      apenPerUser: 1,
      lempelZiv: 2,
      lempelZivPrefix: 2,
      shannon: 5,
      compression: 0.5,
      repeatShare: 0,
    },
    popularity: { validation: ranking, test: ranking },
    result: {
      validation: ranking,
      test: ranking,
      bestEpoch: 20,
      epochsRun: 20,
      stopped: 'epochs',
      curve: Array.from({ length: 20 }, (_, i) => ({
        epoch: i + 1,
        step: 100 * (i + 1),
        loss: 7 - 0.1 * i,
        seconds: 12.5,
        tokensPerSecond: 8123.4,
        validation: ranking,
      })),
      parameters: { total: parameters, nonEmbedding: parameters / 2 },
      flops: { perToken: flops / 2e6, total: flops },
      tokens: { perEpoch: 1e5, total: 2e6 },
      seconds: { training: 250, evaluation: 10 },
      tokensPerSecond: 8000,
      peakMemoryBytes: 2e8,
      backend: 'wasm',
    },
  };
}
