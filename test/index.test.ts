import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import * as perflaw from '../src/index.js';

describe('the public library', () => {
  it('loads neither tfjs nor vega nor DuckDB until something needs them', () => {
    // CommonJS modules leave their paths in the cache, also when an ES module imports them.
    const script = `
      import { createRequire } from 'node:module';
      await import(process.argv[1]);
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      console.log(JSON.stringify(loaded.filter((path) => /tensorflow|vega|duckdb/.test(path))));`;
    const run = (specifier: string) =>
      JSON.parse(
        execFileSync(process.execPath, ['--input-type=module', '--eval', script, specifier], {
          encoding: 'utf8',
        }),
      ) as string[];
    expect(run(new URL('../dist/index.js', import.meta.url).href)).toEqual([]);
    expect(run(new URL('../dist/train/trainer.js', import.meta.url).href).length).toBeGreaterThan(0);
  });

  it('fits, predicts and measures without a sweep', async () => {
    const observations: perflaw.Observation[] = [];
    for (const layers of [1, 2, 4, 8])
      for (const dim of [16, 32, 64, 128])
        observations.push({
          slice: 'all',
          layers,
          dim,
          metrics: { 'ndcg@10': 0.1 + 0.02 * Math.log(layers) + 0.01 * Math.log(dim) },
          params: 1000 * dim + layers * dim * dim,
        });
    const fit = perflaw.fitLaw(observations, { form: 'log-linear', metric: 'ndcg@10' });
    expect(fit.r2).toBeCloseTo(1, 9);
    expect(perflaw.approximateEntropy([0, 1, 0, 0, 1, 1, 0, 1, 0, 1], { m: 3, circular: true })).toBeCloseTo(
      0.19095425,
      8,
    );
    expect(perflaw.countParameters(perflaw.DEFAULT_MODEL, 3416).total).toBe(290_944);
  });

  it('trains on generated data', async () => {
    const data = perflaw.generateSynthetic({ users: 40, items: 20, meanLength: 8 });
    const result = await perflaw.trainModel(
      {
        data: { name: data.name, hash: data.hash },
        slice: { users: 1 },
        model: { ...perflaw.DEFAULT_MODEL, dim: 4, dState: 2, maxLength: 8 },
        training: { ...perflaw.DEFAULT_TRAINING, epochs: 1 },
        evaluation: perflaw.DEFAULT_EVALUATION,
        seed: 1,
        backend: 'wasm',
      },
      data,
    );
    expect(result.parameters.total).toBeGreaterThan(0);
    expect(result.test.masked['ndcg@10']).toBeGreaterThanOrEqual(0);
  });
});
