/**
 * What is expected of any configuration of one panel, and how configurations may turn out together: inside the measured range by
 * the law and its replicates, beyond it by the forecast. Draws are of what is expected, without the noise of single runs: a
 * decision is about configurations, not about luck.
 */
import { createRandom, type Random } from '../../util/random.js';
import type { LawFit } from '../fitting/fit.js';
import { extentOf } from '../forecast/axes.js';
import { type Expectation, type Forecaster, makeForecaster } from '../forecast/forecast.js';
import type { FormName } from '../forms/form.js';
import { FORM_NAMES } from '../forms/forms.js';
import type { Direction } from '../points/direction.js';
import { metricRange, type Point } from '../points/points.js';
import type { Comparison } from './compare.js';
import { type At, type Bootstrap, drawnValues, type Interval, predictWithInterval } from './uncertainty.js';

/** What is expected of one configuration. */
export interface Expected {
  value: number;
  /** Where one new run lies. */
  interval: Interval;
  /** Where what is expected lies. */
  law: Interval;
  /** Beyond the measured range: how it was predicted. */
  forecast?: Expectation;
  /** Beyond: share of the law's rise from the nearest run that is believed; null where the law hardly moves. */
  believed?: number | null;
}

/**
 * Whose luck the nearest run's is: that of all places in one, so that a decision between them hangs on no single run, or each run's
 * own, so that a new run tells nothing of places that another one is nearest to.
 */
export type Luck = 'one' | 'of each run';

export interface Outlook {
  forecaster: Forecaster;
  expect(at: At): Expected;
  /** The same in brief, without replicates: value, and roughly its deviation. */
  glance(at: At): { value: number; deviation: number };
  /** Values of every place in each of `count` worlds: `worlds[k][i]` of place i. */
  worlds(places: readonly At[], count: number, seed: number, luck?: Luck): Float64Array[];
}

/** The built-in forms of layers and dim alone, and those that the user added. */
export function forecastForms(asked: readonly FormName[] = []): FormName[] {
  const own = asked.filter((form) => !FORM_NAMES.includes(form));
  return [...FORM_NAMES.filter((form) => form !== 'logistic'), ...own];
}

export interface OutlookOptions {
  metric: string;
  forms?: readonly FormName[];
  /** All forms side by side: inside the measured range a world follows the law, or a rival that predicts single runs as well. */
  comparison?: Comparison;
  /** Points of other slices of the same setting. */
  others?: readonly Point[];
}

/** @param boot of the law that is believed inside. */
export function makeOutlook(
  points: Point[],
  boot: Bootstrap,
  { metric, forms, comparison, others }: OutlookOptions,
): Outlook {
  const { fit, level } = boot;
  const axes = ['layers', 'dim'] as const;
  let made: Forecaster | undefined;
  // only what lies beyond needs it, and not everyone asks
  const forecasterOf = () => {
    made ??= makeForecaster(points, {
      metric,
      direction: fit.direction,
      forms: forecastForms(forms),
      axes,
      others,
    });
    return made;
  };
  const range = metricRange(
    metric,
    points.map(({ value }) => value),
  );
  const extent = extentOf(points, axes);
  const isInside = (at: At) => extent.beyond(at).every((far) => far === 0);
  return {
    get forecaster() {
      return forecasterOf();
    },
    expect(at) {
      if (isInside(at)) return predictWithInterval(boot, at);
      const forecast = forecasterOf().at(at, level);
      const { value, deviation, runDeviation, interval } = forecast;
      const half = ((interval[1] - interval[0]) / 2) * (deviation / runDeviation);
      return {
        value,
        interval,
        law: [Math.max(range[0], value - half), Math.min(range[1], value + half)],
        forecast,
        believed: believedShare(forecast, fit.predict(at), lawAtNearest(at)),
      };
    },
    glance(at) {
      const [least, most] = range;
      if (isInside(at))
        return {
          value: Math.min(most, Math.max(least, fit.predict(at))),
          deviation: Math.max(boot.sigma, fit.sigma),
        };
      return forecasterOf().at(at, level);
    },
    worlds(places, count, seed, luck) {
      const random = createRandom('worlds', seed);
      const inside = places.map((place, i) => (isInside(place) ? i : -1)).filter((i) => i >= 0);
      const isIn = new Set(inside);
      const outside = places.map((_, i) => i).filter((i) => !isIn.has(i));
      const worlds = Array.from({ length: count }, () => new Float64Array(places.length));
      const laws = lawsOf(boot.fit, comparison);
      const picks = worlds.map(() => pickLaw(laws, random.uniform()));
      for (const i of inside) fillInside(worlds, i, places[i]!, boot, picks);
      if (outside.length > 0)
        fillOutside(
          worlds,
          outside,
          outside.map((i) => forecasterOf().at(places[i]!, level)),
          forecasterOf(),
          random,
          luck,
        );
      for (const world of worlds)
        for (let i = 0; i < world.length; i++) world[i] = Math.min(range[1], Math.max(range[0], world[i]!));
      return worlds;
    },
  };

  function lawAtNearest(at: At): number {
    const distance = ({ x }: Point) =>
      axes.reduce((sum, axis) => sum + Math.abs(Math.log(x[axis]! / at[axis]!)), 0);
    const near = points.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    return fit.predict({ ...near.x, slice: near.slice });
  }
}

