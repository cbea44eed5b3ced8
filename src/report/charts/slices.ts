/** What the slices hold (tokens, entropies), and how the law's data term follows it. */

import { formatCount } from '../../util/format.js';
import {
  type Canvas,
  type Figure,
  type FigureOrAbsence,
  frame,
  isNarrow,
  type Part,
  padded,
  panels,
} from '../figure.js';
import type { ReportInput, TrialGroup } from '../model.js';
import { orderedColours } from '../theme.js';
import { count, digits, percent } from '../words.js';

/** Measures drawn as entropies where a slice has them, with the words for the axis. */
const ENTROPIES: [key: string, label: string][] = [
  ['apenPooled', 'ApEn, pooled'],
  ['apenPerUser', 'ApEn, mean of users'],
  ['shannon', 'Shannon'],
  ['lempelZiv', 'Lempel-Ziv'],
];

export function slicesFigure(input: ReportInput, id = 'slices'): FigureOrAbsence {
  const title = 'The training data: tokens and entropy by slice';
  const slices = input.slices;
  if (slices.length === 0) return { id, title, absent: 'No finished trial has measured its slice.' };
  const measures = ENTROPIES.filter(([key]) => slices.every((slice) => Number.isFinite(slice[key])));
  const data = slices.flatMap((slice) =>
    measures.map(([key, label]) => ({ slice: slice.label, measure: label, value: Number(slice[key]) })),
  );
  const order = slices.map((slice) => slice.label);
  const extra = [...new Set(slices.flatMap((slice) => Object.keys(slice)))].filter(
    (key) => !['label', 'users', 'tokens'].includes(key),
  );
  return {
    id,
    title,
    sentence: describe(input),
    table: {
      columns: ['slice', 'users', 'tokens', ...extra],
      rows: slices.map((slice) => [
        slice.label,
        slice.users,
        slice.tokens,
        ...extra.map((key) => (typeof slice[key] === 'number' ? digits(slice[key], 5) : (slice[key] ?? ''))),
      ]),
    },
    spec: (canvas) => {
      const narrow = isNarrow(canvas);
      const labelRoom = Math.min(narrow ? 96 : 150, 16 + 7 * Math.max(...order.map((label) => label.length)));
      const { columns, width } = panels(canvas, 2, 2, Math.ceil(labelRoom / (narrow ? 1 : 2)) + 10);
      const height = { step: narrow ? 26 : 30 };
      const y = (shown: boolean) => ({
        field: 'slice',
        type: 'nominal',
        sort: order,
        title: null,
        axis: shown
          ? { labelLimit: narrow ? 96 : 150, grid: true, ticks: false, domain: false }
          : { labels: false, ticks: false, grid: true, domain: false },
      });
      const counts: Part = {
        width,
        height,
        data: {
          values: slices.map((slice) => ({ slice: slice.label, tokens: slice.tokens, users: slice.users })),
        },
        layer: [
          {
            name: 'tokens',
            mark: {
              type: 'bar',
              height: { band: 0.55 },
              color: canvas.theme.categories[0],
              cornerRadiusEnd: 2,
            },
            encoding: {
              y: y(true),
              x: {
                field: 'tokens',
                type: 'quantitative',
                title: 'training tokens',
                axis: {
                  labelExpr: "datum.value === 0 ? '0' : format(datum.value, '~s')",
                  tickCount: 5,
                  grid: false,
                },
                scale: { domainMin: 0 },
              },
              tooltip: [
                { field: 'slice', type: 'nominal' },
                { field: 'users', type: 'quantitative', format: ',' },
                { field: 'tokens', type: 'quantitative', format: ',' },
              ],
            },
          },
        ],
      };
      const entropies: Part = {
        name: 'entropies',
        width,
        height,
        data: { values: data },
        mark: { type: 'point', filled: true, size: 80, opacity: 1 },
        encoding: {
          y: y(narrow),
          x: {
            field: 'value',
            type: 'quantitative',
            title: 'entropy (nats)',
            scale: {
              zero: false,
              domain: padded(
                data.map((d) => d.value),
                0.08,
              ),
              nice: false,
            },
            axis: { tickCount: 5, grid: false, format: '.3~g' },
          },
          color: {
            field: 'measure',
            type: 'nominal',
            title: null,
            scale: { domain: measures.map(([, label]) => label), range: canvas.theme.categories },
            legend: { orient: 'bottom', columns: narrow ? (labelRoom > 60 ? 1 : 2) : 4 },
          },
          shape: {
            field: 'measure',
            type: 'nominal',
            title: null,
            scale: { domain: measures.map(([, label]) => label) },
          },
          tooltip: [
            { field: 'slice', type: 'nominal' },
            { field: 'measure', type: 'nominal' },
            { field: 'value', type: 'quantitative', title: 'nats', format: '.4f' },
          ],
        },
      };
      return frame(
        { title },
        canvas,
        measures.length
          ? { columns, concat: [counts, entropies], resolve: { scale: { y: 'independent' } } }
          : counts,
      );
    },
  };
}

