/** How the best of the tuned settings moves with the size: a line for every number of layers, over dim. */
import type { TunedConfiguration, Tuning } from '../../law/points/tuned.js';
import {
  type Canvas,
  distinct,
  type FigureOrAbsence,
  frame,
  isNarrow,
  type Part,
  padded,
  panels,
} from '../drawing/figure.js';
import { orderedColours } from '../drawing/theme.js';
import { type MetricChoice, metricLabel, type TrialGroup } from '../view/view.js';
import { count, difference, digits, list, shape, share, sliceWords } from '../words/words.js';

/** Settings that have panels; all are in the table. */
const MOST_PANELS = 3;
/** Points of several lines at one size stand so many times aside of one another. */
const ASIDE = 1.03;
/** A move is called one where its power is so many standard errors from 0. */
const CLEAR = 2;

/** The slice with the most configurations, of equals the last. */
function mainSlice({ configurations }: Tuning): string {
  const slices = [...new Set(configurations.map(({ slice }) => slice))];
  const size = (slice: string) => configurations.filter((one) => one.slice === slice).length;
  return slices.reduce((a, b) => (size(b) >= size(a) ? b : a));
}

/** Undefined where nothing was tuned. */
export function tuningFigure(
  group: TrialGroup,
  choice: MetricChoice,
  id = 'tuning',
): FigureOrAbsence | undefined {
  const { tuning, label } = group;
  if (!tuning || tuning.settings.length === 0) return undefined;
  const title = `Best settings by size${label ? `, ${label}` : ''}`;
  const slice = mainSlice(tuning);
  const shown = tuning.configurations.filter((one) => one.slice === slice);
  const numeric = tuning.settings.filter((name) => shown.every(({ best }) => typeof best[name] === 'number'));
  if (numeric.length === 0)
    return {
      id,
      title,
      absent: `${list(tuning.settings)} ${tuning.settings.length === 1 ? 'has' : 'have'} no numeric values to draw.`,
    };
  const drawn = numeric.slice(0, MOST_PANELS);
  return {
    id,
    title,
    sentence: describe(tuning, drawn, shown, slice),
    table: {
      columns: [
        'slice',
        'layers',
        'dim',
        ...tuning.settings.map((name) => `best ${name}`),
        'tried',
        'validation',
        'lead',
        metricLabel(choice.name),
        'flattered by',
      ],
      rows: tuning.configurations.map((one) => [
        one.slice,
        one.layers,
        one.dim,
        ...tuning.settings.map((name) => one.best[name]!),
        one.tried,
        share(one.chosenBy),
        one.lead === null ? '' : difference(one.lead),
        share(one.read),
        one.optimism === null ? '' : difference(Math.abs(one.optimism)),
      ]),
    },
    spec: (canvas) => {
      const { columns, width } = panels(canvas, drawn.length, MOST_PANELS, 60);
      const views = drawn.map((name) => panel(canvas, shown, name, width));
      return frame({ title }, canvas, views.length === 1 ? views[0]! : { columns, concat: views });
    },
  };
}

