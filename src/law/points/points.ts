/**
 * From observations to the points that laws are fitted to: one point a configuration, its runs (seeds) averaged and
 * weighted by their number. Whatever is not a usable metric is refused here, by name of its row.
 */
import { UserError } from '../../util/errors.js';
import { isShare, namedDirection } from './direction.js';
import type { Observation } from './observation.js';
import { groupBySettings, type Settings, varyingSettings } from './settings.js';

/** What a law may depend on. `data` is the slice's quantity or quality-weighted quantity in a joint fit. */
export type Variable = 'layers' | 'dim' | 'params' | 'nonEmbeddingParams' | 'flops' | 'tokens' | 'data';

/** One configuration as laws see it: its place on every axis, and the metric of its runs. */
export interface Point {
  slice: string;
  x: Partial<Record<Variable, number>>;
  /** Mean of the metric over the runs. */
  value: number;
  /** The metric of each run. */
  runs: number[];
  /** The metric is a percentage, whatever its values. */
  isPercent?: boolean;
  /** Where the best of several settings stands for the configuration: see `Observation`. */
  optimism?: Observation['optimism'];
}

export interface PointSet {
  points: Point[];
  notes: string[];
}

/** A set of observations that one law describes: one slice, one setting of everything but layers and dim. */
export interface Panel {
  slice: string;
  /** Settings in which panels differ, e.g. `{ dState: 16 }`. */
  group: Settings;
  label: string;
  observations: Observation[];
}

const where = (observation: Observation) => observation.source ?? `slice ${observation.slice}`;

/** Names of the metrics that any observation has, in the order met. */
export function metricNames(observations: readonly Observation[]): string[] {
  return [...new Set(observations.flatMap((observation) => Object.keys(observation.metrics)))];
}

/**
 * The metric to fit: the one asked for, else ndcg@10, hr@10, another share, or the first there is; of the test set before the
 * validation set before the training set.
 * @throws UserError when it is in no observation.
 */
export function chooseMetric(observations: readonly Observation[], asked?: string): string {
  const names = metricNames(observations);
  if (asked !== undefined) {
    const match = names.find((name) => name.toLowerCase() === asked.toLowerCase());
    if (match !== undefined) return match;
    throw new UserError(`no observation has the metric "${asked}"`, {
      place: '--metric',
      remedy: names.length > 0 ? `There are ${names.join(', ')}.` : 'There is no metric at all.',
    });
  }
  const chosen = [...names].sort((a, b) => order(a) - order(b))[0];
  if (chosen === undefined)
    throw new UserError('the observations hold no metric', { remedy: 'Name a column hr@10 or ndcg@10.' });
  return chosen;
}

/** Smaller is asked for first: the usual, shares, losses, others; and each by the set it was measured on. */
function order(name: string): number {
  const bare = name.replace(/^(validation|valid|val|dev|eval|train|masked|unmasked|popularity)[:_/. ]/, '');
  const set = /^(popularity)/.test(name) ? 3 : /\btrain/.test(name) ? 2 : bare === name ? 0 : 1;
  const usual = ['ndcg@10', 'hr@10'].indexOf(bare);
  const kind = usual >= 0 ? usual : isShare(bare) ? 2 : namedDirection(bare) ? 3 : 4;
  return 10 * set + kind;
}

/**
 * What a metric can be: hit ratio, NDCG and their kin lie between 0 and 1 (0 and 100 where they are written as percentages), a
 * perplexity at 1 or above, any other at 0 or above.
 */
export function metricRange(
  metric: string,
  values: readonly number[],
  isPercent = false,
): [min: number, max: number] {
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  if (/perplexity|(^|[^a-z])ppl([^a-z]|$)/i.test(metric) && values.every((value) => value >= 1))
    return [1, Number.POSITIVE_INFINITY];
  if (!isShare(metric) || most > 100) return [0, Number.POSITIVE_INFINITY];
  return [0, isPercent || most > 1 ? 100 : 1];
}

/** Splits observations into panels: by slice, and by every setting besides layers and dim that varies. */
export function panelsOf(observations: readonly Observation[]): Panel[] {
  const panels = new Map<string, Panel>();
  const groupOf = new Map<Observation, Settings>();
  for (const { settings, items } of groupBySettings(observations, ({ config }) => config))
    for (const item of items) groupOf.set(item, settings);
  for (const observation of observations) {
    const { slice } = observation;
    const group = groupOf.get(observation)!;
    const label = [slice, ...Object.entries(group).map(([key, value]) => `${key}=${value}`)].join(' ');
    const key = JSON.stringify([slice, group]);
    const panel = panels.get(key) ?? { slice, group, label, observations: [] };
    panel.observations.push(observation);
    panels.set(key, panel);
  }
  return [...panels.values()];
}

function variablesOf(observation: Observation): Partial<Record<Variable, number>> {
  const { layers, dim, params, nonEmbeddingParams, flops, tokens } = observation;
  const x: Partial<Record<Variable, number>> = { layers, dim };
  if (params !== undefined) x.params = params;
  if (nonEmbeddingParams !== undefined) x.nonEmbeddingParams = nonEmbeddingParams;
  if (tokens !== undefined) x.tokens = tokens;
  if (flops !== undefined) x.flops = flops;
  return x;
}

