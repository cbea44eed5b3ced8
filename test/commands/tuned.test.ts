/** Tuned settings from end to end: a sweep that tunes, its table, tables of others; never the average of what was tuned. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as fit from '../../src/commands/fit.js';
import * as predict from '../../src/commands/predict.js';
import * as results from '../../src/commands/results.js';
import { reportFigures } from '../../src/report/charts.js';
import { isDrawn, NARROW_WIDTH, WIDE_WIDTH } from '../../src/report/drawing/figure.js';
import { compileSpec, drawFigure } from '../../src/report/drawing/render.js';
import { PAGE } from '../../src/report/drawing/theme.js';
import { answerCards } from '../../src/report/page/answer.js';
import { toText } from '../../src/report/page/html.js';
import { trialsTable } from '../../src/report/page/trial-tables.js';
import { gatherReport } from '../../src/report/view/gather.js';
import { readSweepRecords } from '../../src/report/view/read.js';
import type { DoneRecord } from '../../src/sweep/store/record.js';
import { storeSweep } from '../report/stored-sweep.js';
import { runCommand, useWorkspace } from './run.js';

const workspace = useWorkspace();
const RATES = [5e-4, 1e-3, 2e-3];
/** Of the three the best rate on validation; on test the next one looks better, which nobody may choose by. */
const best = (dim: number) => (dim >= 64 ? 5e-4 : 2e-3);

const withMetric = (record: DoneRecord, rate: number): DoneRecord => {
  const { config, result } = record;
  const scaled = (split: 'validation' | 'test', factor: number) =>
    Object.fromEntries(
      Object.entries(result[split]).map(([mode, metrics]) => [
        mode,
        Object.fromEntries(
          Object.entries(metrics as Record<string, number>).map(([name, value]) => [name, value * factor]),
        ),
      ]),
    ) as unknown as DoneRecord['result']['test'];
  const lucky = rate === best(config.model.dim);
  return {
    ...record,
    config: { ...config, training: { ...config.training, learningRate: rate } },
    result: {
      ...result,
      validation: scaled('validation', lucky ? 1 : 0.8),
      test: scaled('test', lucky ? 1 : 1.1),
    },
  };
};

/** A sweep of 3 × 4 sizes with three rates each. */
const stored = (name: string, tuned?: string[]) =>
  storeSweep(workspace.folder(), name, {
    layers: [1, 2, 4],
    dims: [16, 32, 64, 128],
    slices: [1],
    ...(tuned ? { tuned } : {}),
    change: (records) => RATES.flatMap((rate) => records.map((record) => withMetric(record, rate))),
  });

const run = {
  fit: (...words: string[]) => runCommand(fit, '$0 [runs]', [...words, '--bootstrap', '0']),
  predict: (...words: string[]) => runCommand(predict, '$0 [runs]', [...words, '--bootstrap', '0']),
  results: (...words: string[]) => runCommand(results, '$0 [runs]', words),
};
const json = async (...words: string[]) => JSON.parse((await run.fit(...words, '--json')).out);
const labels = (answer: { slices: { label: string }[] }) => answer.slices.map(({ label }) => label);
const rmse = (answer: { slices: { rmse: number }[] }) => answer.slices[0]!.rmse;

