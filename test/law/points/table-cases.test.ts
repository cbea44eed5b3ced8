/** Tables as people have them, and results of others: read from ../shared, where they lie. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Observation } from '../../../src/law/points/observation.js';
import { panelsOf, toPoints } from '../../../src/law/points/points.js';
import { readTable } from '../../../src/law/points/table.js';
import { predict } from '../../../src/law/predict/predict.js';
import { compareForms } from '../../../src/law/trust/compare.js';

const SHARED = new URL('../../../../shared/', import.meta.url).pathname;
/** A test of one file of ../shared; skipped, with the reason printed, where it is absent. */
function itReads(file: string, what: string, test: (path: string) => Promise<void>): void {
  const path = SHARED + file;
  if (!existsSync(path)) console.log(`skipped: ${path} is not on this machine`);
  it.skipIf(!existsSync(path))(`${file}: ${what}`, () => test(path));
}
const quick = { resamples: 0, threads: 1 };

describe('tables as people have them', () => {
  itReads('cases/17-tables/loss.csv', 'the lowest loss is best', async (path) => {
    const { observations, notes } = await readTable(path);
    expect(notes).toEqual(['columns: layers; dim; params; metric loss']);
    const report = await predict(observations, { ...quick, budget: { params: 1e6 } });
    expect(report.direction).toBe('minimize');
    // of the models measured within the budget that with the least loss has 3.3503
    expect(report.best.predicted).toBeLessThan(3.36);
    expect(report.best.params).toBeGreaterThan(7e5);
    expect(report.optimum.axes).toMatchObject({ layers: { place: 'falls' }, dim: { place: 'falls' } });
  });

  itReads(
    'cases/17-tables/optuna_renamed_metric.csv',
    'pruned and failed trials are left out, and said',
    async (path) => {
      const { observations, notes } = await readTable(path);
      expect(observations).toHaveLength(11);
      expect(notes).toContain('3 PRUNED, 1 FAIL, 1 RUNNING left out: only finished runs are fitted (state)');
      expect(notes).toContain(
        'columns not used: column 1, number, datetime_start, datetime_complete, duration, system_attrs_completed_rung_0',
      );
      expect(panelsOf(observations)).toHaveLength(1);
    },
  );

  itReads('cases/17-tables/bs.csv', 'batch sizes are no repeats of one another', async (path) => {
    const { observations, notes } = await readTable(path);
    const panels = panelsOf(observations);
    expect(panels.map(({ group }) => group)).toEqual([{ bs: 32 }, { bs: 512 }]);
    for (const panel of panels) {
      const { points } = toPoints(panel.observations, 'ndcg@10');
      expect(points.map(({ runs }) => runs.length)).toEqual(new Array(16).fill(1));
    }
    expect(notes.join('\n')).toMatch(/"bs" differs between runs of one configuration \(32, 512\)/);
    const pooled = await readTable(path, { ignore: ['bs'] });
    expect(panelsOf(pooled.observations)).toHaveLength(1);
  });

  itReads(
    'cases/17-tables/mixed_scale.csv',
    'percent among fractions is refused with the rows',
    async (path) => {
      await expect(readTable(path)).rejects.toMatchObject({
        message: expect.stringMatching(/percentages in rows 3, 7, 11, 15/),
        place: 'mixed_scale.csv:3',
        remedy: expect.stringMatching(/100/),
      });
    },
  );

  itReads('cases/laws/pct.csv', 'percentages below 1 are read', async (path) => {
    expect((await readTable(path)).observations).toHaveLength(16);
  });

  itReads('cases/laws/dup.csv', 'equal repeats are read', async (path) => {
    expect((await readTable(path)).observations).toHaveLength(48);
  });

  itReads('cases/laws/grp2.csv', 'two models are two panels', async (path) => {
    const { observations } = await readTable(path);
    expect(panelsOf(observations).length).toBeGreaterThan(1);
  });
});

/** The same runs with a metric of which more is better. */
const turned = (observations: readonly Observation[], metric: string, from: number): Observation[] =>
  observations.map((one) => ({ ...one, metrics: { turned: from - one.metrics[metric]! } }));

describe('losses of others', () => {
  itReads('tables/gemstones.csv', 'the law of the loss is that of its negative', async (path) => {
    const { observations } = await readTable(path);
    for (const panel of panelsOf(observations)) {
      const loss = toPoints(panel.observations, 'loss').points;
      const rising = toPoints(turned(panel.observations, 'loss', 10), 'turned').points;
      const down = compareForms(loss, 'loss');
      const up = compareForms(rising, 'turned');
      expect(down.chosen).toBe(up.chosen);
      expect(down.fits[down.chosen]!.r2).toBeGreaterThan(0.9);
      down.scores.forEach((score, i) => {
        const other = up.scores[i]!;
        for (const key of ['r2', 'q2', 'rmse'] as const)
          if (score[key] !== null) expect(score[key]! / other[key]!, score.form).toBeCloseTo(1, 4);
        if (score.heldOut) expect(score.heldOut.rmse / other.heldOut!.rmse, score.form).toBeCloseTo(1, 4);
      });
      const power = down.fits['saturating-power']!;
      expect(power.coefficients['B']!).toBeGreaterThan(0);
    }
  });

  itReads('tables/gadre.csv', 'a run without layers is refused by its line', async (path) => {
    await expect(readTable(path)).rejects.toMatchObject({
      message: 'layers is missing',
      place: 'gadre.csv:33',
    });
  });

  itReads(
    'tables/olmo-ladder.csv',
    'a table without shapes is refused, with the columns it has',
    async (path) => {
      await expect(readTable(path)).rejects.toMatchObject({
        message: 'there is no column "layers"',
        remedy: expect.stringMatching(/and \d+ more/),
      });
    },
  );

  itReads('tables/srt-all-columns.csv', 'settings that were crossed part the runs', async (path) => {
    const { observations, notes } = await readTable(path, { metric: 'test_ndcg5_last' });
    expect(Object.keys(observations[0]!.config!)).toEqual(['heads', 'negatives']);
    expect(notes[0]).toContain('tokens = interactions');
    const runs = panelsOf(observations).flatMap((panel) =>
      toPoints(panel.observations, 'test_ndcg5_last').points.map((point) => point.runs.length),
    );
    // three configurations were run twice; every other run differs from all in a setting
    expect(runs.filter((count) => count > 1)).toEqual(expect.arrayContaining([2]));
    expect(Math.max(...runs)).toBe(2);
    expect(runs.filter((count) => count === 2).length).toBeLessThanOrEqual(3);
  });
});
