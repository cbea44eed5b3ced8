/** The words and the table of `perflaw predict`: what to train, what it will reach, how sure that is, what to run next; then the rest. */

import { SLICES } from '../../law/forecast/pool.js';
import { GOOD, metricWords } from '../../law/points/direction.js';
import type { Choice } from '../../law/predict/choice.js';
import type { NextTrial } from '../../law/predict/next-trial.js';
import type { PredictionReport } from '../../law/predict/prediction.js';
import { formatBytes, formatCount, formatDuration } from '../../util/format.js';
import { formatTable } from '../../util/table.js';
import { digits, intervalText } from './fit-text.js';

/** Where a configuration lies: measured, inside, or so many times beyond. */
function place(choice: Choice): string {
  const { measured, extrapolates } = choice;
  if (measured !== null) return `measured: ${digits(measured)}`;
  if (!extrapolates) return 'inside the measured range';
  return `EXTRAPOLATED: ${beyondText(choice)} beyond what was measured`;
}

/** How many times beyond, by axis. */
const beyondText = ({ beyond }: Choice) =>
  (['layers', 'dim'] as const)
    .filter((axis) => beyond[axis] > 1)
    .map((axis) => `${axis} ${digits(beyond[axis], beyond[axis] < 1.1 ? 3 : 2)}x`)
    .join(', ');

const count = (value: number) => value.toLocaleString('en-US');
const settings = (group: Choice['group']) =>
  Object.entries(group)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');

/** @param verbose whether the law, the other forms, the optimum and the frontier are told too. */
export function predictionText(report: PredictionReport, verbose = false): string {
  const { best, smallest, next, metric } = report;
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
    `Best ${metricWords(metric, report.direction)} within ${report.budgetText}: layers ${best.layers}, dim ${best.dim}${settings(best.group) ? `, ${settings(best.group)}` : ''}${onShare(best)}`,
    ...expectedText(report, percent),
    ...(next ? [nextText(report, next)] : []),
    '',
    formatTable(
      header,
      [
        ...row('train', best),
        ...(best.extrapolates ? row('best in measured range', report.bestMeasuredRange) : []),
        ...(isSame(report.highest, best)
          ? []
          : row(`${GOOD[report.direction].highest} expected`, report.highest)),
        ...row('best on budget line', report.budgetLine),
        ...row('smallest in interval', smallest),
        ...report.asked.flatMap((choice) => row('asked for', choice)),
      ],
      { spare: ['memory', 'time', 'FLOPs', 'parameters'] },
    ),
  ];
  if (smallest.params < best.params)
    lines.push(
      '',
      `You need not spend it all: layers ${smallest.layers}, dim ${smallest.dim} has ${digits((100 * smallest.params) / best.params, 2)} % of the parameters and is expected to lose ${digits(Math.abs(best.predicted - smallest.predicted), 2)}.`,
    );
  for (const { group, best: own, reason } of report.groups)
    lines.push(
      own
        ? `${[settings(group), own.share !== null && report.groups.some(({ best: other }) => other && other.slice !== own.slice) ? `slice ${own.slice}` : ''].filter(Boolean).join(', ')}: layers ${own.layers}, dim ${own.dim}, ${digits(own.predicted)} (${intervalText(own.interval)})`
        : `${settings(group)}: ${reason}`,
    );
  if (verbose) lines.push(...detailText(report));
  for (const text of report.notes) lines.push(`note: ${text}`);
  if (!verbose)
    lines.push('--verbose tells the law, what other forms expect, the optimum, and the best for every cost.');
  return lines.join('\n');
}

/** What it will probably reach, how far that lies beyond what was measured, and how sure the choice is. */
function expectedText(report: PredictionReport, percent: string): string[] {
  const { best, metric, range, decision } = report;
  const [low, high] = best.interval;
  const held =
    low === null || high === null
      ? ''
      : `; a new run lies between ${digits(low)} and ${digits(high)} with ${percent} probability`;
  const own = decision.options.find((one) => isSame(one, best))!;
  const within = `no other is better by more than ${digits(decision.tolerance, 2)} with probability ${percentOf(own.within)}`;
  // other data than any slice holds is told by a note
  const isSlice = report.otherSlices.length > 0 && report.forecast.tried.data === undefined;
  return [
    `Expect: ${metric} ${digits(best.predicted)}${isSlice ? ` on slice ${best.slice}` : ''}${held}.`,
    ...(best.extrapolates
      ? [
          `It lies beyond what was measured (${beyondText(best)}; measured: layers ${[...new Set(range.layers)].join(' to ')}, dim ${[...new Set(range.dim)].join(' to ')})${best.calibrated ? '' : ' and is not calibrated: too few levels were measured to know how far such forecasts go wrong, so the interval is a wide guess'}.`,
        ]
      : []),
    decision.sure
      ? `How sure: ${within}, and it is the cheapest of which that can be said.`
      : `How sure: not yet. ${within[0]!.toUpperCase()}${within.slice(1)}; of the likelier ones it is the cheapest that is expected to be as good. It is expected to lose ${digits(own.regret, 2)} against the best.`,
  ];
}