/**
 * The outlook on a slice that was not measured: all slices of one setting predict it together, their tokens a third axis.
 * @param points of all slices, with `data` among their variables.
 * @param data tokens of the slice asked for.
 */
export function makeDataOutlook(
  points: Point[],
  data: number,
  { metric, direction, level = 0.9 }: { metric: string; direction: Direction; level?: number },
): Outlook {
  const forecaster = makeForecaster(points, {
    metric,
    direction,
    forms: forecastForms(),
    axes: ['layers', 'dim', 'data'],
  });
  const values = points.map(({ value }) => value);
  const [least, most] = metricRange(metric, values);
  const at = (place: At) => forecaster.at({ ...place, data }, level);
  return {
    forecaster: { ...forecaster, isOpen: (place) => forecaster.isOpen({ ...place, data }) },
    expect(place) {
      const forecast = at(place);
      const { value, interval, deviation, runDeviation } = forecast;
      const half = ((interval[1] - interval[0]) / 2) * (deviation / runDeviation);
      return { value, interval, law: [value - half, value + half], forecast, believed: null };
    },
    glance: at,
    worlds(places, count, seed, luck) {
      const worlds = Array.from({ length: count }, () => new Float64Array(places.length));
      const random = createRandom('worlds', seed);
      fillOutside(worlds, [...places.keys()], places.map(at), forecaster, random, luck);
      for (const world of worlds)
        for (let i = 0; i < world.length; i++) world[i] = Math.min(most, Math.max(least, world[i]!));
      return worlds;
    },
  };
}

/** Of the law's rise, how much; null where it is within what one run varies. */
function believedShare({ value, nearest }: Expectation, law: number, lawNear: number): number | null {
  const rise = law - lawNear;
  return Math.abs(rise) > 1e-12 ? (value - nearest) / rise : null;
}

/** The law and its rivals by how likely leave-one-out errors like theirs are; a form that was asked for has no rivals. */
function lawsOf(fit: LawFit, comparison: Comparison | undefined): { fit: LawFit; weight: number }[] {
  const n = fit.configurations;
  const scored = (comparison?.scores ?? []).flatMap(({ form, looRmse }) => {
    const own = comparison!.fits[form];
    return own && looRmse !== null && looRmse > 0
      ? [{ fit: form === fit.form ? fit : own, error: looRmse }]
      : [];
  });
  if (scored.length < 2) return [{ fit, weight: 1 }];
  const least = Math.min(...scored.map(({ error }) => error));
  const raw = scored.map(({ fit: own, error }) => ({ fit: own, weight: (least / error) ** n }));
  const total = raw.reduce((sum, { weight }) => sum + weight, 0);
  // the one that is believed keeps half: its held-out error spoke for it
  return raw.map(({ fit: own, weight }) => ({
    fit: own,
    weight: weight / total / 2 + (own === fit ? 0.5 : 0),
  }));
}

