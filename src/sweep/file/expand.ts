/** From axes to configurations: grid x zip x list x tune x slices x seeds, without what `exclude` names. */
import type { SliceSpec } from '../../data/slice.js';
import { MEANT_FOR, type ModelConfig, type ModelName } from '../../model/config.js';
import type { OpenTrial } from '../../train/check.js';
import type { TrainingConfig } from '../../train/config.js';
import { UserError } from '../../util/errors.js';
import { canonicalJson } from '../../util/hash.js';
import { modelFields, trainingFields } from './axes.js';
import type { Point, Sweep } from './resolve.js';

/** More than this is a slip of the pen, not a sweep. */
export const MOST_TRIALS = 100_000;

/** A trial's configuration without the data set, which the plan adds, and not yet made whole for its model. */
export type Configuration = Omit<OpenTrial, 'data'>;

export interface Expansion {
  configurations: Configuration[];
  /** Left out by `exclude`. */
  excluded: number;
  /** Models that have their residual at one layer too, unasked, since their layers vary. */
  residuals: ModelName[];
}

/**
 * Every configuration of a sweep, in the order of its axes.
 * @throws UserError when there are none, or more than MOST_TRIALS.
 */
export function expandSweep(sweep: Sweep, backend: string): Expansion {
  const crossed = (axes: Record<string, unknown[]>): Point[][] =>
    Object.entries(axes).map(([axis, values]) => values.map((value) => ({ [axis]: value })));
  const axes: Point[][] = [
    ...crossed(sweep.grid),
    zipped(sweep.zip),
    sweep.list,
    ...crossed(sweep.tune),
    'slice' in sweep.grid || 'slice' in sweep.zip ? [] : sweep.slices.map((slice) => ({ slice })),
    'seed' in sweep.grid || 'seed' in sweep.zip ? [] : sweep.seeds.map((seed) => ({ seed })),
  ].filter((points) => points.length > 0);
  const total = axes.reduce((product, points) => product * points.length, 1);
  const axesPlace = sweep.placeOf([Object.keys(sweep.grid).length > 0 ? 'grid' : 'list']);
  if (total > MOST_TRIALS)
    throw new UserError(
      `this sweep has ${total.toLocaleString('en')} trials, at most ${MOST_TRIALS.toLocaleString('en')} are planned`,
      {
        place: axesPlace,
        remedy: 'Give the axes fewer values, or split the sweep.',
      },
    );
  const configurations: Configuration[] = [];
  let excluded = 0;
  const counters = axes.map(() => 0);
  for (let trial = 0; trial < total; trial++) {
    // A list entry may name the slice or the seed itself: it then wins over the sweep's slices and seeds.
    const point: Point = Object.assign(
      {},
      ...[...axes].reverse().map((points, i) => points[counters[axes.length - 1 - i]!]),
    );
    if (sweep.exclude.some((pattern) => matches(pattern, point, sweep))) excluded++;
    else configurations.push(configurationOf(point, sweep, backend));
    for (let i = axes.length - 1; i >= 0 && ++counters[i]! === axes[i]!.length; i--) counters[i] = 0;
  }
  if (configurations.length === 0)
    throw new UserError('exclude leaves no trial at all', {
      place: sweep.placeOf(['exclude']),
      remedy: 'Exclude less.',
    });
  return { configurations, excluded, residuals: keepResiduals(configurations) };
}

/**
 * Where the layers of a model vary from 1 up, one layer must be the small end of the axis: it gets the residual that deeper
 * models have, wherever the file does not say otherwise. Returns the models that this changes.
 */
function keepResiduals(configurations: readonly Configuration[]): ModelName[] {
  const changed = MEANT_FOR.get('residual')!.filter((name) => {
    const layers = new Set(
      configurations.flatMap(({ model }) => (model.name === name ? [model.layers] : [])),
    );
    return layers.has(1) && layers.size > 1;
  });
  const open = configurations.filter(
    ({ model }) => model.residual === undefined && changed.includes(model.name),
  );
  for (const { model } of open) model.residual = 'always';
  return changed.filter((name) => open.some(({ model }) => model.name === name));
}

function zipped(zip: Record<string, unknown[]>): Point[] {
  const names = Object.keys(zip);
  if (names.length === 0) return [];
  return zip[names[0]!]!.map((_, i) => Object.fromEntries(names.map((name) => [name, zip[name]![i]])));
}

function matches(pattern: Point, point: Point, sweep: Sweep): boolean {
  return Object.entries(pattern).every(([axis, wanted]) => {
    const value =
      axis in point
        ? point[axis]
        : axis === 'model'
          ? sweep.model.name
          : { ...sweep.training, ...sweep.model }[axis as keyof (TrainingConfig & ModelConfig)];
    const same = (a: unknown) => a === value || canonicalJson(a) === canonicalJson(value);
    return Array.isArray(wanted) ? wanted.some(same) : same(wanted);
  });
}

const MODEL_KEYS = Object.keys(modelFields);
const TRAINING_KEYS = Object.keys(trainingFields);

function configurationOf(point: Point, sweep: Sweep, backend: string): Configuration {
  const pick = (keys: string[]) =>
    Object.fromEntries(keys.filter((key) => key in point).map((key) => [key, point[key]]));
  const model: ModelConfig = { ...sweep.model, ...pick(MODEL_KEYS) };
  if (point['model'] !== undefined) model.name = point['model'] as ModelName;
  const training: TrainingConfig = { ...sweep.training, ...pick(TRAINING_KEYS) };
  const lossGiven = sweep.given.has('training.loss') || 'loss' in point;
  return {
    slice: point.slice ?? ({ users: 1 } satisfies SliceSpec),
    model,
    training: lossGiven ? training : { ...training, loss: undefined },
    evaluation: sweep.evaluation,
    ...(sweep.split ? { split: sweep.split } : {}),
    seed: (point['seed'] as number | undefined) ?? 0,
    backend,
  };
}
