/** The plan of a sweep: which trials, under which identities, in which order, at what cost. */
import type { SliceSpec } from '../../data/slice.js';
import { sliceLabel } from '../../data/slice.js';
import type { ModelConfig } from '../../model/config.js';
import {
  checkData,
  checkItems,
  checkTrial,
  prefixesOf,
  resolveTrial,
  trialNotes,
} from '../../train/check.js';
import type { TrialConfig } from '../../train/config.js';
import { trialId } from '../../train/identity.js';
import { UserError } from '../../util/errors.js';
import { canonicalJson } from '../../util/hash.js';
import { expandSweep } from './expand.js';
import { dropoutNotes, residualNotes, widthNotes } from './notes.js';
import type { Sweep } from './resolve.js';

interface EpochWork {
  steps: number;
  predicting: number;
}

/** What the plan must know of the data set. */
export interface DataFacts {
  name: string;
  hash: string;
  numItems: number;
  /** Whether events carry timestamps. */
  timed: boolean;
  /** Training events in a slice. */
  tokensOf(slice: SliceSpec): number;
  /** Whether anybody has more than k items to rank with the history masked (see `leavesMoreThan`). */
  leaves(k: number): boolean;
  /** Steps that one epoch feeds the model, about the slice's events or those of its prefixes, and the share that predicts. */
  epochWorkOf(config: TrialConfig): EpochWork;
}

/** What the plan must know of the code that trains. */
export interface CostModel {
  /** Part of every identity: changes when the same configuration would give other numbers. */
  numericVersion: number;
  /** @param predicting share of the steps that predict. */
  sizeOf(
    config: TrialConfig,
    numItems: number,
    predicting: number,
  ): { parameters: number; flopsPerToken: number };
  memoryOf(config: TrialConfig, numItems: number): number;
}

export interface PlannedTrial {
  id: string;
  config: TrialConfig;
  parameters: number;
  /** Training events of one epoch. */
  tokens: number;
  /** Training FLOPs if every epoch is run; early stopping may end sooner. */
  flops: number;
  /** Bytes, roughly. */
  memory: number;
}

export interface Plan {
  /** Smallest first. */
  trials: PlannedTrial[];
  /** Same identity as another trial of the plan. */
  duplicates: number;
  /** Left out by `exclude`. */
  excluded: number;
  /** Past the budget of FLOPs. */
  beyondBudget: PlannedTrial[];
  /** Settings of which the best by validation stands for a configuration. */
  tuned: string[];
  /** What a person should know of some of the trials on this data. */
  notes: string[];
}

/**
 * Plans a sweep on a data set.
 * @throws UserError when the sweep asks for something the data set does not have.
 */
export function planSweep(sweep: Sweep, backend: string, data: DataFacts, cost: CostModel): Plan {
  const { configurations, excluded, residuals } = expandSweep(sweep, backend);
  checkAt(sweep, ['data'], () => checkItems(data));
  const largestK = Math.max(...sweep.evaluation.ks);
  if (largestK >= data.numItems)
    throw new UserError(`cut-off ${largestK} is not below the number of items, ${data.numItems}`, {
      place: sweep.placeOf(['evaluation', 'ks']),
      remedy: cutOffsFor(data.numItems),
    });
  const tokensOf = once(data.tokensOf, (slice) => slice);
  const epochWorkOf = once(data.epochWorkOf, (config: TrialConfig) => [
    config.slice,
    config.model.maxLength,
    config.training.loss === 'last' ? prefixesOf(config) : null,
  ]);
  const trials = new Map<string, PlannedTrial>();
  const notes = new Set(residualNotes(residuals));
  for (const configuration of configurations) {
    const open = { data: { name: data.name, hash: data.hash }, ...configuration };
    const pathOf = (axis: 'dim' | 'model') => (axis in sweep.grid ? ['grid', axis] : ['model']);
    const config = checkAt(sweep, pathOf('dim'), () => resolveTrial(open));
    checkAt(sweep, pathOf('model'), () => checkTrial(config, data));
    checkRungs(sweep, config);
    const id = trialId(config, cost.numericVersion);
    if (trials.has(id)) continue;
    const { steps, predicting } = epochWorkOf(config);
    checkAt(sweep, dataPath(sweep, config), () => checkData(config, data.name, predicting, data.leaves));
    for (const note of trialNotes(config, data.numItems, data.leaves)) notes.add(note);
    const { parameters, flopsPerToken } = cost.sizeOf(config, data.numItems, predicting);
    trials.set(id, {
      id,
      config,
      parameters,
      tokens: tokensOf(config.slice),
      flops: flopsPerToken * steps * config.training.epochs,
      memory: cost.memoryOf(config, data.numItems),
    });
  }
  const sorted = [...trials.values()].sort(
    (a, b) => a.flops - b.flops || a.parameters - b.parameters || (a.id < b.id ? -1 : 1),
  );
  const limit = sweep.budget.flops ?? Infinity;
  let spent = 0;
  const within = sorted.filter((trial) => {
    spent += trial.flops;
    return spent <= limit;
  });
  const tuned = Object.keys(sweep.tune);
  if (within.length === 0)
    throw new UserError('the budget is below the smallest trial', {
      place: sweep.placeOf(['budget', 'flops']),
      remedy: `The smallest trial takes ${sorted[0]!.flops.toExponential(1)} FLOPs.`,
    });
  return {
    trials: within,
    duplicates: configurations.length - sorted.length,
    excluded,
    beyondBudget: sorted.slice(within.length),
    tuned,
    notes: [
      ...notes,
      ...(tuned.includes('learningRate') ? [] : widthNotes(within.map(({ config }) => config))),
      ...dropoutNotes(within.map(({ config }) => config)),
    ],
  };
}

