/**
 * Intervals by bootstrap (Efron & Tibshirani 1993; Davison & Hinkley 1997, ch. 6).
 *
 * Coefficients and the optimum: percentiles over the replicates. A prediction: the studentised error
 * (f + noise - f*) / s* over the replicates, times s, around f; it holds the noise of one new run, and the division by the
 * replicate's own deviation s* widens it as Student's t does where configurations are few. What no run can reach (a hit ratio
 * below 0 or above 1) is cut off, which takes nothing from the share of runs that an interval holds.
 */
import { evaluator, namedCoefficients } from '../fitting/design.js';
import type { LawFit } from '../fitting/fit.js';
import { innerOf } from '../fitting/inner.js';
import { peaks, rangesOf } from '../fitting/optimum.js';
import { makeGrid } from '../fitting/search.js';
import { formSource } from '../forms/forms.js';
import type { Variable } from '../points/points.js';
import type { BootstrapTask, Draw } from './draws.js';
import { quantile } from './quantiles.js';
import { shareDraws } from './threads.js';

/** How many replicates. */
export interface BootstrapOptions {
  /** Replicates, 1,000. */
  resamples?: number;
  seed?: number;
  /** Share of the replicates inside an interval, 0.9. */
  level?: number;
  /** Threads; as many as there are cores where absent and worthwhile. */
  threads?: number;
}

/** Ends are null where they lie beyond anything that can be given. */
export type Interval = [low: number | null, high: number | null];

/** A fit and its replicates: what intervals are made of. */
export interface Bootstrap {
  level: number;
  draws: Draw[];
  /** Residual deviation of one run in the fit, by the same formula as in the replicates. */
  sigma: number;
  fit: LawFit;
}

/**
 * Fits the law again to `resamples` data sets that might have been: fitted values plus residuals drawn anew, freed of leverage
 * r / (1 - h)^(1/2) (Davison & Hinkley 1997, ch. 6). Equal seeds
 * give equal results on any number of threads; call `closeThreads` when no more bootstraps follow.
 */
export async function bootstrap(fit: LawFit, options: BootstrapOptions = {}): Promise<Bootstrap> {
  const { model, points, problem, solution, settings } = innerOf(fit);
  const task: BootstrapTask = {
    form: fit.form,
    source: formSource(fit.form) ?? '',
    options: model.options,
    points,
    exponents: model.exponents.map(({ min, max }) => [min, max]),
    limits: problem.limits,
    theta: solution.theta,
    beta: [...solution.beta],
    settings: { ...settings, ...(solution.delta === undefined ? {} : { huber: solution.delta }) },
    grid: makeGrid(problem, 'coarse'),
    seed: options.seed ?? 0,
    from: 0,
    to: options.resamples ?? 1000,
  };
  const draws = task.to > 0 ? await shareDraws(task, options.threads) : [];
  const weighted = solution.residual.reduce(
    (sum, r, i) => sum + r * r * problem.root[i]! ** 2 * solution.robust[i]!,
    0,
  );
  return {
    level: options.level ?? 0.9,
    draws,
    sigma: Math.sqrt(weighted / Math.max(1, problem.n - model.size)),
    fit,
  };
}

const ends = (values: readonly number[], level: number): Interval => {
  const at = (p: number) => {
    const value = quantile(values, p);
    return Number.isFinite(value) ? value : null;
  };
  return [at((1 - level) / 2), at((1 + level) / 2)];
};

/** Percentile intervals of the textbook coefficients. */
export function coefficientIntervals({ fit, draws, level }: Bootstrap): Record<string, Interval> {
  const { model } = innerOf(fit);
  const values = new Map<string, number[]>();
  for (const draw of draws)
    for (const [name, value] of namedCoefficients(model, draw.theta, draw.beta)) {
      const list = values.get(name) ?? [];
      values.set(name, list);
      list.push(value);
    }
  return Object.fromEntries([...values].map(([name, list]) => [name, ends(list, level)]));
}

