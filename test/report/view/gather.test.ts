import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { analysePanel } from '../../../src/law/analyse.js';
import { analyseJoints } from '../../../src/law/joint.js';
import { panelsOf } from '../../../src/law/points/points.js';
import { groupBySettings } from '../../../src/law/points/settings.js';
import { predict } from '../../../src/law/predict/predict.js';
import { DEFAULT_MODEL } from '../../../src/model/config.js';
import { countParameters } from '../../../src/model/size.js';
import { answerCards } from '../../../src/report/page/answer.js';
import { gatherReport, metricChoice } from '../../../src/report/view/gather.js';
import { groupLabel } from '../../../src/report/view/label.js';
import { readSweepRecords } from '../../../src/report/view/read.js';
import { bestOfEachSize } from '../../../src/report/view/sizes.js';
import { mainPanel } from '../../../src/report/view/view.js';
import { observationOf, settingsOf } from '../../../src/sweep/results/observations.js';
import type { DoneRecord } from '../../../src/sweep/store/record.js';
import { UserError } from '../../../src/util/errors.js';
import { simulateRecords, trueMetric } from '../simulated-sweep.js';
import { storeSweep } from '../stored-sweep.js';

const root = mkdtempSync(join(tmpdir(), 'perflaw-gather-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const quick = { resamples: 60 };

it('rivals of the law are asked at places that have what they need: a logistic one in FLOPs beside one in layers and dim', async () => {
  // MovieLens 1M, half of the users
  const measured: Record<string, number> = {
    '1/16': 0.1432,
    '1/32': 0.1734,
    '1/64': 0.1878,
    '2/16': 0.1498,
    '2/32': 0.181,
    '2/64': 0.1949,
    '3/16': 0.1558,
    '3/32': 0.1832,
    '3/64': 0.197,
  };
  const path = storeSweep(root, 'rivals', {
    layers: [1, 2, 3],
    dims: [16, 32, 64],
    slices: [1],
    change: (records) =>
      records.map((record) => {
        const { layers, dim } = record.config.model;
        const masked = { ...record.result.test.masked, 'ndcg@10': measured[`${layers}/${dim}`]! };
        return { ...record, result: { ...record.result, test: { ...record.result.test, masked } } };
      }),
  });
  const { law, lawMissing } = (await gatherReport(readSweepRecords(path), quick)).groups[0]!;
  expect(lawMissing).toBeUndefined();
  const main = mainPanel(law!);
  expect(main.form).not.toBe('logistic');
  expect(main.forms.find(({ name }) => name === 'logistic')!.r2).toBeGreaterThan(0.9);
});

describe('a sweep with failures', () => {
  const sweep = () => readSweepRecords(storeSweep(root, 'mixed', { slices: [0.5, 1], failures: 1, open: 3 }));

  it('is read into what is done, failed and open', () => {
    const { done, failed, pending, damaged } = sweep();
    expect([done.length, failed.length, pending, damaged.length]).toEqual([31, 1, 3, 0]);
  });

  it('gets a law a slice that finds the truth, inside its own interval', async () => {
    const input = await gatherReport(sweep(), { ...quick, form: 'performance-law' });
    const law = input.groups[0]!.law!;
    expect(law.panels.map((panel) => panel.slice)).toEqual(['users=0.5', 'all']);
    const tokens = input.slices[1]!.tokens;
    for (const [layers, dim] of [
      [1, 16],
      [2, 64],
      [3, 48],
      [8, 128],
    ] as const)
      expect(law.surface('all', layers, dim)).toBeCloseTo(trueMetric(layers, dim, tokens), 2);
    const main = mainPanel(law);
    expect(main.r2).toBeGreaterThan(0.95);
    expect(main.peak.layers.value).toBeGreaterThan(2);
    expect(main.peak.layers.value).toBeLessThan(4);
    const { heldOut } = law;
    expect(heldOut!.slices.map(({ what }) => what)).toContain('the largest layers and the largest dim');
    const top = Math.max(...law.points.map((p) => p.dim));
    const deep = Math.max(...law.points.map((p) => p.layers));
    expect(heldOut!.points.every((p) => p.dim === top || p.layers === deep)).toBe(true);
    expect(heldOut!.points.some((p) => p.measured !== p.predicted.value)).toBe(true);
    const inside = law.points.filter((p) => p.measured >= p.predicted.low && p.measured <= p.predicted.high);
    expect(inside.length / law.points.length).toBeGreaterThan(0.75);
    const budget = law.budget!;
    expect(budget.optimum.params).toBe(
      countParameters({ ...DEFAULT_MODEL, layers: budget.optimum.layers, dim: budget.optimum.dim }, 3416)
        .total,
    );
    // as `perflaw predict` has it: within the interval of one new run of the best
    expect(budget.smallest!.predicted.value).toBeGreaterThanOrEqual(budget.optimum.predicted.low);
    expect(budget.smallest!.params).toBeLessThanOrEqual(budget.optimum.params);
  });

  it('has the constants of the slices grow with their tokens', async () => {
    const input = await gatherReport(sweep(), { ...quick, form: 'performance-law' });
    const [small, large] = input.groups[0]!.law!.dataTerm!.points;
    expect(large!.term - small!.term).toBeCloseTo(0.035 * Math.log(2), 2);
  });

  it('uses the form that errs least on what was withheld, and says so', async () => {
    const input = await gatherReport(sweep(), quick);
    const main = mainPanel(input.groups[0]!.law!);
    const scored = main.forms.filter((form) => form.heldOutError !== undefined);
    const least = Math.min(...scored.map((form) => form.heldOutError!));
    expect(scored.length).toBeGreaterThan(2);
    expect(main.forms.find((form) => form.chosen)!.heldOutError).toBe(least);
  });
});

describe('a report and the commands', () => {
  it('say the same of a sweep: form, coefficients, what is not identifiable, the optimum and the joint fit', async () => {
    const path = storeSweep(root, 'same', { slices: [0.25, 0.5, 1], noise: 0.004 });
    const sweep = readSweepRecords(path);
    const law = (await gatherReport(sweep, quick)).groups[0]!.law!;
    const options = { metric: 'ndcg@10', ...quick };
    const panels = panelsOf(sweep.done.map(observationOf));
    const forms = new Map<string, string>();
    for (const panel of panels) {
      const { panel: said } = await analysePanel(panel, options);
      const shown = law.panels.find(({ slice }) => slice === panel.slice)!;
      forms.set(panel.label, said.form);
      expect([shown.form, shown.r2, shown.q2, shown.because]).toEqual([
        said.form,
        said.r2,
        said.q2,
        said.because,
      ]);
      for (const { name, estimate, note } of shown.coefficients) {
        expect(estimate.value).toBe(said.coefficients[name]!.value);
        expect(note === undefined).toBe(said.coefficients[name]!.identifiable);
      }
      expect(shown.peak.dim.value ?? null).toBe(said.optimum.axes.dim?.value ?? null);
    }
    const { joint } = analyseJoints(panels, forms, 'ndcg@10', {});
    for (const { slice, term } of law.dataTerm!.points) {
      const name = Object.keys(joint[0]!.coefficients).find((one) => one.endsWith(`[${slice}]`))!;
      expect(term).toBe(joint[0]!.coefficients[name]);
    }
    expect(law.dataTerm!.measures).toEqual(joint[0]!.measures);
    const answer = await predict(sweep.done.map(observationOf), {
      ...options,
      budget: { params: 1e12 },
      models: [sweep.done[0]!.config.model],
      numItems: sweep.plan.data.numItems,
      slice: 'all',
    });
    // the report has no budget and stays inside the measured range: the cheapest that is no worse than the best there
    const { optimum, odds } = law.budget!;
    const best = answer.bestMeasuredRange!;
    expect(optimum.params).toBeLessThanOrEqual(best.params);
    expect(optimum.predicted.value).toBeGreaterThan(best.predicted - 2 * odds!.tolerance);
    expect(optimum.extrapolated).toBe(false);
  });
});

describe('laws of compute', () => {
  it('are drawn as a smooth surface between the shapes that a model can have', async () => {
    const sweep = readSweepRecords(storeSweep(root, 'compute', { slices: [1] }));
    const input = await gatherReport(sweep, { ...quick, form: 'logistic' });
    const { surface, panels } = input.groups[0]!.law!;
    for (const { place } of Object.values(panels[0]!.peak)) expect(['rises', 'falls']).toContain(place);
    const steps = Array.from({ length: 41 }, (_, i) => surface('all', 2 + i / 40, 48.5));
    const jumps = steps.slice(1).map((value, i) => Math.abs(value - steps[i]!));
    expect(Math.max(...jumps)).toBeLessThan(3 * (jumps.reduce((a, b) => a + b, 0) / jumps.length) + 1e-9);
  });
});

describe('a slice that is not measured enough', () => {
  it('is named, and the others keep their law', async () => {
    const path = storeSweep(root, 'partial', { slices: [0.5, 1] });
    const sweep = readSweepRecords(path);
    sweep.done = sweep.done.filter((record, i) => record.slice.label !== 'all' || i % 8 === 0);
    const input = await gatherReport(sweep, quick);
    const law = input.groups[0]!.law!;
    expect(law.panels.map((panel) => panel.slice)).toEqual(['users=0.5']);
    expect(law.missing).toEqual([{ slice: 'all', reason: expect.stringContaining('needs at least') }]);
    expect(
      answerCards(input)
        .map((card) => card.words)
        .join(' '),
    ).toContain('1 slice has no law yet: all (');
  });
});

describe('a sweep too small for a law', () => {
  it('says why instead', async () => {
    const sweep = readSweepRecords(storeSweep(root, 'small', { layers: [1], dims: [32, 64], slices: [1] }));
    const input = await gatherReport(sweep, quick);
    expect(input.groups[0]!.law).toBeUndefined();
    expect(input.groups[0]!.lawMissing).toMatch(
      /^No law was fitted: .*needs at least \d+ configurations; there are 2/,
    );
  });
});

describe('metrics', () => {
  const sweep = () => readSweepRecords(storeSweep(root, 'metrics', { slices: [1] }));

  it('are the selection on test by default; a prefix asks for another split or history', () => {
    expect(metricChoice(sweep())).toEqual({
      name: 'ndcg@10',
      split: 'test',
      history: 'masked',
      direction: 'maximize',
    });
    expect(metricChoice(sweep(), 'validation:HR@10')).toEqual({
      name: 'hr@10',
      split: 'validation',
      history: 'masked',
      direction: 'maximize',
    });
    expect(metricChoice(sweep(), 'unmasked:hr@20')).toEqual({
      name: 'hr@20',
      split: 'test',
      history: 'unmasked',
      direction: 'maximize',
    });
    expect(metricChoice(sweep(), 'hr@20', 'minimize').direction).toBe('minimize');
  });

  it('that no trial has are refused with those there are', () => {
    expect(() => metricChoice(sweep(), 'ndcg@7')).toThrow(UserError);
    try {
      metricChoice(sweep(), 'ndcg@7');
    } catch (error) {
      expect((error as UserError).remedy).toContain('ndcg@10');
    }
  });

  it('reach the law: an unmasked metric is fitted as such', async () => {
    const input = await gatherReport(sweep(), { ...quick, metric: 'unmasked:hr@10', form: 'quadratic-log' });
    const record = input.done[0]!;
    expect(input.groups[0]!.law!.points[0]!.measured).toBe(record.result.test.unmasked['hr@10']);
  });
});

describe('damaged results', () => {
  it('are left out and counted', async () => {
    const path = storeSweep(root, 'damaged', { slices: [1] });
    const before = readSweepRecords(path);
    writeFileSync(join(path, 'trials', before.done[0]!.id, 'result.json'), '{"schema": 1, "id"');
    const after = readSweepRecords(path);
    expect(after.done).toHaveLength(15);
    expect(after.damaged[0]!.reason).toContain('not valid JSON');
    expect((await gatherReport(after, quick)).pending).toBe(1);
  });
});

describe('groups', () => {
  const labels = (records: DoneRecord[]) =>
    groupBySettings(records, ({ config }) => settingsOf(config)).map(({ settings }) => groupLabel(settings));
  it('are told apart by what varies, and only by that', () => {
    const { done } = simulateRecords({ slices: [1], layers: [1, 2], dims: [32] });
    expect(labels(done)).toEqual(['']);
    const other = done.map((record) => ({
      ...record,
      config: { ...record.config, model: { ...record.config.model, dState: 16, name: 'tim4rec' as const } },
    }));
    expect(labels([...done, ...other])).toEqual(['mamba4rec, dState=32', 'tim4rec, dState=16']);
  });
});

describe('candidates', () => {
  it('of each size the best is kept, the best of all among them', () => {
    const shapes = Array.from({ length: 200 }, (_, i) => ({ layers: 1, dim: i, params: 100 + i * 10 }));
    const value = (shape: { dim: number }) => -((shape.dim - 77) ** 2);
    const kept = bestOfEachSize(shapes, value);
    expect(kept.some((shape) => shape.dim === 77)).toBe(true);
    expect(kept.map((shape) => shape.params)).toEqual(
      kept.map((shape) => shape.params).sort((a, b) => a - b),
    );
    expect(kept.length).toBeLessThan(30);
  });
});
