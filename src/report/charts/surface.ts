/** The metric over layers and dim: the fitted surface as colour and level lines, the measured points on it, a panel a slice. */
import { bestBy, GOOD } from '../../law/points/direction.js';
import { fieldImage, levelLines, roundLevels, sampleField } from '../drawing/field.js';
import {
  type Canvas,
  distinct,
  type FigureOrAbsence,
  frame,
  isNarrow,
  type Part,
  padded,
  panelColumns,
  panels,
  panelTitle,
  thin,
  tickFormat,
} from '../drawing/figure.js';
import { SURFACE_STOPS } from '../drawing/theme.js';
import {
  type LawView,
  lawSlices,
  type MetricChoice,
  mainPanel,
  metricHeading,
  metricTitle,
  type TrialGroup,
} from '../view/view.js';
import { peakWords } from '../words/peak.js';
import { count, difference, shape, share, sliceWords } from '../words/words.js';
import { averageSeeds, type Cell } from './parts/cells.js';
import { curve } from './parts/curve.js';
import { lawFigure } from './parts/law-figure.js';

export function surfaceFigure(group: TrialGroup, choice: MetricChoice, id = 'surface'): FigureOrAbsence {
  return lawFigure(group, id, `${metricHeading(choice)} over layers and dim`, (law, title) => {
    const cells = averageSeeds(law.points);
    const layers = distinct(cells.map((cell) => cell.layers));
    const dims = distinct(cells.map((cell) => cell.dim));
    const table = {
      columns: ['slice', 'layers', 'dim', 'measured', 'fitted', 'runs'],
      rows: cells.map((cell) => [
        cell.slice,
        cell.layers,
        cell.dim,
        share(cell.measured),
        share(cell.predicted),
        cell.runs,
      ]),
    };
    const sentence = describe(law, cells, choice);
    if (layers.length === 1 && dims.length === 1)
      return {
        absent: `All trials have ${shape({ layers: layers[0]!, dim: dims[0]! })}: there is no grid to draw.`,
      };
    if (layers.length === 1 || dims.length === 1) {
      const axis = layers.length === 1 ? 'dim' : 'layers';
      return {
        sentence,
        table,
        spec: (canvas) => frame({ title }, canvas, curve(canvas, law, cells, axis)),
      };
    }
    return {
      sentence,
      table,
      spec: (canvas) => frame({ title }, canvas, surface(canvas, law, cells, GOOD[choice.direction].maximum)),
    };
  });
}

function describe(law: LawView, cells: Cell[], choice: MetricChoice): string {
  const { direction } = choice;
  const best = bestBy(direction, cells, (cell) => cell.measured);
  const worst = bestBy(direction, cells, (cell) => -cell.measured);
  const main = mainPanel(law);
  const where = lawSlices(law).length > 1 ? ` on ${sliceWords(best.slice)}` : '';
  const span =
    cells.length > 1
      ? ` The ${count(cells.length, 'measured configuration')} range over ${difference(Math.abs(best.measured - worst.measured))}, from ${share(worst.measured)} at ${shape(worst)}.`
      : '';
  return `The best measured ${metricTitle(choice)} is ${share(best.measured)} at ${shape(best)}${where}.${span} ${peakWords(main.peak, direction, main.slice, law.panels.length > 1)}`;
}

const GRID = 56;