/** The metric that selects has a cut-off too. */
function cutOffsFor(numItems: number): string {
  const ks = [1, 5, 10, 20].filter((k) => k < numItems);
  return ks.length === 0
    ? 'Use data with more items.'
    : `Lower evaluation.ks and evaluation.select, for instance \`evaluation: {ks: [${ks.join(', ')}], select: ndcg@${ks.at(-1)}}\`, or use a larger data set.`;
}

/** `compute` done once for every key. */
function once<A, B>(compute: (argument: A) => B, keyOf: (argument: A) => unknown): (argument: A) => B {
  const known = new Map<string, B>();
  return (argument) => {
    const key = canonicalJson(keyOf(argument));
    const value = known.get(key) ?? compute(argument);
    known.set(key, value);
    return value;
  };
}

/** What cannot be trained is said before anything is, with its place in the file. */
function checkAt<T>(sweep: Sweep, path: string[], check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message, { place: sweep.placeOf(path), remedy: error.remedy, cause: error });
  }
}

/** Where the file says which events a trial sees. */
function dataPath({ grid }: Sweep, { slice }: TrialConfig): string[] {
  if (sliceLabel(slice) === 'all') return ['data'];
  return 'slice' in grid ? ['grid', 'slice'] : ['slices'];
}

/** A rung compares validation values, so there must be one by then. */
function checkRungs(sweep: Sweep, { training }: TrialConfig): void {
  const { epochs, evaluateEvery } = training;
  const wrong = sweep.halving?.rungs.find((rung) => rung < epochs && rung < evaluateEvery);
  if (wrong !== undefined)
    throw new UserError(`nothing is evaluated by epoch ${wrong}: evaluateEvery is ${evaluateEvery}`, {
      place: sweep.placeOf(['halving', 'rungs']),
      remedy: 'Put the rungs later, or evaluate more often.',
    });
}

/** Settings that a label holds anyway. */
export const LABELLED: readonly string[] = ['model', 'dState', 'headDim', 'maxLength', 'time'];

/** `mamba4rec d64 x2 N32 L200`; with one layer its residual is said. */
export function modelLabel(model: ModelConfig): string {
  const head = model.headDim === undefined ? '' : ` h${model.headDim}`;
  const time = model.time === undefined ? '' : ` time ${model.time}`;
  const residual = model.layers === 1 && model.residual === 'always' ? ' residual' : '';
  return `${model.name} d${model.dim} x${model.layers} N${model.dState}${head} L${model.maxLength}${time}${residual}`;
}

/** A trial in a few words. */
export function trialLabel(config: TrialConfig): string {
  const seed = config.seed === 0 ? '' : ` seed ${config.seed}`;
  return `${modelLabel(config.model)} ${sliceLabel(config.slice)}${seed}`;
}
