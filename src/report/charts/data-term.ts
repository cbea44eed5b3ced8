/** How the data term of a law follows the amount and the quality of the data, slice by slice. */
import type { QualityTest } from '../../law/quality-test.js';
import { formatCount } from '../../util/format.js';
import {
  type Canvas,
  type FigureOrAbsence,
  frame,
  isNarrow,
  type Part,
  padded,
  panels,
} from '../drawing/figure.js';
import { orderedColours } from '../drawing/theme.js';
import type { LawView, TrialGroup } from '../view/view.js';
import { digits, list, percent } from '../words/words.js';
import { lawFigure } from './parts/law-figure.js';
import { tokenAxis } from './parts/token-axis.js';

export function dataTermFigure(group: TrialGroup, id = 'data-term'): FigureOrAbsence {
  return lawFigure(group, id, "The law's data term against tokens and tokens / ApEn", (law, title) => {
    const term = law.dataTerm;
    if (!term || term.points.length < 2)
      return {
        absent:
          'The law was fitted on one slice: how its data term follows the amount of data needs at least two.',
      };
    const data = term.points.map((point) => ({
      ...point,
      quality: point.tokens / point.apen,
      low: point.low ?? point.term,
      high: point.high ?? point.term,
    }));
    const hasApen = data.every((p) => p.apen > 0 && Number.isFinite(p.quality));
    const name = term.name === 'D' ? 'effective data D' : 'constant c of the slice';
    const verdict = qualityVerdict(term);
    const first = data[0]!;
    const last = data[data.length - 1]!;
    return {
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
  });
}

function termPanel(
  canvas: Canvas,
  data: { slice: string; tokens: number; quality: number; term: number; low: number; high: number }[],
  field: 'tokens' | 'quality',
  width: number,
  yTitle: string | null,
  name: string,
): Part {
  const x = tokenAxis(
    field,
    data.map((p) => p[field]),
    0.12,
  );
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

/** What straight lines explain of the levels in both axes, and one verdict on whether quality adds to quantity. */
export function qualityVerdict({
  measures,
  quality,
}: Pick<NonNullable<LawView['dataTerm']>, 'measures' | 'quality'>): string {
  if (measures.length === 0) return 'Two slices are too few to tell what explains it.';
  const parts = (['reciprocal', 'log'] as const).flatMap((axes) => {
    const own = measures.filter((line) => line.axes === axes);
    const tokens = own.find(({ measure }) => measure === 'tokens');
    const apen = own.find(({ measure }) => measure === 'apen');
    if (!tokens) return [];
    const alone = `in ${axes === 'log' ? 'logarithmic' : 'reciprocal'} axes a straight line explains ${percent(tokens.r2)} of it by tokens`;
    return [apen ? `${alone} and ${percent(apen.r2)} by tokens / ApEn` : alone];
  });
  if (parts.length === 0) return '';
  return `${parts.join('; ').replace(/^in/, 'In')}.${beside(quality)}`;
}

/** What ApEn, and the other measures, say beside the best curve of tokens alone. */
function beside(quality: QualityTest | null): string {
  if (!quality) return ' Whether quality adds to quantity takes five slices to test.';
  const apen = quality.measures.find(({ measure }) => measure === 'apen');
  const others = quality.measures.filter((one) => one !== apen && one.adds).map(({ measure }) => measure);
  const words = apen
    ? ` Beside the best curve of tokens alone ApEn ${apen.adds ? 'adds to' : 'shows nothing more than'} quantity (p = ${digits(apen.adjusted, 2)})${apen.adds && apen.level === 'rises' ? ', though the level rises with it, where tokens / ApEn expects it to fall' : ''}.`
    : '';
  return others.length > 0
    ? `${words} Of the other measures ${list(others)} ${others.length > 1 ? 'add' : 'adds'}.`
    : words;
}
