/** What the law leaves over, run by run. */
import {
  type FigureOrAbsence,
  frame,
  isNarrow,
  type Part,
  padded,
  panels,
  thin,
  thinned,
  tickFormat,
} from '../drawing/figure.js';
import { type MetricChoice, metricTitle, type TrialGroup } from '../view/view.js';
import { difference, digits, shape, share, sliceWords } from '../words/words.js';
import { runRows, sliceColour, tooltip } from './parts/agreement-plot.js';
import { lawFigure } from './parts/law-figure.js';

export function residualFigure(group: TrialGroup, choice: MetricChoice, id = 'residuals'): FigureOrAbsence {
  return lawFigure(
    group,
    id,
    `What the law leaves over: residuals of ${metricTitle(choice)}`,
    (law, title) => {
      const data = runRows(law.points);
      const worst = data.reduce((a, b) => (Math.abs(b.residual) > Math.abs(a.residual) ? b : a));
      const above = data.filter((row) => row.residual > 0).length;
      const spread = Math.sqrt(data.reduce((sum, row) => sum + row.residual ** 2, 0) / data.length);
      const sentence =
        `${above} of ${data.length} runs lie above the law. The largest residual is ${worst.residual >= 0 ? '+' : '−'}${difference(Math.abs(worst.residual))} ` +
        `at ${shape(worst)} (${sliceWords(worst.slice)}), ${digits(spread > 0 ? Math.abs(worst.residual) / spread : 0, 2)} times the typical one. ` +
        'Points that bend or fan out along an axis would mean that the form does not suit the data.' +
        thinned(thin(data).length, data.length, 'runs');
      const table = {
        columns: ['slice', 'layers', 'dim', 'seed', 'predicted', 'residual'],
        rows: data.map((row) => [
          row.slice,
          row.layers,
          row.dim,
          row.seed,
          share(row.predicted),
          row.residual.toFixed(5),
        ]),
      };
      return {
        sentence,
        table,
        spec: (canvas) => {
          const { columns, width } = panels(canvas, 3, 3, 52);
          const limit = Math.max(...data.map((row) => Math.abs(row.residual))) * 1.15 || 1e-3;
          const panel = (field: 'predicted' | 'layers' | 'dim', label: string, first: boolean): Part => {
            const values = data.map((row) => row[field]);
            const log = field !== 'predicted';
            const ticks = log
              ? { values: [...new Set(values)].sort((a, b) => a - b), format: '~r' }
              : { format: tickFormat(padded(values), 3), tickCount: 3 };
            const x = {
              field,
              type: 'quantitative',
              title: label,
              scale: {
                type: log ? 'log' : 'linear',
                domain: padded(values, 0.07, log),
                nice: false,
                ...(log ? {} : { zero: false }),
              },
              axis: { ...ticks, grid: false },
            };
            return {
              width,
              height: isNarrow(canvas) ? 150 : 220,
              layer: [
                {
                  data: { values: [{}] },
                  mark: { type: 'rule', color: canvas.theme.muted, strokeDash: [4, 4] },
                  encoding: { y: { datum: 0, type: 'quantitative' } },
                },
                {
                  name: `points_${field}`,
                  data: { values: thin(data) },
                  mark: { type: 'point', filled: true, size: 45, opacity: 0.85 },
                  encoding: {
                    x,
                    y: {
                      field: 'residual',
                      type: 'quantitative',
                      title: first || isNarrow(canvas) ? 'measured − predicted' : null,
                      scale: { domain: [-limit, limit], nice: false },
                      axis: { format: '.2~g', tickCount: 5 },
                    },
                    color: sliceColour(canvas, law),
                    tooltip: [...tooltip, { field: 'residual', type: 'quantitative', format: '+.5f' }],
                  },
                },
              ],
            };
          };
          return frame({ title }, canvas, {
            columns,
            concat: [
              panel('predicted', 'predicted', true),
              panel('layers', 'layers (log scale)', false),
              panel('dim', 'dim (log scale)', false),
            ],
          });
        },
      };
    },
  );
}
