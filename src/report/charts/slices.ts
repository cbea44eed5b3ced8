/** What the slices hold: tokens and entropies. */

import { formatCount } from '../../util/format.js';
import { type FigureOrAbsence, frame, isNarrow, type Part, padded, panels } from '../drawing/figure.js';
import type { ReportInput } from '../view/view.js';
import { count, digits } from '../words/words.js';

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
