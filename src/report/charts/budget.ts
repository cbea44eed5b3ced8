/** The metric along the parameter budget: the best expected of each size, its band, the runs, what to train. */
import { type Direction, GOOD } from '../../law/points/direction.js';
import { formatCount } from '../../util/format.js';
import {
  type FigureOrAbsence,
  frame,
  isNarrow,
  type Part,
  padded,
  thin,
  thinned,
  tickFormat,
} from '../drawing/figure.js';
import {
  type BudgetCurve,
  type MetricChoice,
  metricHeading,
  metricLabel,
  type TrialGroup,
} from '../view/view.js';
import { difference, lost, parameters, percent, shape, share, sliceWords } from '../words/words.js';
import { lawFigure } from './parts/law-figure.js';

export function budgetFigure(group: TrialGroup, choice: MetricChoice, id = 'budget'): FigureOrAbsence {
  return lawFigure(group, id, `${metricHeading(choice)} along the parameter budget`, (law, title) => {
    const curve = law.budget;
    if (!curve || curve.candidates.length < 2)
      return {
        absent: 'Parameters of the configurations are not known, so there is no budget to draw.',
      };
    const runs = law.points
      .filter((point) => point.slice === curve.slice && point.params !== undefined)
      .map((point) => ({
        params: point.params!,
        measured: point.measured,
        layers: point.layers,
        dim: point.dim,
      }));
    const measured = thin(runs);
    const line = curve.candidates.map(({ params, layers, dim, predicted, extrapolated }) => ({
      params,
      layers,
      dim,
      predicted: predicted.value,
      low: predicted.low,
      high: predicted.high,
      range: extrapolated ? 'extrapolated' : 'measured range',
    }));
    return {
      sentence: smallerModel(curve, choice.direction) + thinned(measured.length, runs.length, 'runs'),
      table: {
        columns: ['parameters', 'layers', 'dim', 'predicted', 'from', 'to', 'range'],
        rows: line.map((row) => [
          row.params,
          row.layers,
          row.dim,
          share(row.predicted),
          share(row.low),
          share(row.high),
          row.range,
        ]),
      },
      spec: (canvas) => {
        const narrow = isNarrow(canvas);
        const { theme } = canvas;
        const xs = [...line.map((row) => row.params), ...measured.map((row) => row.params)];
        const xScale = { type: 'log', domain: padded(xs, 0.03, true), nice: false };
        const yScale = {
          domain: padded(
            [...line.flatMap((row) => [row.low, row.high]), ...measured.map((row) => row.measured)],
            0.06,
          ),
          nice: false,
        };
        const x = {
          field: 'params',
          type: 'quantitative',
          title: 'parameters (log scale)',
          scale: xScale,
          axis: { format: '~s', tickCount: narrow ? 4 : 7, grid: false },
        };
        const y = (field: string) => ({
          field,
          type: 'quantitative',
          title: metricLabel(choice.name),
          scale: yScale,
          axis: { format: tickFormat(yScale.domain), tickCount: 6 },
        });
        const tooltip = [
          { field: 'params', type: 'quantitative', title: 'parameters', format: ',' },
          { field: 'layers', type: 'quantitative' },
          { field: 'dim', type: 'quantitative' },
        ];
        const kinds = {
          domain: ['best of its size', 'runs', 'what to train'],
          range: [theme.categories[0]!, theme.muted, theme.accent],
        };
        const color = (kind: string) => ({
          datum: kind,
          type: 'nominal',
          scale: kinds,
          legend: { title: null, orient: 'bottom', columns: narrow ? 1 : 3, symbolOpacity: 1 },
        });
        const best = curve.optimum;
        const layer: Part[] = [
          {
            data: { values: line },
            mark: { type: 'area', color: theme.categories[0], opacity: 0.16, line: false },
            encoding: { x, y: y('low'), y2: { field: 'high' } },
          },
          {
            name: 'runs',
            data: { values: measured },
            mark: { type: 'point', filled: true, size: 45, opacity: 0.8 },
            encoding: {
              x,
              y: y('measured'),
              color: color('runs'),
              tooltip: [...tooltip, { field: 'measured', type: 'quantitative', format: '.4f' }],
            },
          },
          {
            name: 'law',
            data: { values: stretches(line) },
            mark: { type: 'line', strokeWidth: 2.2 },
            encoding: {
              x,
              y: y('predicted'),
              color: color('best of its size'),
              detail: { field: 'stretch', type: 'nominal' },
              strokeDash: {
                field: 'range',
                type: 'nominal',
                scale: {
                  domain: ['measured range', 'extrapolated'],
                  range: [
                    [1, 0],
                    [5, 4],
                  ],
                },
                legend: line.some((row) => row.range === 'extrapolated')
                  ? {
                      title: null,
                      orient: 'bottom',
                      columns: narrow ? 1 : 2,
                      symbolType: 'stroke',
                      symbolSize: 300,
                    }
                  : null,
              },
            },
          },
          {
            data: { values: line },
            mark: { type: 'point', size: 220, opacity: 0 },
            encoding: {
              x,
              y: y('predicted'),
              tooltip: [
                ...tooltip,
                { field: 'predicted', type: 'quantitative', format: '.4f' },
                { field: 'low', type: 'quantitative', title: 'interval from', format: '.4f' },
                { field: 'high', type: 'quantitative', title: 'interval to', format: '.4f' },
                { field: 'range', type: 'nominal' },
              ],
            },
          },
          {
            data: { values: [{ params: best.params }] },
            mark: { type: 'rule', color: theme.accent, strokeDash: [4, 3] },
            encoding: { x },
          },
          {
            name: 'optimum',
            data: {
              values: [
                { params: best.params, predicted: best.predicted.value, layers: best.layers, dim: best.dim },
              ],
            },
            mark: {
              type: 'point',
              filled: true,
              shape: 'diamond',
              size: 170,
              opacity: 1,
              stroke: theme.card,
              strokeWidth: 1.2,
            },
            encoding: {
              x,
              y: y('predicted'),
              color: color('what to train'),
              tooltip: [...tooltip, { field: 'predicted', type: 'quantitative', format: '.4f' }],
            },
          },
        ];
        return frame({ title }, canvas, {
          width: canvas.width - (narrow ? 58 : 70),
          height: narrow ? 240 : 330,
          layer,
        });
      },
    };
  });
}

