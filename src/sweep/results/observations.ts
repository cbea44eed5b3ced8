/** A sweep's results as the law reads them. Light: no training code, no database, 10,000 results in about a second. */
import { basename } from 'node:path';
import { splitLabel } from '../../data/split.js';
import type { Observation } from '../../law/points/observation.js';
import type { Settings } from '../../law/points/settings.js';
import type { ModelConfig } from '../../model/config.js';
import type { TrialConfig } from '../../train/config.js';
import { rateSetting } from '../../train/rate.js';
import type { TrainingResult } from '../../train/result.js';
import { UserError } from '../../util/errors.js';
import { canonicalJson } from '../../util/hash.js';
import { chosenIds, readDecisions } from '../store/decisions.js';
import { findSweep } from '../store/locate.js';
import { beatsPopularity, type DoneRecord, isHalved, type SliceMeasures } from '../store/record.js';
import { SweepStore } from '../store/store.js';
import { resultAt } from './rank-metrics.js';

/** What a sweep has measured so far, as observations for a law. */
export interface SweepObservations {
  /** The sweep's name and folder. */
  name: string;
  path: string;
  observations: Observation[];
  /** Items of the data set, which decide the size of the embedding. */
  numItems: number;
  /** The different models of the observations. */
  models: ModelConfig[];
  /** Settings that the sweep tuned: `tunedEnvelope` takes the best of them for each configuration. */
  tuned: string[];
  /** Trials recorded as failed, and trials in the plan; of a goal, those chosen so far. */
  failed: number;
  planned: number;
  /** Trials that successive halving ended early: left out unless asked for. */
  halved: number;
  /** Those left out, for `tunedEnvelope`. */
  dropped: Observation[];
  /** Observations that are not better than the popularity baseline. */
  belowPopularity: number;
  /** Results that could not be used: the file, and why. */
  damaged: { path: string; reason: string }[];
}

/**
 * Reads the results of a sweep, finished or not.
 * @param runs a folder, a name under reports/, or undefined for the sweep that ran last.
 * @param options.halved takes trials too that successive halving ended early: they are worse than their size could be.
 * @param options.metric one that will be asked for: at a K that was not computed in training it comes from the ranks.
 * @throws UserError when there is no such sweep or its plan cannot be read.
 */
export async function readSweepObservations(
  runs?: string,
  options: { halved?: boolean; metric?: string } = {},
): Promise<SweepObservations> {
  const path = findSweep(runs);
  const store = new SweepStore(path);
  const plan = store.readPlan();
  const observations: Observation[] = [];
  const dropped: Observation[] = [];
  const models = new Map<string, ModelConfig>();
  const damaged: { path: string; reason: string }[] = [];
  let failed = 0;
  let halved = 0;
  let belowPopularity = 0;
  for (const { id } of plan.trials) {
    const trial = store.readTrial(id, plan.numericVersion, { curve: false });
    if (trial.state === 'damaged') damaged.push({ path: trial.path, reason: trial.reason });
    else if (trial.state === 'failed') failed++;
    else if (trial.state === 'done' && trial.record.status === 'done') {
      if (isHalved(trial.record)) {
        halved++;
        if (!options.halved) {
          dropped.push(observationOf(trial.record));
          continue;
        }
      }
      observations.push(observationOf(withCutOff(store, trial.record, options.metric)));
      if (!beatsPopularity(trial.record)) belowPopularity++;
      models.set(canonicalJson(trial.record.config.model), trial.record.config.model);
    }
  }
  return {
    name: plan.name || basename(path),
    path,
    observations,
    numItems: plan.data.numItems,
    tuned: plan.tuned ?? [],
    models: [...models.values()],
    failed,
    halved,
    dropped,
    belowPopularity,
    planned: plan.goal ? chosenIds(readDecisions(path, plan.goal)).size : plan.trials.length,
    damaged,
  };
}

/** The record with its metrics at the K of `metric` too, where its ranks were kept. */
function withCutOff(store: SweepStore, record: DoneRecord, metric: string | undefined): DoneRecord {
  const k = Number(/(?:hr|ndcg|mrr)@([1-9][0-9]*)$/i.exec(metric ?? '')?.[1]);
  const { ks } = record.config.evaluation;
  if (!k || ks.includes(k)) return record;
  try {
    return { ...record, result: resultAt(record.result, store.readRanks(record), [...ks, k]) };
  } catch (error) {
    if (error instanceof UserError) return record; // then it has no such metric, and that is said where it is looked for
    throw error;
  }
}

/** A record as an observation: test metrics of the history mode that selection looked at under their plain names. */
export function observationOf(record: DoneRecord): Observation {
  const { config, result, slice } = record;
  const { history } = config.evaluation;
  const errors = result.standardErrors;
  const { dim, layers } = config.model;
  return {
    slice: slice.label,
    layers,
    dim,
    metrics: named(result, history),
    ...(errors && { standardErrors: named(errors, history) }),
    params: result.parameters.total,
    nonEmbeddingParams: result.parameters.nonEmbedding,
    flops: result.flops.total,
    trainingTokens: result.tokens.total,
    tokens: slice.tokens,
    quality: qualities(slice),
    seed: config.seed,
    seconds: result.seconds.training + result.seconds.evaluation,
    peakMemoryBytes: result.peakMemoryBytes,
    tokensPerSecond: result.tokensPerSecond,
    config: settingsOf(config),
    source: record.id,
  };
}

/** Metrics of the test as selected under their plain names, of validation and of the other history under names of their own. */
function named(
  { validation, test }: Pick<TrainingResult, 'validation' | 'test'>,
  history: 'masked' | 'unmasked',
): Record<string, number> {
  const other = history === 'masked' ? 'unmasked' : 'masked';
  const metrics: Record<string, number> = { ...test[history] };
  for (const [name, value] of Object.entries(validation[history])) metrics[`validation:${name}`] = value;
  for (const [name, value] of Object.entries(test[other])) metrics[`${other}:${name}`] = value;
  // Over all items: there is one loss, whatever the history.
  if (test.loss !== undefined) metrics['loss'] = test.loss;
  if (validation.loss !== undefined) metrics['validation:loss'] = validation.loss;
  return metrics;
}

/** Everything that decides a trial's result but its size, slice and seed: runs that differ in any of it are no repeats. */
export function settingsOf({
  model,
  training,
  evaluation,
  data,
  split,
  backend,
  startFrom,
}: TrialConfig): Settings {
  const { name, dim: _dim, layers: _layers, ...shape } = model;
  const { select, history, users, testUsers } = evaluation;
  return {
    model: name,
    ...shape,
    ...training,
    learningRate: rateSetting(training.learningRate),
    select,
    history,
    backend,
    data: data.name,
    ...(split ? { split: splitLabel(split) } : {}),
    ...(users === undefined ? {} : { evaluatedUsers: users }),
    ...(testUsers === undefined ? {} : { testUsers }),
    ...(startFrom ? { startFrom } : {}),
  };
}

/** The numeric measures of a slice but its size; `apen` is the pooled one. */
function qualities(slice: SliceMeasures): Record<string, number> {
  const quality: Record<string, number> = { apen: slice.apenPooled };
  for (const [name, value] of Object.entries(slice))
    if (typeof value === 'number' && name !== 'tokens' && name !== 'users') quality[name] = value;
  return quality;
}