function pickLaw(laws: readonly { fit: LawFit; weight: number }[], at: number): LawFit {
  let sum = 0;
  for (const { fit, weight } of laws) {
    sum += weight;
    if (at < sum) return fit;
  }
  return laws[0]!.fit;
}

/** The law of each replicate, in units of the replicate's own noise, as its intervals are. */
function fillInside(
  worlds: Float64Array[],
  i: number,
  place: At,
  boot: Bootstrap,
  picks: readonly LawFit[],
): void {
  const value = boot.fit.predict(place);
  const centres = new Map(picks.map((law) => [law, law === boot.fit ? value : law.predict(place)]));
  const drawn = drawnValues({ ...boot, draws: boot.draws.slice(0, worlds.length) }, place);
  worlds.forEach((world, k) => {
    const centre = centres.get(picks[k]!)!;
    const at = k % Math.max(1, drawn.length);
    const error =
      drawn.length > 0
        ? ((value - drawn[at]!) * boot.sigma) / Math.max(boot.draws[at]!.sigma, 0.1 * boot.sigma)
        : 0;
    world[i] = centre + (Number.isFinite(error) ? error : 0);
  });
}

/**
 * One world beyond: a candidate drawn by its weight, the same way up for all places; a random walk along each axis, shared by
 * all places; the luck of the nearest run. All in the scale of Student's t with the forecast's freedom.
 */
function fillOutside(
  worlds: Float64Array[],
  at: readonly number[],
  expected: readonly Expectation[],
  { axes }: Forecaster,
  random: Random,
  luckOf: Luck = 'one',
): void {
  if (at.length === 0) return;
  const steps = axes.map((_, a) =>
    [...new Set(expected.map(({ beyond: far }) => far[a]!))].sort((x, y) => x - y),
  );
  const stepOf = steps.map((lengths) => new Map(lengths.map((length, n) => [length, n])));
  const reached = expected.map(({ beyond: far }) => far.map((one, a) => stepOf[a]!.get(one)!));
  const picks = expected.map(picker);
  // runs are told apart by their values: nothing else of them is known here, and equal ones say the same
  const keys = expected.map(({ nearest }) => (luckOf === 'one' ? 0 : nearest));
  const runs = [...new Set(keys)];
  const runOf = keys.map((key) => runs.indexOf(key));
  for (const world of worlds) {
    const pick = random.uniform();
    const luck = runs.map(() => random.normal());
    const walks = steps.map((lengths) => walk(lengths, random));
    const normals = Array.from({ length: MOST_FREEDOM }, () => random.normal() ** 2);
    at.forEach((i, n) => {
      const one = expected[n]!;
      const freedom = Math.min(MOST_FREEDOM, Math.max(2, Math.round(one.freedom)));
      let square = 0;
      for (let f = 0; f < freedom; f++) square += normals[f]!;
      const scale = Math.sqrt(freedom / Math.max(square, 0.05 * freedom));
      let drift = 0;
      for (let a = 0; a < axes.length; a++) drift += one.drift[a]! * walks[a]![reached[n]![a]!]!;
      const off = one.factor * (picks[n]!(pick) - one.value + drift) + one.noise * luck[runOf[n]!]!;
      world[i] = one.value + scale * off;
    });
  }
}

const MOST_FREEDOM = 12;
const LEAST_WEIGHT = 1e-3;

/** A random walk at some distances from its start. */
function walk(lengths: readonly number[], random: Random): number[] {
  let [from, value] = [0, 0];
  return lengths.map((length) => {
    value += Math.sqrt(length - from) * random.normal();
    from = length;
    return value;
  });
}

/** What the candidate says at each quantile of the weights, in the order of the candidates' names. */
function picker({ weights, said }: Expectation): (pick: number) => number {
  const ends: number[] = [];
  const values: number[] = [];
  let sum = 0;
  for (const [name, weight] of weights) {
    // those that hardly count would only take time
    if (weight < LEAST_WEIGHT) continue;
    sum += weight;
    ends.push(sum);
    values.push(said.get(name)!);
  }
  return (pick) =>
    values[
      Math.max(
        0,
        ends.findIndex((end) => pick * sum < end),
      )
    ]!;
}