function surface(canvas: Canvas, law: LawView, cells: Cell[], maximum: string): Part {
  const { columns, width: plot } = panels(
    canvas,
    lawSlices(law).length,
    panelColumns(lawSlices(law).length),
    54,
  );
  const height = Math.round(isNarrow(canvas) ? plot * 0.8 : Math.min(340, plot * (columns > 2 ? 1 : 0.72)));
  const xDomain = padded(distinct(cells.map((c) => c.layers)), 0.09, true);
  const yDomain = padded(distinct(cells.map((c) => c.dim)), 0.09, true);
  const along = (domain: [number, number], share: number) => domain[0] * (domain[1] / domain[0]) ** share;
  const slices = lawSlices(law);
  const fields = slices.map((slice) =>
    sampleField(GRID, GRID, (u, v) => law.surface(slice, along(xDomain, u), along(yDomain, v))),
  );
  const all = [...cells.map((c) => c.measured), ...cells.map((c) => c.predicted)];
  const [low, high] = padded(all, 0.06);
  const spans = fields.map((field) => Math.max(...field.values) - Math.min(...field.values));
  const { step } = roundLevels(0, Math.min(high - low, Math.max(...spans)), 10);
  const levels = Array.from({ length: 1 + Math.floor(high / step) }, (_, k) => k * step).filter(
    (v) => v > low - 10 * step,
  );
  const peaks = law.panels.map(({ peak }) => ({ layers: peak.layers.value, dim: peak.dim.value }));
  const isStarred = peaks.map((peak) => within(peak.layers, xDomain) && within(peak.dim, yDomain));
  const scale = {
    x: { type: 'log', domain: xDomain, nice: false },
    y: { type: 'log', domain: yDomain, nice: false },
  };
  const x = {
    field: 'layers',
    type: 'quantitative',
    scale: scale.x,
    title: 'layers (log scale)',
    axis: { values: distinct(cells.map((c) => c.layers)), format: '~r', grid: false },
  };
  const y = (titled: boolean) => ({
    field: 'dim',
    type: 'quantitative',
    scale: scale.y,
    title: titled ? 'dim (log scale)' : null,
    axis: { values: distinct(cells.map((c) => c.dim)), format: '~r', grid: false },
  });
  const colour = {
    field: 'measured',
    type: 'quantitative',
    scale: { type: 'linear', domain: [low, high], range: SURFACE_STOPS, nice: false },
    legend: {
      title: [
        'points: measured, field: fitted',
        `a line every ${Number(step.toPrecision(3))}${isStarred.includes(true) ? `, star: ${maximum} of the law` : ''}`,
      ],
      format: tickFormat([low, high]),
      orient: 'bottom',
      direction: 'horizontal',
      gradientLength: Math.min(260, canvas.width - 90),
      tickCount: 4,
    },
  };
  const views = slices.map((slice, s): Part => {
    const axes = { x, y: y(isNarrow(canvas) || s % columns === 0) };
    const lines = levels.flatMap((level, l) =>
      levelLines(fields[s]!, level).flatMap((line, k) =>
        thin(line, 2 + Math.ceil(line.length / 2)).map(([u, v], order) => ({
          layers: along(xDomain, u),
          dim: along(yDomain, v),
          line: `${l}/${k}`,
          order,
        })),
      ),
    );
    const layer: Part[] = [
      {
        data: { values: [{ url: fieldImage(fields[s]!, low, high, SURFACE_STOPS) }] },
        mark: { type: 'image', width: plot, height, aspect: false, align: 'left', baseline: 'top' },
        encoding: { url: { field: 'url', type: 'nominal' }, x: { value: 0 }, y: { value: 0 } },
      },
    ];
    if (lines.length)
      layer.push({
        data: { values: lines },
        mark: { type: 'line', color: '#ffffff', opacity: 0.55, strokeWidth: 1, clip: true },
        encoding: {
          ...axes,
          detail: { field: 'line', type: 'nominal' },
          order: { field: 'order', type: 'quantitative' },
        },
      });
    layer.push({
      name: `points_${s}`,
      data: { values: cells.filter((cell) => cell.slice === slice) },
      mark: {
        type: 'point',
        filled: true,
        size: isNarrow(canvas) ? 90 : 130,
        stroke: '#ffffff',
        strokeWidth: 1.6,
        opacity: 1,
      },
      encoding: {
        ...axes,
        color: colour,
        tooltip: [
          { field: 'layers', type: 'quantitative', title: 'layers' },
          { field: 'dim', type: 'quantitative', title: 'dim' },
          { field: 'measured', type: 'quantitative', title: 'measured', format: '.4f' },
          { field: 'predicted', type: 'quantitative', title: 'fitted', format: '.4f' },
          { field: 'runs', type: 'quantitative', title: 'runs' },
        ],
      },
    });
    if (isStarred[s])
      layer.push({
        data: { values: [peaks[s]!] },
        mark: {
          type: 'point',
          shape: STAR,
          filled: true,
          size: 190,
          fill: '#ffffff',
          stroke: '#1c2330',
          strokeWidth: 1.2,
          opacity: 1,
        },
        encoding: { ...axes, tooltip: { value: `${maximum} of the fitted surface` } },
      });
    return {
      ...(lawSlices(law).length > 1 ? { title: panelTitle(slice, plot) } : {}),
      width: plot,
      height,
      layer,
    };
  });
  if (views.length === 1) return views[0]!;
  return { columns, concat: views, resolve: { scale: { color: 'shared' } } };
}

const STAR =
  'M0,-1L.2245,-.309L.9511,-.309L.3633,.118L.5878,.809L0,.382L-.5878,.809L-.3633,.118L-.9511,-.309L-.2245,-.309Z';

function within(value: number | undefined, [low, high]: [number, number]): boolean {
  return value !== undefined && value >= low && value <= high;
}
