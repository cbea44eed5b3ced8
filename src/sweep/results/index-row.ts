/** A trial as a flat row: for `index.json`, tables, CSV, Parquet and SQL. */

import { sliceLabel } from '../../data/slice.js';
import type { StoredTrial } from '../store/layout.js';
import type { TrialRecord } from '../store/record.js';
import { observationOf, settingsOf } from './observations.js';

export type Row = Record<string, string | number | null>;

/** What people look for first. */
export function indexRow(trial: StoredTrial, record: TrialRecord | undefined): Row {
  const { config } = trial;
  const head = { id: trial.id, trial: trial.label, status: record?.status ?? 'open' };
  if (!record) return head;
  if (record.status === 'failed') return { ...head, reason: record.reason, message: record.message };
  const { select, history } = config.evaluation;
  return { ...head, [`test ${select}`]: record.result.test[history][select] ?? null };
}

/**
 * Every setting and number of a trial but its curve. Names are those that `perflaw fit` reads from a table: `slice`,
 * `layers`, `dim`, `hr@10` (test, history as selected), `validation:hr@10`, `unmasked:hr@10`, `popularity:hr@10`,
 * `se:hr@10` (standard error over users; `se:` stands before any of the metrics),
 * `tokens` (of the slice), `params`, `seed`.
 * @param tuned settings that the sweep tuned: named in every row, so that the table says it too.
 */
export function fullRow(
  trial: StoredTrial,
  record: TrialRecord | undefined,
  tuned: readonly string[] = [],
): Row {
  const { config } = trial;
  const { layers, dim } = config.model;
  const { history } = config.evaluation;
  const { model, ...settings } = settingsOf(config);
  const row: Row = {
    id: trial.id,
    status: record?.status ?? 'open',
    model: model!,
    slice: sliceLabel(config.slice),
    layers,
    dim,
    ...settings,
    seed: config.seed,
    params: trial.parameters,
    tokens: trial.tokens,
    flops: trial.flops,
    users_share: config.slice.users,
    time_share: config.slice.time ?? 1,
    length_cut: config.slice.maxLength ?? null,
    data_hash: config.data.hash,
    ...(tuned.length > 0 ? { tuned: tuned.join(' ') } : {}),
  };
  if (!record) return row;
  const { environment } = record;
  Object.assign(row, {
    started_at: record.startedAt,
    finished_at: record.finishedAt,
    host: environment.host,
    perflaw: environment.perflaw,
    node: environment.node,
  });
  if (record.status === 'failed')
    return Object.assign(row, { reason: record.reason, message: record.message });
  const { result, popularity } = record;
  const seen = observationOf(record);
  for (const [metric, value] of Object.entries(popularity.test[history])) row[`popularity:${metric}`] = value;
  if (popularity.test.loss !== undefined) row['popularity:loss'] = popularity.test.loss;
  const errors = Object.entries(seen.standardErrors ?? {}).map(([name, value]) => [`se:${name}`, value]);
  return Object.assign(row, seen.quality, seen.metrics, Object.fromEntries(errors), {
    params: result.parameters.total,
    nonEmbeddingParams: result.parameters.nonEmbedding,
    flops: result.flops.total,
    training_tokens: result.tokens.total,
    bestEpoch: result.bestEpoch,
    epochsRun: result.epochsRun,
    stopped: result.stopped,
    seconds: seen.seconds,
    tokensPerSecond: result.tokensPerSecond,
    peakMemoryBytes: result.peakMemoryBytes,
  });
}

/** The learning curve of a trial, a row an epoch and a row an evaluation within one. */
export function curveRows(record: TrialRecord): Row[] {
  if (record.status !== 'done') return [];
  const { history } = record.config.evaluation;
  const evaluations = record.result.curve.flatMap(({ within = [], ...epoch }) => [
    ...within.filter(({ step }) => step < epoch.step).map((one) => ({ epoch: epoch.epoch, ...one })),
    epoch,
  ]);
  return evaluations.map(({ validation, ...epoch }) => ({
    id: record.id,
    ...epoch,
    ...(validation?.loss === undefined ? {} : { 'validation:loss': validation.loss }),
    ...Object.fromEntries(
      Object.entries(validation?.[history] ?? {}).map(([metric, value]) => [`validation:${metric}`, value]),
    ),
  }));
}