describe('a sweep that tunes', () => {
  it('has one law, of the best by validation, where a grid of rates has a law each', async () => {
    const tuned = stored('tuned', ['learningRate']);
    const grid = stored('grid');
    const answer = await json(tuned);
    expect(labels(answer)).toEqual(['all']);
    expect(answer.slices[0]).toMatchObject({ configurations: 12, runs: 12 });
    expect(answer.tuning).toMatchObject({
      settings: ['learningRate'],
      by: 'validation:ndcg@10',
      validated: true,
    });
    for (const one of answer.tuning.configurations) expect(one.best.learningRate).toBe(best(one.dim));
    // the sweep asked otherwise, and the grid asked to be tuned
    expect(labels(await json(tuned, '--setting', 'learningRate')).length).toBe(3);
    const each = await json(grid);
    expect(labels(each).length).toBe(3);
    expect(each.tuning).toBeUndefined();
    expect(each.notes.join('\n')).toMatch(/learningRate.*laws of its own; --tuned NAME takes the best/);
    const asked = await json(grid, '--tuned', 'lr');
    expect(asked.slices).toEqual(answer.slices);
    await expect(run.fit(grid, '--tuned', 'learningRat')).rejects.toThrow(/no setting of this sweep/);
    await expect(run.fit(grid, '--tuned', 'lr', '--setting', 'lr')).rejects.toThrow(/cannot be both/);
  });

  it('shows how the best setting moves, and the ends of the range', async () => {
    const { out, err } = await run.fit(stored('shown', ['learningRate']));
    expect(out).toMatch(
      /Tuned: learningRate; the best by validation:ndcg@10 stands for each configuration, read as ndcg@10/,
    );
    expect(out).toMatch(/layers +dim +best learningRate +tried/);
    expect(out).toMatch(/ 128 +0\.0005 +3 /);
    expect(out).toMatch(/the best learningRate goes as layers\^\S+ .* and dim\^-0\.\d+ \(standard error/);
    expect(err).toMatch(
      /best learningRate is the largest tried, 0\.002, in 6 of 12 configurations: try larger/,
    );
  });

  it('says in a prediction which setting to train with', async () => {
    const path = stored('predicted', ['learningRate']);
    const { out } = await run.predict(path, '--params', '1M');
    expect(out).toMatch(
      /Train it with learningRate 0\.0005: the best by validation:ndcg@10 at layers \d, dim 128|Train it with learningRate/,
    );
    const answer = JSON.parse((await run.predict(path, '--params', '1M', '--json')).out);
    expect(answer.tuned.best.learningRate).toBe(best(answer.tuned.dim));
  });

  it('has a table that says what was tuned, and is fitted alike', async () => {
    const path = stored('as-table', ['learningRate']);
    const csv = join(workspace.folder(), 'as-table.csv');
    await run.results(path, '--csv', csv);
    const [ofTable, ofSweep] = [await json(csv), await json(path)];
    expect(ofTable.slices[0].coefficients).toEqual(ofSweep.slices[0].coefficients);
    expect(ofTable.tuning.configurations.length).toBe(12);
    expect(labels(await json(csv, '--setting', 'learningRate')).length).toBe(3);
  });

  it('is shown with every setting that varies: in results, and in the report', async () => {
    const path = stored('columns', ['learningRate']);
    const { out } = await run.results(path);
    const [head, , ...rows] = out.trim().split('\n');
    expect(head).toMatch(/layers +dim +learningRate +seed/);
    expect(new Set(rows.map((row) => row.replace(/^\S+/, ''))).size).toBe(rows.length);
    const input = await gatherReport(readSweepRecords(path), { resamples: 20 });
    expect(input.groups.length).toBe(1);
    expect(input.groups[0]!.law!.points.length).toBe(12);
    const figure = reportFigures(input).find(({ id }) => id === 'tuning')!;
    if (!isDrawn(figure)) throw new Error(figure.absent);
    expect(figure.section).toBe('law');
    expect(figure.table.rows.length).toBe(12);
    expect(figure.sentence).toMatch(
      /best learningRate lies between 0\.0005 \(.*dim 64\) and 0\.002 \(.*dim 16|dim 32\).*dim to the power -0/,
    );
    for (const width of [WIDE_WIDTH, NARROW_WIDTH]) {
      const canvas = { width, theme: PAGE, titled: false };
      expect((await compileSpec(figure.spec(canvas))).warnings).toEqual([]);
      const { svg, width: drawn } = await drawFigure(figure, canvas);
      expect(drawn).toBeLessThanOrEqual(width);
      expect(svg).not.toMatch(/NaN|undefined/);
    }
    expect(answerCards(input)[1]!.words).toMatch(
      /Train it with learningRate 0\.0005, the best at \d layers?, dim (64|128)\./,
    );
    expect(toText(trialsTable(input))).toMatch(/>learningRate<.*>layers<.*>0\.0005</s);
    for (const id of ['learning-curves', 'baseline']) {
      const drawn = reportFigures(input).find((one) => one.id === id)!;
      expect(isDrawn(drawn) && drawn.table.columns).toContain('settings');
    }
  });
});

describe('a table with three rates a configuration', () => {
  const table = (name: string, header: string, rows: (string | number)[][]) => {
    const path = join(workspace.folder(), name);
    writeFileSync(path, [header, ...rows.map((row) => row.join(','))].join('\n'));
    return path;
  };
  const cells = [1, 2, 4].flatMap((layers) =>
    [16, 32, 64, 128].flatMap((dim) =>
      [1e-4, 1e-3, 1e-2].map((lr) => {
        const level = 0.1 + 0.01 * Math.log(layers) + 0.02 * Math.log(dim);
        const off = Math.log10(lr) + (dim > 32 ? 3 : 2);
        const value = level - 0.03 * off ** 2;
        return [layers, dim, lr, (value + 0.01).toFixed(5), value.toFixed(5)];
      }),
    ),
  );
  const whole = () => table('lr.csv', 'layers,dim,lr,val_ndcg@10,test_ndcg@10', cells);
  const envelope = () =>
    table(
      'best.csv',
      'layers,dim,ndcg@10',
      cells
        .filter(([, dim, lr]) => lr === (Number(dim) > 32 ? 1e-3 : 1e-2))
        .map(([layers, dim, , , test]) => [layers!, dim!, test!]),
    );

  it('is a law each where nothing is said, the envelope where it is, never the average', async () => {
    const nothing = await json(whole());
    expect(labels(nothing)).toEqual(['all lr=0.0001', 'all lr=0.001', 'all lr=0.01']);
    expect(nothing.notes.join('\n')).toMatch(/--tuned "lr" takes the best of them for each configuration/);
    const tuned = await json(whole(), '--tuned', 'lr');
    const by_hand = await json(envelope());
    expect(labels(tuned)).toEqual(['all']);
    expect(tuned.slices[0].coefficients).toEqual(by_hand.slices[0].coefficients);
    expect(tuned.tuning).toMatchObject({ by: 'validation:ndcg@10', validated: true });
    expect((await json(whole(), '--tuned', 'learning_rate')).slices).toEqual(tuned.slices);
    const averaged = await json(whole(), '--ignore', 'lr');
    expect(averaged.slices[0]).toMatchObject({ configurations: 12 });
    expect(rmse(averaged)).toBeGreaterThan(10 * rmse(tuned));
  });

  it('without a validation column is chosen by what is fitted, and that is said', async () => {
    const bare = table(
      'bare.csv',
      'layers,dim,lr,ndcg@10',
      cells.map(([layers, dim, lr, , test]) => [layers!, dim!, lr!, test!]),
    );
    const { out, err } = await run.fit(bare, '--tuned', 'lr');
    expect(err).toMatch(
      /no validation value of ndcg@10: the best settings are chosen by the very values that are fitted/,
    );
    expect(out).toMatch(/Tuned: lr; the best by ndcg@10 stands for each configuration\n/);
  });

  it('takes several at once, and other settings as laws', async () => {
    const path = table(
      'many.csv',
      'layers,dim,lr,wd,heads,ndcg@10',
      cells.flatMap(([layers, dim, lr, , test]) =>
        [0, 0.1].flatMap((wd) =>
          [1, 2].map((heads) => [
            layers!,
            dim!,
            lr!,
            wd,
            heads,
            (Number(test) - 0.01 * wd - 0.02 * heads).toFixed(5),
          ]),
        ),
      ),
    );
    const answer = await json(path, '--tuned', 'lr,wd', '--setting', 'heads');
    expect(labels(answer)).toEqual(['all heads=1', 'all heads=2']);
    expect(answer.tuning.settings).toEqual(['lr', 'wd']);
    expect(answer.tuning.configurations.every((one: { best: { wd: number } }) => one.best.wd === 0)).toBe(
      true,
    );
    expect(answer.tuning.configurations[0].tried).toBe(6);
  });

  it('takes a column as a setting that looks like none', async () => {
    // every value stands at one size alone, so that by itself it would part nothing
    const path = table(
      'named.csv',
      'layers,dim,heads,ndcg@10',
      cells
        .filter(([, , lr]) => lr === 1e-3)
        .flatMap(([layers, dim, , , test]) =>
          [
            ['a', 0],
            ['b', 0.05],
          ].map(([name, more]) => [
            layers!,
            dim!,
            `${name}${Number(dim) > 32 ? '-wide' : ''}`,
            (Number(test) + Number(more)).toFixed(5),
          ]),
        ),
    );
    expect(labels(await json(path, '--setting', 'heads')).length).toBe(4);
  });

  it.each([
    ['lrr', /there is no column "lrr"/, /Is "lr" meant/],
    ['dim', /"dim" is no setting: it is taken for dim/, /Columns that may be settings: lr/],
    ['test_ndcg@10', /is no setting: it is taken for a measurement/, /lr/],
  ])('refuses --tuned %s', async (name, message, remedy) => {
    const error = await run.fit(whole(), '--tuned', name).catch((caught) => caught);
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(remedy);
    expect(error.place).toBe('--tuned');
  });
});
