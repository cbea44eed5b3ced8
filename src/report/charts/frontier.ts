/** The best expected for what it costs: the metric along training FLOPs, each point the configuration that is best of its cost. */
import { formatCount } from '../../util/format.js';
import { type FigureOrAbsence, frame, isNarrow, type Part, padded, tickFormat } from '../drawing/figure.js';
import { type MetricChoice, metricHeading, metricLabel, type TrialGroup } from '../view/view.js';
import { difference, shape, share, sliceWords } from '../words/words.js';
import { lawFigure } from './parts/law-figure.js';

export function frontierFigure(group: TrialGroup, choice: MetricChoice, id = 'frontier'): FigureOrAbsence {
  return lawFigure(group, id, `${metricHeading(choice)} for what it costs`, (law, title) => {
    const frontier = law.budget?.frontier;
    if (!law.budget || !frontier)
      return { absent: 'FLOPs of the configurations are not known, or the cheapest is the best.' };
    const rows = frontier.map(({ flops, params, layers, dim, predicted, extrapolated }) => ({
      flops,
      params,
      layers,
      dim,
      name: `${layers} x ${dim}`,
      predicted: predicted.value,
      low: predicted.low,
      high: predicted.high,
      range: extrapolated ? 'beyond' : 'measured range',
    }));
    const [first, last] = [rows[0]!, rows[rows.length - 1]!];
    const within = rows.filter(({ range }) => range === 'measured range').at(-1);
    return {
      sentence:
        `On ${sliceWords(law.budget.slice)}: from ${formatCount(first.flops)} FLOPs (${shape(first)}, ${share(first.predicted)}) to ${formatCount(last.flops)} (${shape(last)}, ${share(last.predicted)}) the best expected changes by ${difference(Math.abs(last.predicted - first.predicted))}.` +
        (within && within !== last
          ? ` What costs more than ${formatCount(within.flops)} (${shape(within)}) lies beyond what was measured.`
          : ''),
      table: {
        columns: ['FLOPs', 'layers', 'dim', 'parameters', 'predicted', 'from', 'to', 'range'],
        rows: rows.map((row) => [
          row.flops,
          row.layers,
          row.dim,
          row.params,
          share(row.predicted),
          share(row.low),
          share(row.high),
          row.range,
        ]),
      },
      spec: (canvas) => {
        const { theme } = canvas;
        const narrow = isNarrow(canvas);
        const yDomain = padded(
          rows.flatMap((row) => [row.low, row.high]),
          0.06,
        );
        const x = {
          field: 'flops',
          type: 'quantitative',
          title: 'training FLOPs (log scale)',
          scale: {
            type: 'log',
            domain: padded(
              rows.map((row) => row.flops),
              0.05,
              true,
            ),
            nice: false,
          },
          axis: { format: '~s', tickCount: narrow ? 4 : 7, grid: false },
        };
        const y = (field: string) => ({
          field,
          type: 'quantitative',
          title: metricLabel(choice.name),
          scale: { domain: yDomain, nice: false },
          axis: { format: tickFormat(yDomain), tickCount: 6 },
        });
        const layer: Part[] = [
          {
            mark: { type: 'rule', strokeWidth: 5, opacity: 0.22, color: theme.categories[0] },
            encoding: { x, y: y('low'), y2: { field: 'high' } },
          },
          {
            mark: { type: 'line', strokeWidth: 1.4, opacity: 0.6, color: theme.categories[0] },
            encoding: { x, y: y('predicted') },
          },
          {
            name: 'frontier',
            mark: { type: 'point', filled: true, size: 70, opacity: 1 },
            encoding: {
              x,
              y: y('predicted'),
              color: {
                field: 'range',
                type: 'nominal',
                scale: { domain: ['measured range', 'beyond'], range: [theme.categories[0], theme.accent] },
                legend: { title: null, orient: 'bottom', columns: 2 },
              },
              tooltip: [
                { field: 'name', type: 'nominal', title: 'layers x dim' },
                { field: 'flops', type: 'quantitative', title: 'FLOPs', format: '.3~s' },
                { field: 'params', type: 'quantitative', title: 'parameters', format: ',' },
                { field: 'predicted', type: 'quantitative', format: '.4f' },
                { field: 'low', type: 'quantitative', title: 'interval from', format: '.4f' },
                { field: 'high', type: 'quantitative', title: 'interval to', format: '.4f' },
              ],
            },
          },
        ];
        return frame({ title }, canvas, {
          width: canvas.width - (narrow ? 58 : 70),
          height: narrow ? 240 : 300,
          data: { values: rows },
          layer,
        });
      },
    };
  });
}
