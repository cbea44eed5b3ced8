/** Shared by the figures that set runs against a law: their rows, colours, and the square of predicted against measured. */
import { type Canvas, frame, isNarrow, padded, thin, tickFormat } from '../../drawing/figure.js';
import { orderedColours } from '../../drawing/theme.js';
import { type LawPoint, type LawView, lawSlices } from '../../view/view.js';
import { share } from '../../words/words.js';

/** Runs beside what a law says of them, as the charts draw them. */
export function runRows(points: readonly LawPoint[]) {
  return points.map((point) => ({
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

export type RunRow = ReturnType<typeof runRows>[number];

export const tooltip = [
  { field: 'slice', type: 'nominal' },
  { field: 'layers', type: 'quantitative' },
  { field: 'dim', type: 'quantitative' },
  { field: 'measured', type: 'quantitative', format: '.4f' },
  { field: 'predicted', type: 'quantitative', format: '.4f' },
  { field: 'low', type: 'quantitative', title: 'interval from', format: '.4f' },
  { field: 'high', type: 'quantitative', title: 'interval to', format: '.4f' },
];

export function sliceColour(canvas: Canvas, law: LawView) {
  return {
    field: 'slice',
    type: 'nominal',
    scale: { domain: lawSlices(law), range: orderedColours(canvas.theme, law.panels.length) },
    legend:
      law.panels.length > 1 ? { orient: 'bottom', title: 'slice', columns: isNarrow(canvas) ? 2 : 4 } : null,
  };
}

/** The numbers behind the square. */
export function agreementTable(data: readonly RunRow[]) {
  return {
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
}

/** Predicted against measured with intervals and the diagonal. */
export function agreementPlot(
  canvas: Canvas,
  data: readonly RunRow[],
  law: LawView,
  metric: string,
  title: string,
) {
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
    title: `measured ${metric}`,
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
            title: `predicted ${metric}`,
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
}
