/** What `perflaw sweep` says at its end. */
import { relative } from 'node:path';
import { varyingColumns } from '../../sweep/results/varying.js';
import type { RunSummary } from '../../sweep/run/run.js';
import type { PreparedSweep } from '../../sweep/run/start.js';
import { beatsPopularity, type DoneRecord } from '../../sweep/store/record.js';
import { formatCount, formatDuration } from '../../util/format.js';
import { formatTable } from '../../util/table.js';
import { print } from '../options/command.js';

function selected({ config, result }: DoneRecord): number {
  const { select, history } = config.evaluation;
  return result.validation[history][select] ?? 0;
}

/** The answer of `perflaw sweep --json`. */
export function summaryJson(prepared: PreparedSweep, summary: RunSummary, done: DoneRecord[]) {
  const { sweep, store, stored } = prepared;
  const { records, ...counts } = summary;
  return {
    name: sweep.name,
    path: store.path,
    data: stored.data,
    ...counts,
    planned: stored.trials.length,
    best: [...done].sort((a, b) => selected(b) - selected(a))[0]?.id ?? null,
    trials: stored.trials.map(({ id, label, config }) => {
      const record = records.get(id);
      const { model, training, slice, seed } = config;
      const head = { id, label, model, training, slice, seed };
      if (!record) return { ...head, status: 'open' };
      if (record.status === 'failed') {
        const { status, reason, message } = record;
        return { ...head, status, reason, message, log: store.logFile(id) };
      }
      const { curve: _curve, ...result } = record.result;
      return { ...head, status: 'done', ...result, popularity: record.popularity };
    }),
  };
}

/** Longest table printed at the end; `perflaw results` shows them all. */
const MOST_ROWS = 40;

/** What a sweep says at its end: the trials beside the baseline, what failed, the next command. */
export function printSummary(path: string, summary: RunSummary, done: DoneRecord[]): void {
  const folder = relative('.', path) || '.';
  if (done.length > 0) {
    const sorted = [...done].sort((a, b) => selected(b) - selected(a));
    print(resultTable(sorted.slice(0, MOST_ROWS)));
    if (sorted.length > MOST_ROWS)
      print(`... and ${sorted.length - MOST_ROWS} more: perflaw results ${folder}`);
    const best = sorted[0]!;
    const { select, history } = best.config.evaluation;
    print();
    print(`Best on validation (${select}, history ${history}): trial ${best.id}.`);
    const below = done.filter((record) => !beatsPopularity(record)).length;
    if (below > 0) print(`${below} of ${done.length} trials are not better than the popularity baseline.`);
  }
  for (const record of summary.records.values())
    if (record.status === 'failed')
      print(
        `Failed: trial ${record.id} (${record.reason}): ${record.message}; log: ${folder}/trials/${record.id}/log.txt`,
      );
  const { failed, halved, open, kept, seconds, overBudget, left } = summary;
  const parts = [`${done.length} done${kept > 0 ? ` (${kept} kept from before)` : ''}`];
  if (halved > 0) parts.push(`${halved} of them ended early by halving (fit leaves them out)`);
  if (failed > 0) parts.push(`${failed} failed (again with --retry-failed)`);
  if (overBudget > 0) parts.push(`${overBudget} past the budget of hours`);
  if (left > 0) parts.push(`${left} in the queue or running`);
  if (open - overBudget - left > 0) parts.push(`${open - overBudget - left} open (the same command goes on)`);
  print(`${parts.join(', ')}; ${formatDuration(seconds)}; ${folder}`);
  if (done.length > 0 && !summary.interrupted) print('Next: perflaw fit');
}

function resultTable(records: DoneRecord[]): string {
  const number = (value: number | undefined) => (value === undefined ? '-' : value.toFixed(4));
  const first = records[0]!.config.evaluation;
  const k = first.select.split('@')[1];
  const metrics = [`ndcg@${k}`, `hr@${k}`];
  const varying = varyingColumns(
    records.map(({ config }) => config),
    ['model'],
  );
  const other = first.history === 'masked' ? 'unmasked' : 'masked';
  return [
    `Test metrics, history ${first.history}; beside them the popularity baseline (pop), then history ${other}.`,
    formatTable(
      [
        ...['trial', 'model', 'slice', 'layers', 'dim', ...varying.names, 'seed', 'params'],
        ...metrics.flatMap((metric) => [metric, 'pop']),
        ...metrics.map((metric) => `${metric} ${other}`),
        'time',
      ],
      records.map(({ id, config, slice, result, popularity }) => [
        id,
        config.model.name,
        slice.label,
        String(config.model.layers),
        String(config.model.dim),
        ...varying.of(config).map(String),
        String(config.seed),
        formatCount(result.parameters.total),
        ...metrics.flatMap((metric) => [
          number(result.test[first.history][metric]),
          number(popularity.test[first.history][metric]),
        ]),
        ...metrics.map((metric) => number(result.test[other][metric])),
        formatDuration(result.seconds.training + result.seconds.evaluation),
      ]),
      {
        spare: [
          'model',
          'seed',
          `hr@${k} ${other}`,
          `ndcg@${k} ${other}`,
          'params',
          'pop',
          'time',
          'slice',
          'layers',
        ],
      },
    ),
  ].join('\n');
}
