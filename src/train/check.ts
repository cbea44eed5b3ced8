/** What a trial may not ask for, said before any work is done. */
import { BIDIRECTIONAL, type ModelConfig, timeMode } from '../model/config.js';
import { countParameters } from '../model/size.js';
import { UserError } from '../util/errors.js';
import type { Prefixes, Proposal, TrainingConfig, TrialConfig } from './config.js';
import { parseMetric } from './metrics.js';

/** The better of the two wherever both were measured (docs/log.md). */
const DEFAULT_PROPOSAL: Proposal = 'popularity';

/** Prefixes of each history an epoch: one teaches too little for the time that an epoch's evaluation takes (docs/log.md). */
const DEFAULT_PREFIXES = 16;

/**
 * The configuration with nothing left open that depends on other settings, and each meaning written in one way: TiM4Rec's
 * time mode follows the loss, a loss at the last position has prefixes and 1 of them is a random one, sampled negatives have a
 * proposal and 0 of them are all items. One that leaves nothing open comes back as it is.
 */
export function resolveTrial(config: TrialConfig): TrialConfig {
  return { ...config, model: resolveModel(config), training: resolveTraining(config) };
}

function resolveModel({ model, training }: TrialConfig): ModelConfig {
  if (model.name !== 'tim4rec' || model.time !== undefined) return model;
  return { ...model, time: timeMode(model, training.loss) };
}

function resolveTraining(config: TrialConfig): TrainingConfig {
  const { negatives, proposal, prefixes: _prefixes, ...rest } = config.training;
  return {
    ...rest,
    ...(rest.loss === 'last' ? { prefixes: prefixesOf(config) } : {}),
    ...(negatives ? { negatives, proposal: proposal ?? DEFAULT_PROPOSAL } : {}),
  };
}

/** Which prefixes a loss at the last position trains on. */
export function prefixesOf({ model, training }: Pick<TrialConfig, 'model' | 'training'>): Prefixes {
  const prefixes = training.prefixes ?? (model.name === 'mamba4rec' ? 'every' : DEFAULT_PREFIXES);
  return prefixes === 1 ? 'random' : prefixes;
}

/** What the check must know of the data: whether events carry timestamps. */
export interface TimedData {
  name: string;
  timed: boolean;
}

/** @throws UserError for settings that contradict each other or that a model cannot be trained with. */
export function checkTrial(trial: TrialConfig, data: TimedData): void {
  const { evaluation, training, model } = trial;
  if (!evaluation.ks.includes(parseMetric(evaluation.select)))
    throw new UserError(`selection uses ${evaluation.select}, but ks is [${evaluation.ks.join(', ')}]`, {
      remedy: 'Add that K to evaluation.ks.',
    });
  if (training.rows < 1 || training.epochs < 1 || model.maxLength < 1)
    throw new UserError('rows, epochs and maxLength must be at least 1');
  countParameters(model, 1); // a headDim that does not divide is said here
  if (BIDIRECTIONAL.includes(model.name) && training.loss === 'all')
    throw new UserError(
      `${model.name} reads histories in both directions, so with a loss at all positions it would see what it predicts`,
      { remedy: 'Train it with `loss: last` (the last position of prefixes).' },
    );
  if (model.name === 'tim4rec') checkTime(trial, data);
}

function checkTime({ model, training }: TrialConfig, data: TimedData): void {
  const time = timeMode(model, training.loss);
  if (training.loss === 'all' && (time === 'paper' || time === 'masked'))
    throw new UserError(
      `tim4rec with \`time: ${time}\` mixes timestamps over the whole history, so with a loss at all positions every position would know when the items it predicts were taken`,
      { remedy: 'Use `time: causal` with `loss: all`, or `loss: last` with this time mode.' },
    );
  if (time !== 'none' && !data.timed)
    throw new UserError(`tim4rec uses the time between items, and '${data.name}' has no timestamps`, {
      place: data.name,
      remedy: 'Import it with a column of times, or train without the time path (`time: none`).',
    });
}
