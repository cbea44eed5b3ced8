/** Slices of one size of model side by side: their metric against tokens, and against tokens over ApEn, by what was done to them. */
import type { SliceMeans } from '../../law/slice-levels.js';
import { formatCount } from '../../util/format.js';
import { type Canvas, type Figure, frame, isNarrow, type Part, padded, panels } from '../drawing/figure.js';
import { type MetricChoice, metricTitle, type TrialGroup } from '../view/view.js';
import { count, digits, shape } from '../words/words.js';
import { qualityVerdict } from './data-term.js';
import { tokenAxis } from './parts/token-axis.js';

/** What a slice's label says was done, the first that fits; the plain ones have a line. */
const KINDS: [name: string, label: RegExp][] = [
  ['noise', /(^|,)noise=/],
  ['repeats', /(^|,)repeats=/],
  ['shuffled', /(^|,)shuffle=/],
  ['picked users', /(^|,)pick=/],
  ['early or late', /(^|,)(time|latest)=/],
];
const PLAIN = 'size alone';

const kindOf = (slice: string) => KINDS.find(([, label]) => label.test(slice))?.[0] ?? PLAIN;

export function sliceMeansFigure(
  group: TrialGroup,
  means: SliceMeans,
  metric: MetricChoice,
  id = 'slice-means',
): Figure {
  const title = `Slices of different size and quality, one model${group.label ? `, ${group.label}` : ''}`;
  const data = means.levels.map(({ slice, tokens, level, runs, quality }) => ({
    slice,
    tokens,
    level,
    runs,
    kind: kindOf(slice),
    ...(quality['apen'] === undefined ? {} : { effective: tokens / quality['apen'] }),
  }));
  const byLevel = data.toSorted((a, b) => a.level - b.level);
  const [worst, best] = [byLevel[0]!, byLevel[byLevel.length - 1]!];
  const sizes = means.configurations.map(shape).join('; ');
  const names = Object.keys(means.levels[0]!.quality);
  return {
    id,
    title,
    sentence:
      `${count(data.length, 'slice')} at ${sizes}: ${metricTitle(metric)} from ${digits(worst.level)} (${worst.slice}, ${formatCount(worst.tokens)} tokens) to ${digits(best.level)} (${best.slice}, ${formatCount(best.tokens)} tokens). ${qualityVerdict(means)}`.trim(),
    table: {
      columns: ['slice', 'tokens', metricTitle(metric), 'runs', ...names],
      rows: means.levels.map(({ slice, tokens, level, runs, quality }) => [
        slice,
        tokens,
        digits(level),
        runs,
        ...names.map((name) => digits(quality[name]!)),
      ]),
    },
    spec: (canvas) => {
      const fields = data.every(({ effective }) => effective !== undefined)
        ? (['tokens', 'effective'] as const)
        : (['tokens'] as const);
      const { columns, width } = panels(canvas, fields.length, 2, 64);
      return frame({ title }, canvas, {
        columns,
        concat: fields.map((field, i) =>
          panel(canvas, data, field, width, isNarrow(canvas) || i === 0 ? metric.name.toUpperCase() : null),
        ),
      });
    },
  };
}

interface Row {
  slice: string;
  tokens: number;
  effective?: number;
  level: number;
  kind: string;
}

function panel(
  canvas: Canvas,
  data: Row[],
  field: 'tokens' | 'effective',
  width: number,
  yTitle: string | null,
): Part {
  const kinds = [PLAIN, ...KINDS.map(([name]) => name)].filter((kind) =>
    data.some((row) => row.kind === kind),
  );
  const x = tokenAxis(
    field,
    data.map((row) => row[field]!),
    0.08,
  );
  const y = {
    field: 'level',
    type: 'quantitative',
    title: yTitle,
    scale: {
      domain: padded(
        data.map(({ level }) => level),
        0.08,
      ),
      nice: false,
    },
    axis: { format: '.3~g', tickCount: 5 },
  };
  const legend = { orient: 'bottom', title: null, columns: isNarrow(canvas) ? 2 : 6 };
  const kind = { field: 'kind', type: 'nominal', scale: { domain: kinds } };
  return {
    width,
    height: isNarrow(canvas) ? 220 : 280,
    data: { values: data },
    layer: [
      {
        transform: [{ filter: `datum.kind === '${PLAIN}'` }],
        mark: { type: 'line', strokeWidth: 1.5, opacity: 0.6, color: canvas.theme.muted },
        encoding: { x, y },
      },
      {
        name: `slices_${field}`,
        mark: { type: 'point', filled: true, size: 80, opacity: 1 },
        encoding: {
          x,
          y,
          color: {
            ...kind,
            scale: { domain: kinds, range: canvas.theme.categories.slice(0, kinds.length) },
            legend,
          },
          shape: { ...kind, legend },
          tooltip: [
            { field: 'slice', type: 'nominal' },
            { field: 'tokens', type: 'quantitative', format: ',' },
            { field: 'level', type: 'quantitative', format: '.4~g' },
          ],
        },
      },
    ],
  };
}