export interface OptimumInterval {
  interval: Interval;
  /** Share of the replicates that have an optimum within reach on this axis. */
  exists: number;
}

/** Where the replicates have their optimum; those without one within reach count as infinitely large where they rise, and small where they fall. */
export function optimumIntervals({
  fit,
  draws,
  level,
}: Bootstrap): Partial<Record<Variable, OptimumInterval>> {
  const { model, points } = innerOf(fit);
  const ranges = rangesOf(model, points);
  const values = new Map<Variable, number[]>();
  for (const draw of draws)
    for (const [name, peak] of Object.entries(peaks(model, draw.theta, draw.beta, ranges)) as [
      Variable,
      number | 'up' | 'down',
    ][]) {
      const list = values.get(name) ?? [];
      values.set(name, list);
      list.push(peak === 'up' ? Number.POSITIVE_INFINITY : peak === 'down' ? 0 : peak);
    }
  const out: Partial<Record<Variable, OptimumInterval>> = {};
  for (const [name, list] of values) {
    const [low, high] = ends(list, level);
    const exists = list.filter((value) => value > 0 && Number.isFinite(value)).length / list.length;
    out[name] = { interval: [low === 0 ? null : low, high === 0 ? null : high], exists };
  }
  return out;
}

export type At = Partial<Record<Variable, number>> & { slice?: string };

/** The law of each replicate at one place. */
export function drawnValues({ fit, draws }: Bootstrap, at: At): number[] {
  const { model } = innerOf(fit);
  const group = Math.max(0, model.groups.indexOf(at.slice ?? ''));
  const law = evaluator(model, at, group);
  return draws.map(({ theta, beta }) => law(theta, beta));
}

export interface Prediction {
  /** The law, or the end of the metric's range that it has passed. */
  value: number;
  /** Where the law itself lies. */
  law: Interval;
  /** Where one new run lies: the law and the noise of a run. */
  interval: Interval;
}

/**
 * The law at one place with its intervals at the bootstrap's level: where the law lies, and where one new run lies, from the
 * quantiles of (f - f* + noise) s / s* over the replicates f*, s* (studentised). Both end where the metric does.
 */
export function predictWithInterval(boot: Bootstrap, at: At): Prediction {
  const { fit, draws, level, sigma } = boot;
  const value = fit.predict(at);
  const [least, most] = fit.range;
  const possible = (number: number) => Math.min(most, Math.max(least, number));
  if (draws.length === 0) return { value: possible(value), law: [null, null], interval: [null, null] };
  const log = innerOf(fit).settings.link === 'log';
  const floor = 0.1 * sigma;
  // a law that has left what a metric can be holds there no longer: all that is known is what was measured, and the end
  const runs = innerOf(fit).points.flatMap((point) => point.runs);
  const best = value > most ? Math.max(...runs) : Number.POSITIVE_INFINITY;
  const worst = value < least ? Math.min(...runs) : Number.NEGATIVE_INFINITY;
  const error = (drawn: number) => (log ? Math.log(value / drawn) : value - drawn);
  const values = drawnValues(boot, at);
  const scale = (draw: Draw) => sigma / Math.max(draw.sigma, floor);
  const place = (ends: Interval): Interval => {
    const [low, high] = ends.map((end) => (log ? value * Math.exp(end ?? 0) : value + (end ?? 0)));
    return [Math.min(possible(low!), best), Math.max(possible(high!), worst)];
  };
  const usable = (list: number[]) => list.map((entry) => (Number.isFinite(entry) ? entry : 0));
  const factor = draws.map((draw) => (sigma > 0 ? scale(draw) : 0));
  return {
    value: possible(value),
    law: place(ends(usable(values.map((drawn, i) => error(drawn) * factor[i]!)), level)),
    interval: place(
      ends(usable(values.map((drawn, i) => (error(drawn) + draws[i]!.noise) * factor[i]!)), level),
    ),
  };
}
