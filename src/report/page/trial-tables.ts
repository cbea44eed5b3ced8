/** The trials as tables: finished ones best first, failed ones with what they died of. */
import { varyingColumns } from '../../sweep/results/varying.js';
import type { DoneRecord } from '../../sweep/store/record.js';
import { formatBytes, formatCount, formatDuration } from '../../util/format.js';
import { recordSlice } from '../view/label.js';
import { baselineOf, metricLabel, metricOf, type ReportInput } from '../view/view.js';
import { count, share } from '../words/words.js';
import { dataTable, type Html, html } from './html.js';

const optional = (value: number | undefined) => (value === undefined ? '' : share(value));
/** The second number is the standard error over users. */
const withError = (value: number | undefined, error: number | undefined) =>
  value === undefined || error === undefined ? optional(value) : `${share(value)} ± ${share(error)}`;

export function trialsTable(input: ReportInput): Html {
  const { metric, done } = input;
  if (done.length === 0) return html`<p>No trial has finished.</p>`;
  const worst = metric.direction === 'minimize' ? Infinity : -Infinity;
  const rank = (record: DoneRecord) =>
    (metric.direction === 'minimize' ? 1 : -1) * (metricOf(record, metric) ?? worst);
  const sorted = [...done].sort((a, b) => rank(a) - rank(b) || 0);
  const varying = varyingColumns(done.map(({ config }) => config));
  const name = metricLabel(metric.name);
  const cutoff = (metric.name === 'loss' ? done[0]!.config.evaluation.select : metric.name).split('@')[1];
  const other = metric.name.startsWith('hr@') ? `ndcg@${cutoff}` : `hr@${cutoff}`;
  return dataTable(
    `${count(done.length, 'finished trial')}, best ${metric.split} ${name} first${done.some(({ result }) => result.standardErrors) ? '; behind ± the standard error over users' : ''}`,
    [
      'trial',
      ...varying.names,
      'layers',
      'dim',
      'slice',
      'seed',
      'parameters',
      `validation ${name}`,
      `test ${name}`,
      `test ${metricLabel(other)}`,
      `popularity ${name}`,
      'best epoch',
      'epochs',
      'tokens/s',
      'time',
      'memory',
    ],
    sorted.map((record) => {
      const { result, config } = record;
      return [
        record.id,
        ...varying.of(config),
        config.model.layers,
        config.model.dim,
        record.slice.label,
        config.seed,
        formatCount(result.parameters.total),
        ...[
          { part: 'validation' as const, metric: metric.name },
          { part: 'test' as const, metric: metric.name },
          { part: 'test' as const, metric: other },
        ].map((one) =>
          withError(
            result[one.part][metric.history][one.metric],
            result.standardErrors?.[one.part][metric.history][one.metric],
          ),
        ),
        optional(baselineOf(record, { ...metric, split: 'test' })),
        result.bestEpoch,
        result.epochsRun,
        formatCount(result.tokensPerSecond),
        formatDuration(result.seconds.training + result.seconds.evaluation),
        formatBytes(result.peakMemoryBytes),
      ];
    }),
  );
}

export function failedTable(input: ReportInput): Html {
  const { failed } = input;
  if (failed.length === 0) return html``;
  const varying = varyingColumns([...input.done, ...failed].map(({ config }) => config));
  return html`<h3>Failed trials</h3>${dataTable(
    count(failed.length, 'failed trial'),
    ['trial', ...varying.names, 'layers', 'dim', 'slice', 'seed', 'reason', 'message'],
    failed.map((record) => [
      record.id,
      ...varying.of(record.config),
      record.config.model.layers,
      record.config.model.dim,
      recordSlice(record),
      record.config.seed,
      record.reason.replaceAll('-', ' '),
      record.message.slice(0, 400),
    ]),
  )}<p class="quiet">Their logs lie in the records' folder. <code>perflaw sweep --retry-failed</code> runs them again.</p>`;
}