function describe(input: ReportInput): string {
  const slices = input.slices;
  const small = slices[0]!;
  const large = slices[slices.length - 1]!;
  if (slices.length === 1)
    return `One slice, ${small.label}: ${formatCount(small.tokens)} tokens of ${formatCount(small.users)} users, ApEn ${digits(small.apenPooled, 3)} nats pooled over all histories and ${digits(small.apenPerUser, 3)} averaged over users.`;
  const change = large.apenPooled - small.apenPooled;
  return (
    `${count(slices.length, 'slice')} from ${formatCount(small.tokens)} (${small.label}) to ${formatCount(large.tokens)} tokens (${large.label}), a factor of ${digits(large.tokens / small.tokens, 2)}. ` +
    `Pooled ApEn ${Math.abs(change) < 0.005 * Math.abs(small.apenPooled) ? `stays at ${digits(large.apenPooled, 3)} nats` : `${change > 0 ? 'rises' : 'falls'} from ${digits(small.apenPooled, 3)} to ${digits(large.apenPooled, 3)} nats`} from the smallest slice to the largest.`
  );
}

export function dataTermFigure(group: TrialGroup, id = 'data-term'): FigureOrAbsence {
  const title = `The law's data term against tokens and tokens / ApEn${group.label ? `, ${group.label}` : ''}`;
  const term = group.law?.dataTerm;
  if (!term || term.points.length < 2)
    return {
      id,
      title,
      absent: group.law
        ? 'The law was fitted on one slice: how its data term follows the amount of data needs at least two.'
        : (group.lawMissing ?? 'No law was fitted.'),
    };
  const data = term.points.map((point) => ({
    ...point,
    quality: point.tokens / point.apen,
    low: point.low ?? point.term,
    high: point.high ?? point.term,
  }));
  const byTokens = correlation(
    data.map((p) => Math.log(p.tokens)),
    data.map((p) => p.term),
  );
  const byQuality = correlation(
    data.map((p) => Math.log(p.quality)),
    data.map((p) => p.term),
  );
  const hasApen = data.every((p) => p.apen > 0 && Number.isFinite(p.quality));
  const name = term.name === 'D' ? 'effective data D' : 'constant c of the slice';
  const verdict =
    data.length < 3
      ? 'Two slices are too few to tell which of the two explains it.'
      : !hasApen
        ? ''
        : Math.abs(byTokens ** 2 - byQuality ** 2) < 0.02
          ? `A straight line in the logarithm explains ${percent(byTokens ** 2)} of it by tokens and ${percent(byQuality ** 2)} by tokens / ApEn: quality adds nothing that quantity does not say.`
          : `A straight line in the logarithm explains ${percent(byTokens ** 2)} of it by tokens and ${percent(byQuality ** 2)} by tokens / ApEn.`;
  const first = data[0]!;
  const last = data[data.length - 1]!;
  const figure: Figure = {
    id,
    title,
    sentence:
      `From ${formatCount(first.tokens)} to ${formatCount(last.tokens)} tokens the ${name} goes from ${digits(first.term)} to ${digits(last.term)}. ${verdict}`.trim(),
    table: {
      columns: ['slice', 'tokens', 'ApEn (pooled, nats)', 'tokens / ApEn', name, 'from', 'to'],
      rows: data.map((p) => [
        p.slice,
        p.tokens,
        digits(p.apen),
        digits(p.quality),
        digits(p.term, 5),
        digits(p.low, 5),
        digits(p.high, 5),
      ]),
    },
    spec: (canvas) => {
      const fields = hasApen ? ['tokens', 'quality'] : ['tokens'];
      const { columns, width } = panels(canvas, fields.length, 2, 64);
      return frame({ title }, canvas, {
        columns,
        concat: fields.map((field, i) =>
          termPanel(canvas, data, field as 'tokens' | 'quality', width, i === 0 ? name : null, name),
        ),
      });
    },
  };
  return figure;
}

