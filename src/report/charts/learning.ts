/** Learning curves: the selection metric on the validation items, epoch by epoch, a panel a slice. */

import { bestBy, GOOD } from '../../law/points/direction.js';
import type { DoneRecord } from '../../sweep/store/record.js';
import { formatCount } from '../../util/format.js';
import {
  distinct,
  type FigureOrAbsence,
  frame,
  isNarrow,
  type Part,
  padded,
  panelColumns,
  panels,
  panelTitle,
  thin,
  thinned,
  tickFormat,
} from '../drawing/figure.js';
import { orderedColours } from '../drawing/theme.js';
import { configurationLabel, settingsLabel } from '../view/label.js';
import { type MetricChoice, metricLabel, type ReportInput } from '../view/view.js';
import { count, shape, share, sliceWords } from '../words/words.js';

/** Curves and points beyond which lines hide one another and the page grows heavy. */
const MAX_CURVES = 120;
const MAX_POINTS = 1200;

interface Step {
  slice: string;
  run: string;
  configuration: string;
  /** What else tells the run from others; empty where nothing does. */
  settings: string;
  layers: number;
  dim: number;
  seed: number;
  epoch: number;
  tokens: number;
  value: number;
  loss: number;
}

function steps(record: DoneRecord, choice: MetricChoice, settings: string): Step[] {
  const { model, seed } = record.config;
  const { curve } = record.result;
  // An evaluation within an epoch lies as far into it as its steps.
  const all = curve.flatMap((epoch, i) => {
    const before = curve[i - 1]?.step ?? 0;
    const share = (step: number) => epoch.epoch - 1 + (step - before) / (epoch.step - before);
    const within = (epoch.within ?? []).filter(({ step }) => step < epoch.step);
    return [...within.map((one) => ({ ...one, epoch: share(one.step) })), epoch];
  });
  return all.flatMap((epoch) => {
    const value = epoch.validation?.[choice.history][choice.name];
    if (value === undefined) return [];
    return [
      {
        slice: record.slice.label,
        run: record.id,
        configuration: configurationLabel(record),
        settings,
        layers: model.layers,
        dim: model.dim,
        seed,
        epoch: epoch.epoch,
        tokens: epoch.epoch * record.result.tokens.perEpoch,
        value,
        loss: epoch.loss,
      },
    ];
  });
}