function panel(canvas: Canvas, shown: readonly TunedConfiguration[], name: string, width: number): Part {
  const alongDim = distinct(shown.map(({ dim }) => dim)).length > 1;
  const axis = alongDim ? 'dim' : 'layers';
  const line = alongDim ? 'layers' : 'dim';
  const lines = distinct(shown.map((one) => one[line]));
  const at = distinct(shown.map((one) => one[axis]));
  const data = shown.map((one) => {
    const { layers, dim, tried, chosenBy, best, asGood } = one;
    const value = best[name] as number;
    const [least, most] = asGood[name] ?? [value, value];
    // side by side where several lines have a point
    const place = one[axis] * ASIDE ** (lines.indexOf(one[line]) - (lines.length - 1) / 2);
    return { layers, dim, tried, chosenBy, value, least, most, place };
  });
  const values = distinct(data.flatMap(({ value, least, most }) => [value, least, most]));
  const log = values.every((value) => value > 0);
  const colour = {
    field: line,
    type: 'ordinal',
    title: line,
    scale: { domain: lines, range: orderedColours(canvas.theme, lines.length) },
    legend: { orient: 'bottom', direction: 'horizontal', columns: isNarrow(canvas) ? 4 : 8 },
  };
  const encoding = {
    x: {
      field: 'place',
      type: 'quantitative',
      title: axis === 'dim' ? 'dim, embedding size (log scale)' : 'layers (log scale)',
      scale: { type: 'log', domain: padded(at, 0.06, true), nice: false },
      axis: { values: at, format: '~r', grid: false },
    },
    y: {
      field: 'value',
      type: 'quantitative',
      title: `best ${name}${log ? ' (log scale)' : ''}`,
      scale: { type: log ? 'log' : 'linear', domain: padded(values, 0.12, log), nice: false },
      axis: { values, format: '~g' },
    },
    color: colour,
  };
  return {
    width,
    height: isNarrow(canvas) ? 190 : 260,
    data: { values: data },
    layer: [
      { mark: { type: 'line', strokeWidth: 1.7, opacity: 0.8 }, encoding },
      {
        mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.6 },
        encoding: { ...encoding, y: { ...encoding.y, field: 'least' }, y2: { field: 'most' } },
      },
      {
        name: `best_${name}`,
        mark: { type: 'point', filled: true, size: 80, opacity: 1 },
        encoding: {
          ...encoding,
          tooltip: [
            { field: 'layers', type: 'quantitative' },
            { field: 'dim', type: 'quantitative' },
            { field: 'value', type: 'quantitative', title: `best ${name}` },
            { field: 'least', type: 'quantitative', title: 'as good from' },
            { field: 'most', type: 'quantitative', title: 'to' },
            { field: 'tried', type: 'quantitative', title: 'settings tried' },
            { field: 'chosenBy', type: 'quantitative', title: 'validation', format: '.4f' },
          ],
        },
      },
    ],
  };
}

function describe(
  tuning: Tuning,
  drawn: readonly string[],
  shown: readonly TunedConfiguration[],
  slice: string,
): string {
  const tried = Math.max(...tuning.configurations.map((one) => one.tried));
  const sentences = [
    `Up to ${count(tried, 'setting')} were tried for each of ${count(tuning.configurations.length, 'configuration')}; the best by ${tuning.by} stands for it in the law. Drawn is ${sliceWords(slice)}${shown.some(({ asGood }) => Object.values(asGood).some(([least, most]) => least < most)) ? '; upright lines reach as far as values are within two standard errors of the best' : ''}.`,
  ];
  for (const name of drawn) {
    const order = [...shown].sort((a, b) => Number(a.best[name]) - Number(b.best[name]));
    const [least, most] = [order[0]!, order.at(-1)!];
    if (least.best[name] === most.best[name]) {
      sentences.push(`The best ${name} is ${least.best[name]} everywhere.`);
      continue;
    }
    const move = tuning.moves.find(({ setting }) => setting === name);
    const powers = Object.entries(move?.powers ?? {}).map(
      ([axis, { power, standardError }]) =>
        `${axis} to the power ${digits(power, 2)} (standard error ${digits(standardError, 1)}${Math.abs(power) > CLEAR * standardError ? '' : ', not clear of 0'})`,
    );
    sentences.push(
      `The best ${name} lies between ${least.best[name]} (${shape(least)}) and ${most.best[name]} (${shape(most)})${powers.length > 0 ? ` and goes as ${list(powers)}` : ''}.`,
    );
  }
  for (const { setting, end, value, won, of } of tuning.edges)
    sentences.push(`In ${won} of ${count(of, 'configuration')} it is the ${end} ${setting} tried, ${value}.`);
  return sentences.join(' ');
}
