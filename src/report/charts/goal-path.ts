/** How a goal was come to: what was named, and how surely, against the compute spent. */
import { formatCount } from '../../util/format.js';
import { type FigureOrAbsence, frame, isNarrow, padded, tickFormat } from '../drawing/figure.js';
import type { GoalPath } from '../view/goal-path.js';
import { PURPOSES, placeWords, stopWords } from '../words/goal-words.js';
import { count, percent, share } from '../words/words.js';

export function goalPathFigure(path: GoalPath, id = 'goal-path'): FigureOrAbsence {
  const { goal, steps, runs, stop, gridFlops, planned, found } = path;
  const title = `From run to run: ${goal.metric} of what would be trained, against the compute spent`;
  const last = steps.at(-1);
  if (!last) return { id, title, absent: 'The first runs of this goal have no results yet.' };
  const { named, spent } = last;
  const ended = stop
    ? `It stopped because ${stopWords(stop, goal)}`
    : 'It has not stopped yet; the same command goes on';
  const sentence =
    `${ended}: after ${count(last.runs, 'run')}${found > 0 ? ` (${found} were there before)` : ''} of ${planned} and ${percent(spent)} of the ${formatCount(gridFlops)} FLOPs of the whole grid. ` +
    `To train: ${placeWords(named)}${named.interval ? `, ${goal.metric} in [${named.interval.map(share).join(', ')}]` : ''}; ` +
    `it is within ${goal.tolerance} of the best with ${percent(named.within)}, and is expected to lose ${share(named.regret)}.`;
  const data = steps.map((step, i) => ({
    order: i + 1,
    spent: step.spent,
    runs: step.runs,
    value: step.named.value,
    low: step.named.interval?.[0] ?? step.named.value,
    high: step.named.interval?.[1] ?? step.named.value,
    named: placeWords(step.named),
    within: step.named.within,
  }));
  return {
    id,
    title,
    sentence,
    table: {
      columns: ['order', 'round', 'run', 'why', 'tells of the decision', "of the grid's FLOPs", goal.metric],
      rows: runs.map((run, i) => [
        i + 1,
        run.round,
        run.label,
        PURPOSES[run.purpose],
        run.share === null ? '-' : percent(run.share),
        percent(run.cost),
        run.value === undefined ? '-' : share(run.value),
      ]),
    },
    spec: (canvas) => {
      // one early interval may be many times as wide as all others: what matters is where it went
      const middle = data.map(({ value }) => value);
      const [least, most] = padded([...middle, data.at(-1)!.low, data.at(-1)!.high], 0.6);
      const domain: [number, number] = [Math.max(0, least), most];
      const tooltip = [
        { field: 'runs', type: 'quantitative', title: 'runs known' },
        { field: 'named', type: 'nominal', title: 'named' },
        { field: 'value', type: 'quantitative', format: '.4f', title: goal.metric },
        { field: 'within', type: 'quantitative', format: '.0%', title: 'within tolerance' },
      ];
      const x = {
        field: 'spent',
        type: 'quantitative',
        title: "share of the grid's FLOPs",
        scale: { domain: [0, Math.max(...data.map((step) => step.spent)) * 1.05], nice: false },
        axis: { format: '.1~%', tickCount: isNarrow(canvas) ? 4 : 8, grid: false },
      };
      const y = {
        type: 'quantitative',
        title: goal.metric,
        scale: { domain, nice: false },
        axis: { format: tickFormat(domain), tickCount: 6 },
      };
      return frame({ title }, canvas, {
        width: Math.max(72, canvas.width - 70),
        height: isNarrow(canvas) ? 190 : 260,
        data: { values: data },
        layer: [
          {
            name: 'intervals',
            mark: { type: 'rule', color: canvas.theme.muted, strokeWidth: 2, clip: true },
            encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, tooltip },
          },
          {
            name: 'path',
            mark: { type: 'line', color: canvas.theme.accent, strokeWidth: 1.2, interpolate: 'step-after' },
            encoding: { x, y: { ...y, field: 'value' }, order: { field: 'order', type: 'quantitative' } },
          },
          {
            name: 'named',
            mark: { type: 'point', filled: true, size: 55, color: canvas.theme.accent, opacity: 1 },
            encoding: { x, y: { ...y, field: 'value' }, tooltip },
          },
        ],
      });
    },
  };
}