export function learningFigure(input: ReportInput, id = 'learning-curves'): FigureOrAbsence {
  const label = `validation ${metricLabel(input.metric.name)}`;
  const title = `Learning curves: ${label} by epoch`;
  const settingsOf = settingsLabel(input.done);
  const all = input.done
    .map((record) => steps(record, input.metric, settingsOf?.(record) ?? ''))
    .filter((curve) => curve.length > 0);
  const curves = thin(all, MAX_CURVES);
  const data = curves.flatMap((curve) => thin(curve, Math.max(8, Math.floor(MAX_POINTS / curves.length))));
  if (data.length === 0) return { id, title, absent: `No run recorded ${label} while it trained.` };
  const lengths = input.done.map((record) => record.result.epochsRun);
  const atLimit = input.done.filter((record) => record.result.bestEpoch === record.result.epochsRun).length;
  const { direction } = input.metric;
  const best = bestBy(direction, all.flat(), (step) => step.value);
  const [short, long] = [Math.min(...lengths), Math.max(...lengths)];
  const early = input.done.filter((record) => record.result.stopped === 'patience').length;
  const sentence =
    `${count(input.done.length, 'run')} of ${short === long ? count(short, 'epoch') : `${short} to ${long} epochs`}; ` +
    `the ${GOOD[direction].highest} point is ${share(best.value)} in epoch ${best.epoch} (${shape(best)}, ${sliceWords(best.slice)}). ` +
    (early > 0 ? `${count(early, 'run')} stopped early because nothing improved. ` : '') +
    (atLimit === 0
      ? 'Every run had passed its best epoch when it ended.'
      : `${atLimit === input.done.length ? 'All runs were' : `${count(atLimit, 'run')} ${atLimit === 1 ? 'was' : 'were'}`} still at their best in the last epoch: more epochs may ${direction === 'minimize' ? 'lower' : 'lift'} ${atLimit === 1 ? 'it' : 'them'}.`) +
    thinned(curves.length, all.length, 'curves');
  const dims = distinct(data.map((step) => step.dim));
  const layers = distinct(data.map((step) => step.layers));
  const slices = input.slices
    .map((slice) => slice.label)
    .filter((slice) => data.some((s) => s.slice === slice));
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
        'epoch',
        'tokens seen',
        label,
        'training loss',
      ],
      rows: data.map((step) => [
        step.slice,
        step.configuration,
        ...(settingsOf ? [step.settings] : []),
        step.seed,
        step.epoch,
        formatCount(step.tokens),
        share(step.value),
        step.loss.toFixed(4),
      ]),
    },
    spec: (canvas) => {
      const single = long === 1;
      const epochs = single ? [0.5, 1.5] : [Math.min(1, ...data.map((d) => d.epoch)), Math.max(2, long)];
      const narrow = isNarrow(canvas);
      const { columns, width } = panels(canvas, slices.length, panelColumns(slices.length), 52);
      const domain = padded(
        data.map((step) => step.value),
        0.05,
      );
      const views = slices.map(
        (slice, s): Part => ({
          ...(slices.length > 1 ? { title: panelTitle(slice, width) } : {}),
          name: `curves_${s}`,
          width,
          height: narrow ? 190 : slices.length > 1 ? 220 : 300,
          data: { values: data.filter((step) => step.slice === slice) },
          mark: single
            ? { type: 'point', filled: true, size: 50 }
            : {
                type: 'line',
                strokeWidth: 1.7,
                opacity: 0.9,
                // with dashes, the points' legend would hide that of the lines
                point: data.length <= 150 && layers.length === 1 ? { size: 14, filled: true } : false,
              },
          encoding: {
            x: {
              field: 'epoch',
              type: 'quantitative',
              title: 'epoch',
              scale: { domain: epochs, nice: false },
              axis: { tickMinStep: 1, tickCount: narrow || columns > 1 ? 6 : 10, format: 'd', grid: false },
            },
            y: {
              field: 'value',
              type: 'quantitative',
              title: narrow || s % columns === 0 ? label : null,
              scale: { domain, nice: false },
              axis: { format: tickFormat(domain), tickCount: 6 },
            },
            detail: { field: 'run', type: 'nominal' },
            color: {
              field: 'dim',
              type: 'ordinal',
              title: 'dim',
              scale: { domain: dims, range: orderedColours(canvas.theme, dims.length) },
              legend: {
                orient: 'bottom',
                direction: 'horizontal',
                columns: narrow ? 4 : 8,
                symbolType: single ? 'circle' : 'stroke',
                symbolSize: single ? 50 : 200,
              },
            },
            ...(layers.length > 1 && !single
              ? {
                  strokeDash: {
                    field: 'layers',
                    type: 'ordinal',
                    title: 'layers',
                    scale: { domain: layers, range: dashes(layers.length) },
                    legend: {
                      orient: 'bottom',
                      direction: 'horizontal',
                      columns: narrow ? 4 : 8,
                      symbolType: 'stroke',
                      symbolSize: 300,
                      symbolStrokeColor: canvas.theme.muted,
                    },
                  },
                }
              : {}),
            tooltip: [
              { field: 'configuration', type: 'nominal' },
              ...(settingsOf ? [{ field: 'settings', type: 'nominal' }] : []),
              { field: 'seed', type: 'nominal' },
              { field: 'epoch', type: 'quantitative' },
              { field: 'tokens', type: 'quantitative', title: 'tokens seen', format: '.3s' },
              { field: 'value', type: 'quantitative', title: label, format: '.4f' },
              { field: 'loss', type: 'quantitative', title: 'training loss', format: '.4f' },
            ],
          },
        }),
      );
      return frame({ title }, canvas, views.length === 1 ? views[0]! : { columns, concat: views });
    },
  };
}

/** From dotted to solid: more layers, more ink. */
function dashes(count: number): number[][] {
  const patterns = [
    [1, 3],
    [4, 3],
    [7, 3],
    [10, 3, 2, 3],
    [14, 3],
  ];
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? [1, 0] : patterns[i % patterns.length]!));
}
