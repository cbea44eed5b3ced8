/** A trial as a flat row: for `index.json`, tables, CSV and SQL. */
import type { TrialRecord } from './record.js';
import type { StoredTrial } from './store.js';

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

/** Every setting and every number of a trial but its curve, one column each; metrics as `test_masked_ndcg@10`. */
export function fullRow(trial: StoredTrial, record: TrialRecord | undefined): Row {
  const { config } = trial;
  const { name, ...shape } = config.model;
  const { ks: _ks, ...evaluation } = config.evaluation;
  const row: Row = {
    id: trial.id,
    status: record?.status ?? 'open',
    model: name,
    ...shape,
    users_share: config.slice.users,
    time_share: config.slice.time ?? 1,
    length_cut: config.slice.maxLength ?? null,
    seed: config.seed,
    ...config.training,
    ...evaluation,
    backend: config.backend,
    data: config.data.name,
    data_hash: config.data.hash,
    planned_params: trial.parameters,
    planned_flops: trial.flops,
  };
  if (!record) return row;
  Object.assign(row, {
    started_at: record.startedAt,
    finished_at: record.finishedAt,
    host: record.environment.host,
    perflaw: record.environment.perflaw,
    node: record.environment.node,
  });
  if (record.status === 'failed')
    return Object.assign(row, { reason: record.reason, message: record.message });
  const { result, slice, popularity } = record;
  for (const [measure, value] of Object.entries(slice))
    row[measure === 'label' ? 'slice' : `slice_${measure}`] = value;
  for (const split of ['test', 'validation'] as const)
    for (const history of ['masked', 'unmasked'] as const)
      for (const [metric, value] of Object.entries(result[split][history]))
        row[`${split}_${history}_${metric}`] = value;
  for (const history of ['masked', 'unmasked'] as const)
    for (const [metric, value] of Object.entries(popularity.test[history]))
      row[`popularity_${history}_${metric}`] = value;
  return Object.assign(row, {
    params: result.parameters.total,
    nonEmbedding: result.parameters.nonEmbedding,
    flops: result.flops.total,
    tokens: result.tokens.total,
    bestEpoch: result.bestEpoch,
    epochsRun: result.epochsRun,
    stopped: result.stopped,
    training_seconds: result.seconds.training,
    evaluation_seconds: result.seconds.evaluation,
    tokensPerSecond: result.tokensPerSecond,
    peakMemoryBytes: result.peakMemoryBytes,
  });
}
