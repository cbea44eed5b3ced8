/** Every trained model beside recommending by popularity: what the models are worth at all. */
import { bestBy, isBetter } from '../../law/points/direction.js';
import type { DoneRecord } from '../../sweep/store/record.js';
import {
  type FigureOrAbsence,
  frame,
  isNarrow,
  type Part,
  panels,
  thin,
  thinned,
} from '../drawing/figure.js';
import { configurationLabel, settingsLabel } from '../view/label.js';
import { metricLabel, type ReportInput } from '../view/view.js';
import { count, difference, digits, shape, share, sliceWords } from '../words/words.js';

/** The report's metric first, then its siblings at the same cut-off. */
function shownMetrics(input: ReportInput): string[] {
  const { name } = input.metric;
  const [, cutoff] = (name === 'loss' ? (input.done[0]?.config.evaluation.select ?? '') : name).split('@');
  return [...new Set([input.metric.name, `hr@${cutoff}`, `ndcg@${cutoff}`, `mrr@${cutoff}`])]
    .filter((name) => input.done.some((record) => record.result.test.masked[name] !== undefined))
    .slice(0, 3);
}

export function baselineFigure(input: ReportInput, id = 'baseline'): FigureOrAbsence {
  const { history, direction } = input.metric;
  const title = `Test metrics beside the popularity baseline (history ${history})`;
  const metrics = shownMetrics(input);
  const settingsOf = settingsLabel(input.done);
  const rows = input.done.flatMap((record) =>
    metrics.map((metric) => row(record, metric, history, settingsOf?.(record) ?? '')),
  );
  const drawn = rows.filter((r) => Number.isFinite(r.model) && Number.isFinite(r.popularity));
  if (drawn.length === 0) return { id, title, absent: 'No trial has finished with these metrics.' };
  const order = input.slices.map((slice) => slice.label);
  const main = drawn.filter((r) => r.metric === metrics[0]);
  const ahead = main.filter((r) => isBetter(direction, r.model, r.popularity)).length;
  const best = bestBy(direction, main, (r) => r.model);
  const worst = bestBy(direction, main, (r) => r.popularity - r.model);
  const ratio =
    best.popularity > 0
      ? `, ${digits(best.model / best.popularity, 2)} times the baseline's ${share(best.popularity)}`
      : '';
  const sentence =
    `${ahead === main.length ? `${main.length === 1 ? 'The one run beats' : main.length === 2 ? 'Both runs beat' : `All ${main.length} runs beat`}` : `${ahead} of ${count(main.length, 'run')} beat`} the popularity baseline on test ${metricLabel(metrics[0]!)}. ` +
    `The best run has ${share(best.model)} (${shape(best)}, ${sliceWords(best.slice)})${ratio}. ` +
    (ahead === main.length
      ? `The narrowest lead is ${difference(Math.abs(worst.model - worst.popularity))}, at ${shape(worst)} on ${sliceWords(worst.slice)}.`
      : `The furthest behind is ${shape(worst)} on ${sliceWords(worst.slice)}, by ${difference(Math.abs(worst.popularity - worst.model))}.`) +
    thinned(thin(main).length, main.length, 'runs');
  return {
    id,
    title,
    sentence,
    table: {
      columns: [
        'slice',
        'configuration',
        ...(settingsOf ? ['settings'] : []),
        'seed',
        'metric',
        'model',
        'popularity',
      ],
      rows: drawn.map((r) => [
        r.slice,
        r.configuration,
        ...(settingsOf ? [r.settings] : []),
        r.seed,
        metricLabel(r.metric),
        share(r.model),
        share(r.popularity),
      ]),
    },
    spec: (canvas) => {
      const narrow = isNarrow(canvas);
      const labelRoom = Math.min(narrow ? 96 : 150, 16 + 7 * Math.max(...order.map((label) => label.length)));
      const { columns, width } = panels(
        canvas,
        metrics.length,
        3,
        narrow ? labelRoom : Math.ceil(labelRoom / metrics.length) + 8,
      );
      const kinds = {
        domain: ['a trained model', 'popularity'],
        range: [canvas.theme.categories[0], canvas.theme.accent],
      };
      const top = metrics.map(
        (metric) =>
          1.06 * Math.max(...drawn.flatMap((r) => (r.metric === metric ? [r.model, r.popularity] : []))),
      );
      const concat = metrics.map((metric, m): Part => {
        const all = drawn.filter((r) => r.metric === metric);
        const data = thin(all);
        const y = {
          field: 'slice',
          type: 'nominal',
          sort: order,
          scale: { domain: order },
          title: null,
          axis:
            m === 0 || narrow
              ? { labelLimit: narrow ? 96 : 150, grid: true, ticks: false, domain: false }
              : { labels: false, ticks: false, grid: true, domain: false },
        };
        const x = (field: string) => ({
          field,
          type: 'quantitative',
          title: `test ${metricLabel(metric)}`,
          scale: { domain: [0, top[m]], nice: false },
          axis: { tickCount: 4, format: '.2~f', grid: false },
        });
        const color = (kind: string) => ({
          datum: kind,
          type: 'nominal',
          scale: kinds,
          legend: { title: null, orient: 'bottom' },
        });
        const once = [...new Map(all.map((r) => [`${r.slice}/${r.popularity}`, r])).values()];
        return {
          width,
          height: { step: narrow ? 30 : 36 },
          layer: [
            {
              name: `models_${m}`,
              data: { values: data },
              mark: { type: 'point', filled: true, size: 55, opacity: 0.6 },
              encoding: {
                y,
                x: x('model'),
                color: color('a trained model'),
                tooltip: [
                  { field: 'slice', type: 'nominal' },
                  { field: 'configuration', type: 'nominal', title: 'layers × dim' },
                  ...(settingsOf ? [{ field: 'settings', type: 'nominal' }] : []),
                  { field: 'seed', type: 'nominal' },
                  { field: 'model', type: 'quantitative', title: metricLabel(metric), format: '.4f' },
                  { field: 'popularity', type: 'quantitative', format: '.4f' },
                ],
              },
            },
            {
              name: `popularity_${m}`,
              data: { values: once },
              mark: { type: 'tick', thickness: 3, size: narrow ? 20 : 24, opacity: 1 },
              encoding: { y, x: x('popularity'), color: color('popularity') },
            },
          ],
        };
      });
      return frame({ title }, canvas, { columns, concat });
    },
  };
}

function row(record: DoneRecord, metric: string, history: 'masked' | 'unmasked', settings: string) {
  return {
    slice: record.slice.label,
    configuration: configurationLabel(record),
    settings,
    layers: record.config.model.layers,
    dim: record.config.model.dim,
    seed: record.config.seed,
    metric,
    model: record.result.test[history][metric]!,
    popularity: record.popularity.test[history][metric]!,
  };
}