function termPanel(
  canvas: Canvas,
  data: { slice: string; tokens: number; quality: number; term: number; low: number; high: number }[],
  field: 'tokens' | 'quality',
  width: number,
  yTitle: string | null,
  name: string,
): Part {
  const x = {
    field,
    type: 'quantitative',
    title: field === 'tokens' ? 'tokens (log scale)' : 'tokens / ApEn (log scale)',
    scale: {
      type: 'log',
      domain: padded(
        data.map((p) => p[field]),
        0.12,
        true,
      ),
      nice: false,
    },
    axis: { format: '~s', tickCount: 4, grid: false },
  };
  const scale = {
    domain: padded(
      data.flatMap((p) => [p.low, p.high]),
      0.1,
    ),
    nice: false,
  };
  const color = {
    field: 'slice',
    type: 'nominal',
    scale: { domain: data.map((p) => p.slice), range: orderedColours(canvas.theme, data.length) },
    legend: { orient: 'bottom', title: 'slice', columns: isNarrow(canvas) ? 2 : 4 },
  };
  return {
    width,
    height: isNarrow(canvas) ? 180 : 240,
    data: { values: data },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.6 },
        encoding: {
          x,
          y: {
            field: 'low',
            type: 'quantitative',
            scale,
            title: isNarrow(canvas) ? name : yTitle,
            axis: { format: '.4~g', tickCount: 5 },
          },
          y2: { field: 'high' },
          color,
        },
      },
      {
        name: `points_${field}`,
        mark: { type: 'point', filled: true, size: 90, opacity: 1 },
        encoding: {
          x,
          y: { field: 'term', type: 'quantitative', scale },
          color,
          tooltip: [
            { field: 'slice', type: 'nominal' },
            { field: 'tokens', type: 'quantitative', format: ',' },
            { field: 'quality', type: 'quantitative', title: 'tokens / ApEn', format: ',.0f' },
            { field: 'term', type: 'quantitative', title: name, format: '.5~g' },
          ],
        },
      },
    ],
  };
}

/** Pearson's coefficient; 0 where one side does not vary. */
export function correlation(x: number[], y: number[]): number {
  const mean = (v: number[]) => v.reduce((a, b) => a + b, 0) / v.length;
  const [mx, my] = [mean(x), mean(y)];
  const sum = (f: (i: number) => number) => x.reduce((total, _, i) => total + f(i), 0);
  const sxx = sum((i) => (x[i]! - mx) ** 2);
  const syy = sum((i) => (y[i]! - my) ** 2);
  return sxx > 0 && syy > 0 ? sum((i) => (x[i]! - mx) * (y[i]! - my)) / Math.sqrt(sxx * syy) : 0;
}