/** The law and what speaks beside it, for those who ask. */
function detailText(report: PredictionReport): string[] {
  const { best, optimum, range } = report;
  const lines = [
    '',
    `slice ${report.slice}${report.otherSlices.length > 0 ? ` (also measured: ${report.otherSlices.join('; ')})` : ''}; law ${report.form}: ${report.because}`,
    `${report.fitting} of ${report.considered} configurations fit; measured: layers ${[...new Set(range.layers)].join(' to ')}, dim ${[...new Set(range.dim)].join(' to ')}`,
    ...oddsText(report),
  ];
  if (report.otherForms.length > 0)
    lines.push(
      `The same by the other forms: ${report.otherForms.map(({ form, predicted, best: own }) => `${form} ${digits(predicted)}${own.layers === best.layers && own.dim === best.dim ? '' : ` (itself it would take layers ${own.layers}, dim ${own.dim})`}`).join('; ')}. The interval holds as far as the form does.`,
    );
  lines.push(optimumText(report));
  if (optimum.params !== null && optimum.params > best.params)
    lines.push(`The optimum of the law takes ${count(optimum.params)} parameters.`);
  if (report.frontier.length > 1)
    lines.push('', 'The best expected for what it costs:', '', frontierText(report), '');
  return lines;
}

/** Which share of the data, where the budget might have been spent on less. */
const onShare = ({ slice, share }: Choice) =>
  share !== null && share < 1 ? `, on slice ${slice} (${percentOf(share)} of the data)` : '';

const isSame = (a: Choice, b: Choice) =>
  a.layers === b.layers && a.dim === b.dim && a.slice === b.slice && settings(a.group) === settings(b.group);

/** The next run, what it costs and what it brings. */
function nextText({ best, decision, highest, slice }: PredictionReport, next: NextTrial): string {
  const { layers, dim, params, repeat, price, before, after, opens } = next;
  const where = next.slice === slice ? '' : ` on slice ${next.slice}`;
  const run = `Next run: layers ${layers}, dim ${dim}${where} (${count(params)} parameters${repeat ? ', a further seed' : ''}, ${digits(100 * price, 2)} % of the cost of what to train)`;
  if (opens !== null) {
    const isBest = layers === best.layers && dim === best.dim && next.slice === best.slice;
    const why =
      best.beyond[opens] > 1
        ? `; until it is there, what lies beyond the measured range of ${opens} rests on what other slices tell`
        : `, without which nothing beyond the measured range of ${opens} can be predicted`;
    return `${isBest ? 'Next run: that one itself' : run}: a third value of ${opens}${why}.`;
  }
  const what =
    isSame(highest, best) || !decision.sure
      ? 'what is expected of it'
      : 'the difference to the highest expected';
  const less = before === null || after === null ? '' : ` by ${percentOf(1 - after / before)}`;
  return `${run} would make ${what} surer${less}: a standard deviation of ${digits(after, 2)} instead of ${digits(before, 2)}.`;
}

const percentOf = (share: number) => `${Math.round(100 * share)} %`;

/** The others' odds, and how much of the law is believed beyond what was measured. */
function oddsText({ best, decision: { options }, forecast }: PredictionReport): string[] {
  const own = options.find((one) => isSame(one, best))!;
  const lines: string[] = [];
  const rivals = options.filter((one) => !isSame(one, best) && one.best >= 0.05).slice(0, 3);
  if (rivals.length > 0)
    lines.push(
      `May be the best: ${[...rivals, own]
        .sort((a, b) => b.best - a.best)
        .map(
          (one) =>
            `layers ${one.layers}, dim ${one.dim}${settings(one.group) ? `, ${settings(one.group)}` : ''} ${percentOf(one.best)}`,
        )
        .join('; ')}.`,
    );
  if (best.extrapolates) {
    const { layers, dim, data } = forecast.tried;
    const levels = (number: number) => `${number} ${number === 1 ? 'level' : 'levels'}`;
    const { elsewhere } = forecast;
    const others =
      elsewhere.layers + elsewhere.dim > 0
        ? `, on other slices ${elsewhere.layers} and ${elsewhere.dim}, which count half`
        : '';
    const tried = `${levels(layers)} of layers${data === undefined ? ' and' : ','} ${dim} of dim${data === undefined ? '' : ` and ${data} of data`} were predicted from the lower ones${others}`;
    const told = forecast.weights?.[SLICES];
    if (told !== undefined)
      lines.push(`Other slices were measured there: what they tell counts ${percentOf(told)}.`);
    lines.push(
      best.believed === null || best.believed < 0 || best.believed > 1.2
        ? `Beyond what was measured the forecast speaks, not the law: ${tried}.`
        : `Beyond what was measured ${percentOf(best.believed)} of what the law says the metric changes from the nearest run on is believed: ${tried}, and each way of predicting counts by its errors there.`,
    );
  }
  return lines;
}

/** The best expected for every cost, thinned to some ten rows. */
export function frontierText({ frontier, metric, level }: PredictionReport): string {
  const step = Math.max(1, Math.ceil(frontier.length / 10));
  const rows = frontier.filter((_, i) => (frontier.length - 1 - i) % step === 0);
  const several = new Set(rows.map(({ slice }) => slice)).size > 1;
  const hasFlops = frontier.every(({ flops }) => flops !== undefined);
  return formatTable(
    [
      ...(hasFlops ? ['FLOPs'] : []),
      ...(several ? ['slice'] : []),
      'parameters',
      'layers',
      'dim',
      metric,
      `${Number((100 * level).toPrecision(3))} % interval`,
      '',
    ],
    rows.map((one) => [
      ...(hasFlops ? [formatCount(one.flops!)] : []),
      ...(several ? [one.slice] : []),
      count(one.params),
      String(one.layers),
      String(one.dim),
      digits(one.predicted),
      intervalText(one.interval),
      one.extrapolates ? 'beyond' : '',
    ]),
  );
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
