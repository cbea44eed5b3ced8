/** A trial's configuration made whole for its model, and what it may not ask for, said before any work is done. */
import { sliceLabel } from '../data/slice.js';
import { defaultLoss, MEANT_FOR, type ModelConfig } from '../model/config.js';
import { kindOf } from '../model/kinds.js';
import type { LossPlace } from '../model/settings.js';
import { countParameters } from '../model/size.js';
import { UserError } from '../util/errors.js';
import type { Prefixes, Proposal, TrainingConfig, TrialConfig } from './config.js';
import { parseMetric } from './evaluation/metrics.js';
import { plainRate } from './rate.js';

/** The better of the two wherever both were measured (docs/log.md). */
const DEFAULT_PROPOSAL: Proposal = 'popularity';

/** Prefixes of each history an epoch: one teaches too little for the time that an epoch's evaluation takes (docs/log.md). */
const DEFAULT_PREFIXES = 16;

/** A configuration that may leave the place of the loss to its model, and may name settings of other models. */
export type OpenTrial = Omit<TrialConfig, 'training'> & {
  training: Omit<TrainingConfig, 'loss'> & { loss?: LossPlace };
};

/**
 * The configuration made whole for its model: nothing left open that depends on other settings, nothing named that means nothing
 * to this model, and each meaning written in one way. The loss is where the model's is, TiM4Rec's time mode follows the loss, a loss
 * at the last position has prefixes and 1 of them is a random one, sampled negatives have a proposal and 0 of them are
 * all items, and a rate that follows the width with power 0 is a plain one. A whole one comes back as it is.
 * @throws UserError where expand or headDim do not go with dim.
 */
export function resolveTrial(open: OpenTrial): TrialConfig {
  const loss = open.training.loss ?? defaultLoss(open.model.name);
  const model = resolveModel(open.model, loss);
  return { ...open, model, training: resolveTraining(model, { ...open.training, loss }) };
}

function resolveModel(model: ModelConfig, loss: LossPlace): ModelConfig {
  const kind = kindOf(model);
  const own = { ...model };
  for (const [setting, models] of MEANT_FOR) if (!models.includes(model.name)) delete own[setting];
  if (kind.headDim !== undefined) own.headDim ??= kind.headDim;
  Object.assign(own, kind.complete?.(own, loss));
  // Left out, as it was before there was a choice: trials of that time are the same trials.
  if (own.residual === 'published') delete own.residual;
  countParameters(own, 1); // a dim that does not go with expand or headDim is said here
  return own;
}

function resolveTraining(model: ModelConfig, training: TrainingConfig): TrainingConfig {
  const { negatives, proposal, prefixes: _prefixes, ...rest } = training;
  return {
    ...rest,
    learningRate: plainRate(rest.learningRate),
    ...(rest.loss === 'last' ? { prefixes: prefixesOf({ model, training }) } : {}),
    ...(negatives ? { negatives, proposal: proposal ?? DEFAULT_PROPOSAL } : {}),
  };
}

/** Which prefixes a loss at the last position trains on. */
export function prefixesOf({ model, training }: Pick<TrialConfig, 'model' | 'training'>): Prefixes {
  const prefixes = training.prefixes ?? (kindOf(model).everyPrefix ? 'every' : DEFAULT_PREFIXES);
  return prefixes === 1 ? 'random' : prefixes;
}

/** What the check must know of the data. */
export interface TrialData {
  name: string;
  numItems: number;
  /** Whether events carry timestamps. */
  timed: boolean;
}

/** @throws UserError where a ranking has one candidate. */
export function checkItems({ name, numItems }: Pick<TrialData, 'name' | 'numItems'>): void {
  if (numItems < 2)
    throw new UserError('there is only one item, so there is nothing to rank and nothing to learn', {
      place: name,
      remedy: 'Check which column is read as item (--item), or use more data.',
    });
}

/** @throws UserError for settings that contradict each other or that a model cannot be trained with. */
export function checkTrial(trial: TrialConfig, data: TrialData): void {
  const { evaluation, training, model } = trial;
  checkItems(data);
  const { bidirectional, contradiction, time } = kindOf(model);
  if (!evaluation.ks.includes(parseMetric(evaluation.select)))
    throw new UserError(`selection uses ${evaluation.select}, but ks is [${evaluation.ks.join(', ')}]`, {
      remedy: 'Add that K to evaluation.ks.',
    });
  if (training.rows < 1 || training.epochs < 1 || model.maxLength < 1)
    throw new UserError('rows, epochs and maxLength must be at least 1');
  if (bidirectional && training.loss === 'all')
    throw new UserError(
      `${model.name} reads histories in both directions, so with a loss at all positions it would see what it predicts`,
      { remedy: 'Train it with `loss: last` (the last position of prefixes).' },
    );
  const fault = contradiction?.(model, training.loss);
  if (fault) throw new UserError(fault.message, { remedy: fault.remedy });
  if (time?.used(model) && !data.timed)
    throw new UserError(`${model.name} uses the time between items, and '${data.name}' has no timestamps`, {
      place: data.name,
      remedy: `Import it with a column of times, or ${time.without}.`,
    });
}

/**
 * What the data leaves to train on and to rank, said before the time for it is spent.
 * @param predictions of one epoch on the slice. @param leaves see `leavesMoreThan`.
 * @throws UserError when there is nothing to predict in training, or nothing to choose an epoch by.
 */
export function checkData(
  { slice, evaluation, split }: TrialConfig,
  name: string,
  predictions: number,
  leaves: (k: number) => boolean,
): void {
  if (!(predictions > 0)) {
    const label = sliceLabel(slice);
    throw new UserError(
      `no history${label === 'all' ? '' : ` of the slice ${label}`} has two events to train on: ${split ? 'what came later is held out' : 'the last two of each are held out, one to validate and one to test'}`,
      {
        place: name,
        remedy:
          label === 'all'
            ? 'Use data in which users have at least four events.'
            : 'Use a larger slice, or data in which users have at least four events.',
      },
    );
  }
  if (evaluation.history === 'masked' && !leaves(1))
    throw new UserError(
      'every user has had all items but the one to be predicted: with the history masked there is nothing to rank',
      {
        place: name,
        remedy:
          'Choose by rankings that keep the history (`evaluation: {history: unmasked}`, `--history unmasked`).',
      },
    );
}

/** What a person should know of numbers that say nothing about the model, and of settings without effect on this data. */
export function trialNotes(
  { evaluation, training }: TrialConfig,
  numItems: number,
  leaves: (k: number) => boolean,
): string[] {
  const notes: string[] = [];
  const say = (ks: number[], why: string) => {
    const names = ks.map((k) => `hr@${k}`);
    if (ks.length > 0)
      notes.push(`${why}, so that ${list(names)} ${ks.length === 1 ? 'is' : 'are'} 1 whatever the model.`);
  };
  say(
    evaluation.ks.filter((k) => k >= numItems),
    `there are only ${numItems} items`,
  );
  const few = evaluation.ks.filter((k) => k < numItems && !leaves(k));
  say(few, `with the history masked nobody has more than ${Math.min(...few)} items left to rank`);
  if ((training.negatives ?? 0) > numItems)
    // the table has a row of padding too
    notes.push(
      `there are only ${numItems} items, so that ${training.negatives} negatives are all of them and the loss is the full one.`,
    );
  return notes;
}

function list(names: string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
