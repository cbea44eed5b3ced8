import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fitLaw } from '../../../src/law/fitting/fit.js';
import { optimum } from '../../../src/law/fitting/optimum.js';
import type { Observation } from '../../../src/law/points/observation.js';
import {
  bootstrap,
  coefficientIntervals,
  optimumIntervals,
  predictWithInterval,
} from '../../../src/law/trust/uncertainty.js';
import { createRandom } from '../../../src/util/random.js';
import { type Coverage, coverage, SETTINGS } from '../coverage.js';
import { ML1M } from '../panel-ml1m.js';

/** Simulated sweeps a setting: 16 every day; `PERFLAW_SWEEPS=300` settles the second digit. */
const SWEEPS = Number(process.env['PERFLAW_SWEEPS'] ?? 16);
const RESAMPLES = SWEEPS > 100 ? 400 : 200;

describe('the bootstrap', () => {
  const fit = fitLaw(ML1M);

  it('is the same for the same seed, and another for another', async () => {
    const one = await bootstrap(fit, { resamples: 40, seed: 3 });
    const again = await bootstrap(fit, { resamples: 40, seed: 3 });
    const other = await bootstrap(fit, { resamples: 40, seed: 4 });
    expect(again.draws).toEqual(one.draws);
    expect(other.draws).not.toEqual(one.draws);
  });

  it('holds the fitted values, and an optimum near 14 layers and dim 64', async () => {
    const boot = await bootstrap(fit, { resamples: 200, seed: 1 });
    const intervals = coefficientIntervals(boot);
    for (const [name, value] of Object.entries(fit.coefficients)) {
      expect(intervals[name]![0]).toBeLessThan(value);
      expect(intervals[name]![1]).toBeGreaterThan(value);
    }
    const { layers, dim } = optimumIntervals(boot);
    expect(layers!.interval[0]).toBeLessThan(14.3);
    expect(layers!.interval[1]).toBeGreaterThan(14.3);
    expect(dim!.exists).toBeGreaterThan(0.9);
    const { value, law, interval } = predictWithInterval(boot, { layers: 16, dim: 64 });
    expect(interval[0]!).toBeLessThan(law[0]!);
    expect(law[0]!).toBeLessThan(value);
    expect(interval[1]!).toBeGreaterThan(law[1]!);
    // the noise of a run is in it: wider than two standard deviations
    expect(interval[1]! - interval[0]!).toBeGreaterThan(2 * fit.sigma);
  });

  it('names no optimum that nobody could build, in no replicate and no form', async () => {
    const random = createRandom('falling');
    const falling = [1, 2, 4, 8].flatMap((layers) =>
      [16, 32, 64, 128].map(
        (dim): Observation => ({
          slice: 'all',
          layers,
          dim,
          metrics: {
            'hr@10': 0.3 - 0.02 * Math.log(layers) - 0.01 * Math.log(dim) + 5e-4 * random.normal(),
          },
        }),
      ),
    );
    for (const form of ['performance-law', 'quadratic-log', 'quadratic-log-cross']) {
      const law = fitLaw(falling, { form });
      const { axes } = optimum(law);
      expect([axes.layers!.place, axes.dim!.place], form).toEqual(['falls', 'falls']);
      const { layers, dim } = optimumIntervals(await bootstrap(law, { resamples: 100, threads: 1 }));
      for (const [{ interval }, least, most] of [
        [layers!, 1, 64],
        [dim!, 2, 1024],
      ] as const)
        for (const end of interval)
          if (end !== null) {
            expect(end, form).toBeGreaterThanOrEqual(least);
            expect(end, form).toBeLessThanOrEqual(most);
          }
    }
  });

  it('widens away from what was measured', async () => {
    const boot = await bootstrap(fit, { resamples: 200, seed: 1 });
    const width = (at: { layers: number; dim: number }) => {
      const [low, high] = predictWithInterval(boot, at).interval;
      return high! - low!;
    };
    expect(width({ layers: 128, dim: 400 })).toBeGreaterThan(1.5 * width({ layers: 14, dim: 60 }));
  });

  it('has no width where the law fits exactly', async () => {
    const exact: Observation[] = [1, 2, 4].flatMap((layers) =>
      [16, 32, 64].map((dim) => ({
        slice: 'all',
        layers,
        dim,
        metrics: { 'hr@10': 0.1 + 0.01 * Math.log(layers) + 0.02 * Math.log(dim) },
      })),
    );
    const boot = await bootstrap(fitLaw(exact, { form: 'log-linear' }), { resamples: 50 });
    const { value, interval } = predictWithInterval(boot, { layers: 8, dim: 128 });
    expect(interval[0]).toBeCloseTo(value, 10);
    expect(interval[1]).toBeCloseTo(value, 10);
  });

  it('ends where the metric does, and loses none of the runs that can be', async () => {
    const low = ML1M.map((one) => ({ ...one, metrics: { 'hr@10': one.metrics['hr@10']! - 0.279 } }));
    const boot = await bootstrap(fitLaw(low), { resamples: 200, seed: 1 });
    const near = predictWithInterval(boot, { layers: 4, dim: 25 });
    expect(near.interval[0]).toBe(0);
    expect(near.interval[1]).toBeGreaterThan(near.value);
    const far = predictWithInterval(boot, { layers: 4, dim: 2 });
    expect(boot.fit.predict({ layers: 4, dim: 2 })).toBeLessThan(0);
    expect(far.value).toBe(0);
    // the same numbers as a quantity without an upper end
    const loss = low.map((one) => ({ ...one, metrics: { loss: 5 * one.metrics['hr@10']! } }));
    expect(fitLaw(loss).range).toEqual([0, Number.POSITIVE_INFINITY]);
    const percent = low.map((one) => ({ ...one, metrics: { 'ndcg@10': 100 * one.metrics['hr@10']! } }));
    expect(fitLaw(percent).range).toEqual([0, 100]);
    expect(fitLaw(low).range).toEqual([0, 1]);
  });

  it('knows no more than what was measured and the end, where the law has left what the metric can be', async () => {
    const high = ML1M.map((one) => ({ ...one, metrics: { 'hr@10': one.metrics['hr@10']! + 0.65 } }));
    const boot = await bootstrap(fitLaw(high, { form: 'log-linear' }), {
      resamples: 100,
      seed: 1,
      threads: 1,
    });
    const far = { layers: 32, dim: 1e4 };
    expect(boot.fit.predict(far)).toBeGreaterThan(1.02);
    const { value, interval } = predictWithInterval(boot, far);
    expect(value).toBe(1);
    expect(interval).toEqual([Math.max(...high.map((one) => one.metrics['hr@10']!)), 1]);
    // the same numbers, said to be percentages
    const percent = fitLaw(
      high.map((one) => ({ ...one, percentages: ['hr@10'] })),
      { form: 'log-linear' },
    );
    expect(percent.range).toEqual([0, 100]);
  });

  it('is as wide where one configuration has five runs and the others one as where all have one', async () => {
    const law = (layers: number, dim: number) => 0.1 + 0.01 * Math.log(layers) + 0.02 * Math.log(dim);
    let [one, five] = [0, 0];
    for (let sweep = 0; sweep < 12; sweep++) {
      const random = createRandom('unbalanced', sweep);
      const rows = [1, 2, 4, 8].flatMap((layers) =>
        [16, 32, 64, 128].map((dim, i): Observation[] =>
          Array.from({ length: layers === 2 && i === 1 ? 5 : 1 }, (_, seed) => ({
            slice: 'all',
            layers,
            dim,
            seed,
            metrics: { 'hr@10': law(layers, dim) + 0.003 * random.normal() },
          })),
        ),
      );
      const width = async (observations: Observation[]) => {
        const fit = fitLaw(observations, { form: 'log-linear' });
        const boot = await bootstrap(fit, { resamples: 200, seed: sweep, threads: 1 });
        const [low, high] = predictWithInterval(boot, { layers: 3, dim: 48 }).interval;
        return high! - low!;
      };
      one += await width(rows.map(([first]) => first!));
      five += await width(rows.flat());
    }
    expect(five / one).toBeGreaterThan(0.85);
    expect(five / one).toBeLessThan(1.1);
  });

  const compiled = new URL('../../../dist/law/trust/uncertainty.js', import.meta.url);
  const built = existsSync(compiled);
  if (!built) console.log('skipped: worker threads need the compiled files; run `npm run build`');
  it.skipIf(!built)('does not depend on the number of threads', async () => {
    const dist = (await import(compiled.href)) as typeof import('../../../src/law/trust/uncertainty.js');
    const { fitLaw: fitCompiled } = (await import(
      new URL('../../../dist/law/fitting/fit.js', import.meta.url).href
    )) as typeof import('../../../src/law/fitting/fit.js');
    const { closeThreads } = (await import(
      new URL('../../../dist/law/trust/threads.js', import.meta.url).href
    )) as typeof import('../../../src/law/trust/threads.js');
    const own = fitCompiled(ML1M);
    const alone = await dist.bootstrap(own, { resamples: 1500, threads: 1 });
    const shared = await dist.bootstrap(own, { resamples: 1500, threads: 2 });
    await closeThreads();
    expect(shared.draws).toEqual(alone.draws);
  });
});

describe('90 % prediction intervals', () => {
  it(`hold a new run in 85 to 95 % of ${SWEEPS} sweeps a setting`, async () => {
    const found: Coverage[] = [];
    for (const setting of SETTINGS) found.push(await coverage(setting, SWEEPS, RESAMPLES));
    const inside = found.reduce((sum, one) => sum + one.prediction * one.predictions, 0);
    const count = found.reduce((sum, one) => sum + one.predictions, 0);
    if (SWEEPS > 100)
      console.log(found.map((one, i) => `${SETTINGS[i]!.name}: ${one.prediction.toFixed(3)}`).join('\n'));
    expect(inside / count).toBeGreaterThan(0.85);
    expect(inside / count).toBeLessThan(0.95);
    if (SWEEPS > 100)
      for (const one of found) {
        expect(one.prediction).toBeGreaterThan(0.85);
        expect(one.prediction).toBeLessThan(0.95);
      }
  }, 3_600_000);
});
