/**
 * How long does it take to fit all forms to 200 points with 1,000 bootstrap replicates each? With the compiled files beside it
 * (npm run build) the worker threads take part, as they do in `perflaw fit`.
 */
import { existsSync } from 'node:fs';
import { it } from 'vitest';
import type { Observation } from '../../src/law/points/observation.js';
import { createRandom } from '../../src/util/random.js';

const random = createRandom('fit-bench');
const observations: Observation[] = Array.from({ length: 20 }, (_, i) => i + 1).flatMap((layers) =>
  Array.from({ length: 10 }, (_, j) => 16 * (j + 1)).map((dim) => ({
    slice: 'all',
    layers,
    dim,
    flops: layers * dim * dim * 1e6,
    metrics: {
      'ndcg@10':
        0.2 +
        0.03 * Math.log(layers) -
        0.006 * Math.log(layers) ** 2 +
        0.02 * Math.log(dim) +
        0.003 * random.normal(),
    },
  })),
);

it('200 points, all forms, 1,000 replicates', async () => {
  const compiled = new URL('../../dist/law/', import.meta.url);
  const folder = existsSync(new URL('analyse.js', compiled))
    ? compiled
    : new URL('../../src/law/', import.meta.url);
  const at = (name: string) => new URL(folder === compiled ? `${name}.js` : `${name}.ts`, folder).href;
  const { analysePanel } = (await import(at('analyse'))) as typeof import('../../src/law/analyse.js');
  const { panelsOf } = (await import(at('points/points'))) as typeof import('../../src/law/points/points.js');
  const { closeThreads } = (await import(
    at('trust/threads')
  )) as typeof import('../../src/law/trust/threads.js');
  for (const threads of [1, 2]) {
    const before = process.cpuUsage();
    const started = performance.now();
    await analysePanel(panelsOf(observations)[0]!, { metric: 'ndcg@10', resamples: 1000, threads });
    const { user } = process.cpuUsage(before);
    console.log(
      `${threads} thread(s): ${((performance.now() - started) / 1000).toFixed(1)} s, ${(user / 1e6).toFixed(1)} s of CPU`,
    );
  }
  await closeThreads();
});
