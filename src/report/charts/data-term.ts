/** How the data term of a law follows the amount and the quality of the data, slice by slice. */
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
import type { TrialGroup } from '../model.js';
import { orderedColours } from '../theme.js';
import { digits, percent } from '../words.js';

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
