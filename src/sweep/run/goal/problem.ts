/** A sweep's goal put to its plan: the runs to choose from, the configurations that may be named, and what cannot be reached. */

import { isOtherQuality, sliceLabel } from '../../../data/slice.js';
import { costModel } from '../../../law/cost.js';
import type { PoolRun } from '../../../law/goal/choose-round.js';
import type { GoalQuestion, Option } from '../../../law/goal/decision.js';
import { directionOf } from '../../../law/points/direction.js';
import type { Observation } from '../../../law/points/observation.js';
import { panelsOf } from '../../../law/points/points.js';
import { groupBySettings } from '../../../law/points/settings.js';
import { enumerateCandidates, withinBudget } from '../../../law/predict/candidates.js';
import { countParameters } from '../../../model/size.js';
import { UserError } from '../../../util/errors.js';
import { shortHash } from '../../../util/hash.js';
import type { Plan } from '../../file/plan.js';
import type { Sweep } from '../../file/resolve.js';
import { settingsOf } from '../../results/observations.js';
import type { StoredGoal, StoredPlan } from '../../store/layout.js';

/** What is decided, among what, from which runs. */
export interface GoalProblem extends GoalQuestion {
  goal: StoredGoal;
  /** In the order of the plan. */
  pool: PoolRun[];
}

/** So many configurations are weighed; of more, every so many of them by cost. */
const MOST_OPTIONS = 150;
/** A round is at most such a part of the pool: what is chosen later knows more. */
const PART = 8;
/** Fewest runs of a round. */
const FEWEST = 2;

/**
 * The goal of a sweep file as the plan keeps it.
 * @throws UserError for a metric that the sweep does not measure.
 */
export function storedGoal(sweep: Sweep, plan: Plan, numericVersion: number): StoredGoal | undefined {
  const { goal, evaluation } = sweep;
  if (!goal) return undefined;
  const metric = goal.metric ?? evaluation.select;
  const k = Number(metric.split('@')[1]);
  if (!evaluation.ks.includes(k))
    throw new UserError(
      `goal.metric: ${metric} is not measured: evaluation.ks is [${evaluation.ks.join(', ')}]`,
      {
        place: sweep.placeOf(['goal', 'metric']),
        remedy: `Add ${k} to evaluation.ks.`,
      },
    );
  const { params, flops, tolerance, confidence, hours } = goal;
  const most = Math.max(FEWEST, Math.ceil(plan.trials.length / PART));
  const asked = {
    ...(params === undefined ? {} : { params }),
    ...(flops === undefined ? {} : { flops }),
    // among tuned settings the validation set chooses, as everywhere: the test set would flatter the choice
    metric: plan.tuned.length > 0 ? `validation:${metric}` : metric,
    tolerance,
    confidence,
    ...(hours === undefined ? {} : { hours }),
  };
  // not the runs of a round: commands with other workers go on with the same decisions
  const key = shortHash({ ...asked, numericVersion, trials: plan.trials.map(({ id }) => id) });
  return { key, ...asked, round: goal.round ?? Math.min(most, Math.max(FEWEST, sweep.workers)) };
}

/**
 * The runs of a plan and the configurations that its goal allows.
 * @throws UserError where none does.
 */
export function goalProblem(stored: StoredPlan, placeOf?: (path: string[]) => string): GoalProblem {
  const goal = stored.goal!;
  const planned = stored.trials.map(plannedObservation);
  const parted = groupBySettings(planned, ({ config }) => config);
  const settings = new Map(parted.flatMap((group) => group.items.map((item) => [item, group.settings])));
  const pool = planned.map((one): PoolRun => {
    const own = settings.get(one)!;
    return {
      id: one.source!,
      seed: one.seed!,
      layers: one.layers,
      dim: one.dim,
      slice: one.slice,
      tokens: one.tokens!,
      cost: one.flops!,
      ...(Object.keys(own).length > 0 ? { settings: own } : {}),
    };
  });
  // what was made of the data on purpose is nothing to train on in earnest
  const plain = planned.filter(({ slice }) => !isOtherQuality(slice));
  const largest = (plain.length > 0 ? plain : planned).reduce((a, b) =>
    b.tokens! > a.tokens! ? b : a,
  ).slice;
  const models = stored.trials.map(({ config }) => config.model);
  const { params, flops } = goal;
  const asked = { ...(params === undefined ? {} : { params }), ...(flops === undefined ? {} : { flops }) };
  const options: Option[] = [];
  let refusal: UserError | undefined;
  const isLimited = params !== undefined || flops !== undefined;
  const reach = (axis: 'layers' | 'dim') => Math.max(...planned.map((one) => one[axis]));
  const inGrid = (one: { layers: number; dim: number }) =>
    one.layers <= reach('layers') && one.dim <= reach('dim');
  for (const { observations, group } of panelsOf(planned).filter(({ slice }) => slice === largest)) {
    const cost = costModel(observations, { models, numItems: stored.data.numItems });
    try {
      for (const { layers, dim, params: count, flops: work } of withinBudget(
        // without a limit nothing is asked of what lies beyond the grid
        enumerateCandidates(observations, cost).filter((one) => isLimited || inGrid(one)),
        asked,
      ))
        options.push({
          layers,
          dim,
          slice: largest,
          tokens: observations[0]!.tokens!,
          cost: work ?? count,
          ...(Object.keys(group).length > 0 ? { settings: group } : {}),
        });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refusal ??= error;
    }
  }
  if (options.length === 0)
    throw new UserError(`the goal cannot be reached: ${refusal!.message}`, {
      place: placeOf?.(['goal', params === undefined ? 'flops' : 'params']),
      remedy: `Raise it, or put smaller models into the grid.${embeddingWords(stored)}`,
      cause: refusal,
    });
  return {
    goal,
    pool,
    options: thinned(options, pool),
    direction: directionOf(goal.metric),
    tolerance: goal.tolerance,
    confidence: goal.confidence,
    most: 1,
  };
}

/** What the item table alone takes, of the smallest model. */
function embeddingWords({ trials, data }: StoredPlan): string {
  const { model } = trials.reduce((a, b) => (b.parameters < a.parameters ? b : a)).config;
  const { total, nonEmbedding } = countParameters(model, data.numItems);
  return ` The items alone take ${(total - nonEmbedding).toLocaleString('en-US')} parameters at dim ${model.dim}.`;
}

/** A planned trial as an observation without results: what it would be, and cost. */
function plannedObservation({
  id,
  config,
  parameters,
  tokens,
  flops,
}: StoredPlan['trials'][number]): Observation {
  return {
    slice: sliceLabel(config.slice),
    layers: config.model.layers,
    dim: config.model.dim,
    metrics: {},
    params: parameters,
    flops,
    tokens,
    seed: config.seed,
    config: settingsOf(config),
    source: id,
  };
}

/** Those of the pool, and every so many of the others by cost: neighbours hardly differ. */
function thinned(options: readonly Option[], pool: readonly PoolRun[]): Option[] {
  const sorted = [...options].sort((a, b) => a.cost - b.cost || a.layers - b.layers);
  if (sorted.length <= MOST_OPTIONS) return sorted;
  const planned = new Set(pool.map(({ layers, dim }) => `${layers}/${dim}`));
  const isPlanned = ({ layers, dim }: Option) => planned.has(`${layers}/${dim}`);
  const room = Math.max(MOST_OPTIONS / 3, MOST_OPTIONS - sorted.filter(isPlanned).length);
  const step = Math.ceil(sorted.length / room);
  return sorted.filter((option, i) => isPlanned(option) || (sorted.length - 1 - i) % step === 0);
}
