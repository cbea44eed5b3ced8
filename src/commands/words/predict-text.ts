/** The words and the table of `perflaw predict`. */
import type { Choice } from '../../law/choice.js';
import { GOOD, metricWords } from '../../law/points/direction.js';
import type { PredictionReport } from '../../law/predict.js';
import { formatBytes, formatCount, formatDuration } from '../../util/format.js';
import { formatTable } from '../../util/table.js';
import { digits, intervalText } from './fit-text.js';

/** Where a configuration lies: measured, inside, or so many times beyond. */
function place({ beyond, measured, extrapolates }: Choice): string {
  if (measured !== null) return `measured: ${digits(measured)}`;
  if (!extrapolates) return 'inside the measured range';
  const parts: string[] = [];
  if (beyond.layers > 1) parts.push(`layers ${digits(beyond.layers, 2)}x`);
  if (beyond.dim > 1) parts.push(`dim ${digits(beyond.dim, 2)}x`);
  return `EXTRAPOLATED: ${parts.join(', ')} beyond what was measured`;
}

const count = (value: number) => value.toLocaleString('en-US');
const settings = (group: Choice['group']) =>
  Object.entries(group)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');

export function predictionText(report: PredictionReport): string {
  const { best, smallest, optimum, next, range, metric } = report;
  const percent = `${Number((100 * report.level).toPrecision(3))} %`;
  const optional = (choice: Choice): string[] => [
    ...(best.flops === undefined ? [] : [formatCount(choice.flops!)]),
    ...(best.seconds === undefined ? [] : [formatDuration(choice.seconds!)]),
    ...(best.memoryBytes === undefined ? [] : [formatBytes(choice.memoryBytes!)]),
  ];
  const row = (name: string, choice: Choice | null): string[][] =>
    choice
      ? [
          [
            name,
            String(choice.layers),
            String(choice.dim),
            count(choice.params),
            ...optional(choice),
            digits(choice.predicted),
            intervalText(choice.interval),
            place(choice),
          ],
        ]
      : [];
  const header = [
    '',
    'layers',
    'dim',
    'parameters',
    ...(best.flops === undefined ? [] : ['FLOPs']),
    ...(best.seconds === undefined ? [] : ['time']),
    ...(best.memoryBytes === undefined ? [] : ['memory']),
    metric,
    `${percent} interval`,
    'where',
  ];
  const lines = [
    `Best ${metricWords(metric, report.direction)} within ${report.budgetText}: layers ${best.layers}, dim ${best.dim}${settings(best.group) ? `, ${settings(best.group)}` : ''}`,
    `slice ${report.slice}${report.otherSlices.length > 0 ? ` (also measured: ${report.otherSlices.join('; ')})` : ''}; law ${report.form}: ${report.because}`,
    `${report.fitting} of ${report.considered} configurations fit; measured: layers ${[...new Set(range.layers)].join(' to ')}, dim ${[...new Set(range.dim)].join(' to ')}`,
    '',
    formatTable(
      header,
      [
        ...row('best', best),
        ...(best.extrapolates ? row('best in measured range', report.bestMeasuredRange) : []),
        ...(report.highest.extrapolates && !best.extrapolates
          ? row(`${GOOD[report.direction].highest}, unmeasured`, report.highest)
          : []),
        ...row('best on budget line', report.budgetLine),
        ...row('smallest in interval', smallest),
      ],
      { spare: ['memory', 'time', 'FLOPs', 'parameters'] },
    ),
    '',
    `The interval holds one new run with ${percent} probability, noise of the run included.`,
  ];
  if (smallest.params < best.params)
    lines.push(
      `You need not spend it all: layers ${smallest.layers}, dim ${smallest.dim} has ${digits((100 * smallest.params) / best.params, 2)} % of the parameters of the best and is expected to lose ${digits(Math.abs(best.predicted - smallest.predicted), 2)}.`,
    );
  if (report.otherForms.length > 0)
    lines.push(
      `The same by the other forms: ${report.otherForms.map(({ form, predicted, best: own }) => `${form} ${digits(predicted)}${own.layers === best.layers && own.dim === best.dim ? '' : ` (itself it would take layers ${own.layers}, dim ${own.dim})`}`).join('; ')}. The interval holds as far as the form does.`,
    );
  lines.push(optimumText(report));
  if (next)
    lines.push(
      `Next run: layers ${next.layers}, dim ${next.dim} (${count(next.params)} parameters${next.repeat ? ', a further seed' : ''}) would narrow the law at the best from ${digits(next.before, 2)} to ${digits(next.after, 2)} (standard deviation).`,
    );
  for (const { group, best: own, reason } of report.groups)
    lines.push(
      own
        ? `${settings(group)}: layers ${own.layers}, dim ${own.dim}, ${digits(own.predicted)} (${intervalText(own.interval)})`
        : `${settings(group)}: ${reason}`,
    );
  if (optimum.params !== null && optimum.params > best.params)
    lines.push(`The optimum of the law takes ${count(optimum.params)} parameters.`);
  for (const text of report.notes) lines.push(`note: ${text}`);
  return lines.join('\n');
}

function optimumText({ optimum, metric }: PredictionReport): string {
  const parts = Object.entries(optimum.axes).map(([name, axis]) => {
    if (axis.value === null)
      return `${name} ${axis.place === 'not fitted' ? 'not fitted' : `none (the law ${axis.place})`}`;
    const beyond = axis.place === 'outside' ? `, ${digits(axis.beyond, 2)}x beyond what was measured` : '';
    const interval = optimum.intervals[name as 'layers']?.interval;
    return `${name} ${digits(axis.value, 3)} (${intervalText(interval, (value) => digits(value, 3))}${beyond})`;
  });
  const there = optimum.predicted === null ? '' : `: ${metric} ${digits(optimum.predicted)}`;
  return `Optimum of the law, whatever the cost: ${parts.join(', ')}${there}`;
}
