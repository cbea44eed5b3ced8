/** How well the law describes the runs: predicted against measured with intervals, and what is left over. */
import {
  type Canvas,
  type FigureOrAbsence,
  frame,
  isNarrow,
  type Part,
  padded,
  panels,
  thin,
  thinned,
  tickFormat,
} from '../figure.js';
import {
  type LawPanel,
  type LawView,
  lawSlices,
  type MetricChoice,
  metricTitle,
  type TrialGroup,
} from '../model.js';
import { orderedColours } from '../theme.js';
import { difference, digits, percent, shape, share, sliceWords } from '../words.js';

const suffix = (group: TrialGroup) => (group.label ? `, ${group.label}` : '');

function rows(law: LawView) {
  return law.points.map((point) => ({
    slice: point.slice,
    layers: point.layers,
    dim: point.dim,
    seed: point.seed ?? '',
    measured: point.measured,
    predicted: point.predicted.value,
    low: point.predicted.low,
    high: point.predicted.high,
    residual: point.measured - point.predicted.value,
  }));
}

const tooltip = [
  { field: 'slice', type: 'nominal' },
  { field: 'layers', type: 'quantitative' },
  { field: 'dim', type: 'quantitative' },
  { field: 'measured', type: 'quantitative', format: '.4f' },
  { field: 'predicted', type: 'quantitative', format: '.4f' },
  { field: 'low', type: 'quantitative', title: 'interval from', format: '.4f' },
  { field: 'high', type: 'quantitative', title: 'interval to', format: '.4f' },
];

function sliceColour(canvas: Canvas, law: LawView) {
  return {
    field: 'slice',
    type: 'nominal',
    scale: { domain: lawSlices(law), range: orderedColours(canvas.theme, law.panels.length) },
    legend:
      law.panels.length > 1 ? { orient: 'bottom', title: 'slice', columns: isNarrow(canvas) ? 2 : 4 } : null,
  };
}

export function agreementFigure(group: TrialGroup, choice: MetricChoice, id = 'predicted'): FigureOrAbsence {
  const title = `Predicted against measured ${metricTitle(choice)}${suffix(group)}`;
  const law = group.law;
  if (!law) return { id, title, absent: group.lawMissing ?? 'No law was fitted.' };
  const data = rows(law);
  const inside = data.filter((row) => row.measured >= row.low && row.measured <= row.high).length;
  const rmse = Math.sqrt(data.reduce((sum, row) => sum + row.residual ** 2, 0) / data.length);
  const sentence =
    `${fitWords(law, data.length)} ` +
    `The typical error is ${difference(rmse)}, and ${inside} of ${data.length} runs lie within their ${percent(law.level)} interval.${thinned(thin(data).length, data.length, 'runs')}`;
  const table = {
    columns: ['slice', 'layers', 'dim', 'seed', 'measured', 'predicted', 'from', 'to'],
    rows: data.map((row) => [
      row.slice,
      row.layers,
      row.dim,
      row.seed,
      share(row.measured),
      share(row.predicted),
      share(row.low),
      share(row.high),
    ]),
  };
  return {
    id,
    title,
    sentence,
    table,
    spec: (canvas) => {
      const shown = thin(data);
      const narrow = isNarrow(canvas);
      const domain = padded(
        data.flatMap((row) => [row.measured, row.low, row.high]),
        0.04,
      );
      const scale = { domain, nice: false, zero: false };
      const axis = { format: tickFormat(domain, 8), tickCount: narrow ? 5 : 8 };
      const x = {
        field: 'measured',
        type: 'quantitative',
        title: `measured ${choice.name.toUpperCase()}`,
        scale,
        axis,
      };
      const side = narrow ? canvas.width - 64 : Math.min(440, canvas.width - 80);
      return frame({ title }, canvas, {
        width: side,
        height: narrow ? side : 400,
        layer: [
          {
            data: { values: [{ at: domain[0] }, { at: domain[1] }] },
            mark: { type: 'line', color: canvas.theme.muted, strokeDash: [4, 4], strokeWidth: 1 },
            encoding: {
              x: { field: 'at', type: 'quantitative', scale },
              y: { field: 'at', type: 'quantitative', scale },
            },
          },
          {
            data: { values: shown },
            mark: { type: 'rule', opacity: 0.35, strokeWidth: 1.2 },
            encoding: {
              x,
              y: {
                field: 'low',
                type: 'quantitative',
                scale,
                axis,
                title: `predicted ${choice.name.toUpperCase()}`,
              },
              y2: { field: 'high' },
              color: sliceColour(canvas, law),
            },
          },
          {
            name: 'points',
            data: { values: shown },
            mark: {
              type: 'point',
              filled: true,
              size: 55,
              opacity: 0.95,
              stroke: canvas.theme.card,
              strokeWidth: 0.8,
            },
            encoding: {
              x,
              y: { field: 'predicted', type: 'quantitative', scale, axis },
              color: sliceColour(canvas, law),
              tooltip,
            },
          },
        ],
      });
    },
  };
}

/** R² and Q² as a sentence: of the one law, or of each slice's. */
function fitWords(law: LawView, runs: number): string {
  const scores = (panel: LawPanel) =>
    `R² ${panel.r2.toFixed(3)}${panel.q2 === undefined ? '' : `, Q² ${panel.q2.toFixed(3)}`}`;
  const [first] = law.panels;
  if (law.panels.length === 1)
    return `The law (${first!.form}) explains ${percent(Math.max(0, first!.r2))} of the variance of ${runs} runs (${scores(first!)}${first!.q2 === undefined ? '' : ' with each configuration predicted from the others'}).`;
  return `Each slice has its own law: ${law.panels.map((panel) => `${panel.slice} by ${panel.form} (${scores(panel)})`).join('; ')}.`;
}

export function residualFigure(group: TrialGroup, choice: MetricChoice, id = 'residuals'): FigureOrAbsence {
  const title = `What the law leaves over: residuals of ${metricTitle(choice)}${suffix(group)}`;
  const law = group.law;
  if (!law) return { id, title, absent: group.lawMissing ?? 'No law was fitted.' };
  const data = rows(law);
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
    id,
    title,
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
}