function checkNumber(observation: Observation, name: string, value: number, zeroIsFine: boolean): void {
  if (Number.isFinite(value) && (value > 0 || (zeroIsFine && value === 0))) return;
  throw new UserError(
    `${name} is ${value}; ${zeroIsFine ? 'a metric is a number of 0 or more' : 'it must be a number above 0'}`,
    { place: where(observation), remedy: 'Mend the row or leave it out.' },
  );
}

/** A point in the making: runs seen, and every value of each variable. */
interface Gathered extends Point {
  seen: Set<string>;
  sums: Record<string, number[]>;
  configs: Observation['config'][];
}

/**
 * One point a configuration (slice, layers, dim and, where `by` names more variables, those too).
 * @throws Error where runs of one point differ in a setting: they are no repeats, and `panelsOf` parts them.
 * @throws UserError for metrics that are NaN or negative, sizes that are not positive, and metrics that are all equal.
 */
export function toPoints(
  observations: readonly Observation[],
  metric: string,
  by: readonly Variable[] = [],
): PointSet {
  const notes: string[] = [];
  const points = new Map<string, Gathered>();
  let without = 0;
  let copies = 0;
  let equals = 0;
  for (const observation of observations) {
    const value = observation.metrics[metric];
    if (value === undefined) {
      without++;
      continue;
    }
    checkNumber(observation, metric, value, true);
    checkNumber(observation, 'layers', observation.layers, false);
    checkNumber(observation, 'dim', observation.dim, false);
    const x = variablesOf(observation);
    const key = JSON.stringify([
      observation.slice,
      observation.layers,
      observation.dim,
      ...by.filter((name) => name !== 'flops' && name !== 'data').map((name) => x[name] ?? null),
    ]);
    const point: Gathered = points.get(key) ?? {
      slice: observation.slice,
      x,
      value: 0,
      runs: [],
      seen: new Set(),
      sums: {},
      configs: [],
      optimism: observation.optimism,
    };
    points.set(key, point);
    if (observation.percentages?.includes(metric)) point.isPercent = true;
    const { seed, id, config } = observation;
    const run = JSON.stringify([seed ?? null, id ?? null, config ?? null, value]);
    // a seed or an id says that it is the same run; without, equal numbers of a coarse metric are no news
    if (point.seen.has(run)) {
      if (seed === undefined && id === undefined) equals++;
      else {
        copies++;
        continue;
      }
    }
    point.seen.add(run);
    point.runs.push(value);
    point.configs.push(observation.config);
    for (const [name, number] of Object.entries(x)) {
      const list = point.sums[name] ?? [];
      point.sums[name] = list;
      list.push(number);
    }
  }
  if (without > 0)
    notes.push(`${without} of ${observations.length} observations have no ${metric} and are left out`);
  const rows = (count: number) => (count === 1 ? '1 row equals' : `${count} rows equal`);
  if (copies > 0)
    notes.push(
      `${rows(copies)} another in configuration, seed or id, and value: copies of one run, counted once`,
    );
  if (equals > 0)
    notes.push(
      `${rows(equals)} another in configuration and value, and no seed or id tells them apart: taken as repeats; leave out rows that are copies`,
    );
  const result = [...points.values()].map(({ slice, x, runs, sums, configs, isPercent, optimism }): Point => {
    const differ = [...varyingSettings(configs).keys()];
    if (differ.length > 0)
      throw new Error(
        `runs of layers ${x.layers}, dim ${x.dim} differ in ${differ.join(', ')}: they are no repeats; part them with panelsOf first`,
      );
    const mean: Partial<Record<Variable, number>> = { ...x };
    // repeats may differ in what they cost (early stopping); a point has one place on every axis
    for (const name of Object.keys(mean) as Variable[]) {
      const list = sums[name]!;
      if (list.length === runs.length) mean[name] = list.reduce((a, b) => a + b, 0) / list.length;
      else delete mean[name];
    }
    const value = runs.reduce((a, b) => a + b, 0) / runs.length;
    return {
      slice,
      x: mean,
      runs,
      value,
      ...(isPercent ? { isPercent } : {}),
      ...(optimism ? { optimism } : {}),
    };
  });
  if (result.length === 0)
    throw new UserError(`no observation has the metric "${metric}"`, {
      remedy: 'Name another with --metric.',
    });
  if (result.length > 1 && result.every(({ value }) => value === result[0]!.value))
    throw new UserError(`${metric} is ${result[0]!.value} in every configuration: there is nothing to fit`, {
      place: where(observations[0]!),
      remedy: 'Check the column, or train configurations that differ.',
    });
  return { points: result, notes };
}

/** Points of a slice; none where it lacks the metric, or has one value of it everywhere. */
export function pointsOf(observations: readonly Observation[], metric: string): Point[] {
  const having = observations.filter(({ metrics }) => metrics[metric] !== undefined);
  return having.length > 0 && new Set(having.map(({ metrics }) => metrics[metric])).size > 1
    ? toPoints(having, metric).points
    : [];
}

/** Of some panels those of other slices with the same setting. */
export function alike(panel: Panel, panels: readonly Panel[]): Panel[] {
  const key = JSON.stringify(panel.group);
  return panels.filter(({ group, slice }) => slice !== panel.slice && JSON.stringify(group) === key);
}

/** Panels of one setting of everything but the slice together, in the order in which the settings come. */
export function panelsBySetting(panels: readonly Panel[]): Panel[][] {
  const groups = new Map<string, Panel[]>();
  for (const panel of panels) {
    const key = JSON.stringify(panel.group);
    groups.set(key, [...(groups.get(key) ?? []), panel]);
  }
  return [...groups.values()];
}