/** Cuts the line where it leaves or enters the measured range; neighbouring stretches share the point between them. */
function stretches<T extends { range: string }>(line: T[]): (T & { stretch: number })[] {
  const pieces: (T & { stretch: number })[] = [];
  let stretch = 0;
  line.forEach((row, i) => {
    const before = line[i - 1];
    if (before && before.range !== row.range) {
      stretch++;
      pieces.push({ ...before, range: row.range, stretch });
    }
    pieces.push({ ...row, stretch });
  });
  return pieces;
}

/** What to train and what a smaller model would lose, as sentences. */
export function smallerModel(curve: BudgetCurve, direction: Direction): string {
  const { higher, below } = GOOD[direction];
  const { optimum, smallest, beyond } = curve;
  const where = optimum.extrapolated ? 'beyond the measured range' : 'within the measured range';
  const head = `On ${sliceWords(curve.slice)} train ${shape(optimum)} with ${parameters(optimum.params)}, ${where}: ${share(optimum.predicted.value)}, and one new run is expected between ${share(optimum.predicted.low)} and ${share(optimum.predicted.high)}.`;
  const rise = beyond
    ? ` Beyond that range ${shape(beyond)} (${formatCount(beyond.params)}) may be ${higher}: ${share(beyond.predicted.value)}, between ${share(beyond.predicted.low)} and ${share(beyond.predicted.high)}.`
    : '';
  if (!smallest || smallest.params >= optimum.params)
    return `${head} Every smaller configuration is expected ${below} the interval of one run of it.${rise}`;
  const loss = lost(direction, optimum.predicted.value, smallest.predicted.value);
  return `${head} A model of ${formatCount(smallest.params)} (${shape(smallest)}), ${percent(1 - smallest.params / optimum.params)} smaller, is expected to lose ${difference(loss)}: within the interval of one run of it.${rise}`;
}
