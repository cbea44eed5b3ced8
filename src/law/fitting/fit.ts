/**
 * `fitLaw`: one form fitted to one set of observations, to the global optimum.
 *
 * Variable projection with a grid over the exponents (search.ts), refined by Levenberg-Marquardt (refine.ts). On one slice
 * the terms of D and b of the performance law are one constant c; they are told apart only in a joint fit over slices.
 */
import { UserError } from '../../util/errors.js';
import type { FormName } from '../forms/form.js';
import { formByName } from '../forms/forms.js';
import type { Named } from '../forms/terms.js';
import { type Direction, directionOf } from '../points/direction.js';
import type { Observation } from '../points/observation.js';
import type { Variable } from '../points/points.js';
import { chooseMetric, metricRange, type Point, toPoints } from '../points/points.js';
import { buildModel, evaluate, namedCoefficients } from './design.js';
import { withInner } from './inner.js';
import { makeProblem, type Problem } from './projection.js';
import { type Solution, type SolveSettings, solve } from './solve.js';

/** How a law is fitted; everything has a default. */
export interface FitOptions {
  form?: FormName;
  /** Default ndcg@10, then hr@10. */
  metric?: string;
  /** Whether more or less of the metric is better; by its name where absent (a loss, an error, a perplexity: less). */
  direction?: Direction;
  /** Huber's loss instead of squares: a threshold in units of the metric, or `auto` (1.345 robust scales). */
  huber?: number | 'auto';
  /** `log` fits ln P (for losses over decades); `identity` by default. */
  link?: 'identity' | 'log';
  /** The two size variables, `['layers', 'dim']` by default. */
  variables?: [Variable, Variable];
  /** Over several slices: a constant a slice (`slice`, default) or one data term with this quantity (`tokens`, or tokens over a measure of `quality`). */
  data?: 'slice' | 'tokens' | { tokensOver: string };
  /** Limits of exponents and weights by the names in the equation, e.g. `{ a: [-1, 0], w1: [0, Infinity] }`. */
  bounds?: Record<string, [number, number]>;
  /** p of the performance law, 2. */
  p?: number;
  /** A coarser search, for the many fits of a cross-validation. */
  quick?: boolean;
}

/** A fitted law: coefficients of the textbook form, how well it fits, and `predict`. */
export interface LawFit {
  form: FormName;
  equation: string;
  metric: string;
  /** Which way the metric is better: what the optimum, and whoever chooses by the law, go by. */
  direction: Direction;
  /** In the order of the equation; with several slices one constant each. */
  coefficients: Record<string, number>;
  /** 1 - SSE / SST over all runs. */
  r2: number;
  /** Root mean square error of a run. */
  rmse: number;
  /** Residual standard deviation of one run, with the degrees of freedom taken off. */
  sigma: number;
  /** Sum of squares over all runs. */
  sse: number;
  /** What the metric can be at all; intervals end there. */
  range: [min: number, max: number];
  runs: number;
  configurations: number;
  /** Free numbers. */
  size: number;
  notes: string[];
  /** @throws UserError where `at` lacks a variable that the law needs, or names a slice that was never measured. */
  predict(at: Partial<Record<Variable, number>> & { slice?: string }): number;
}

/**
 * Fits one form to the mean of every configuration's runs, weighted by their number, by least squares (or Huber's loss). The
 * Performance Law (arXiv 2412.00430), the default, is P = w1 g(H; a) + w2 g(d; a') + c with g(x; a) = -1/(p x^a) - a ln x and
 * p = 2, H the layers and d the dim; its c holds the terms of the data, which one slice cannot part. For the other equations
 * see `FORMS`. The exponents are searched over a grid with the weights projected out (Golub & Pereyra 1973), so that the
 * optimum is the global one. With several slices each has a constant of its own, `c[slice]`, or there is one data term (`data`).
 * @throws UserError when there are too few configurations for the form (it says how many are needed), when the metric is
 *   missing, NaN, negative or the same everywhere.
 */
export function fitLaw(observations: readonly Observation[], options: FitOptions = {}): LawFit {
  const metric = chooseMetric(observations, options.metric);
  const { points, notes } = toPoints(observations, metric, options.variables);
  if (options.data !== undefined && options.data !== 'slice') addData(points, observations, options.data);
  const fit = fitPoints(points, metric, options);
  return { ...fit, notes: [...notes, ...fit.notes] };
}

/** Writes the data variable: tokens of the slice, or tokens over a measure of its quality. */
export function addData(
  points: readonly Point[],
  observations: readonly Observation[],
  data: 'tokens' | { tokensOver: string },
): void {
  for (const point of points) {
    const tokens = point.x.tokens;
    if (tokens === undefined)
      throw new UserError('a data term needs the tokens of every slice', {
        place: `slice ${point.slice}`,
        remedy: 'Add a column tokens, or fit each slice on its own.',
      });
    if (data === 'tokens') point.x.data = tokens;
    else {
      const measure = data.tokensOver;
      const quality = observations.find(
        (observation) => observation.slice === point.slice && observation.quality?.[measure] !== undefined,
      )?.quality?.[measure];
      if (quality === undefined || !(quality > 0))
        throw new UserError(`the slice has no positive measure "${measure}"`, {
          place: `slice ${point.slice}`,
          remedy: `Add a column ${measure}, or use tokens alone.`,
        });
      point.x.data = tokens / quality;
    }
  }
}

/** The same on points that are already averaged. */
export function fitPoints(points: Point[], metric: string, options: FitOptions = {}): LawFit {
  const form = formByName(options.form ?? 'performance-law');
  const model = buildModel(form, points, {
    data: options.data !== undefined && options.data !== 'slice',
    variables: options.variables,
    p: options.p,
    direction: directionOf(metric, options.direction),
  });
  const problem = makeProblem(model, points);
  applyBounds(problem, options.bounds ?? {});
  if (options.link === 'log' && points.some(({ value }) => !(value > 0)))
    throw new UserError('a fit of the logarithm needs a metric above 0 in every configuration', {
      remedy: 'Leave the link out.',
    });
  const settings: SolveSettings = { huber: options.huber, link: options.link, quick: options.quick };
  const solution = solve(problem, settings);
  return summarise(problem, points, metric, solution, settings);
}

function summarise(
  problem: Problem,
  points: Point[],
  metric: string,
  solution: Solution,
  settings: SolveSettings,
): LawFit {
  const { model } = problem;
  const { theta, beta } = solution;
  const groupOf = (slice: string) => Math.max(0, model.groups.indexOf(slice));
  let sse = 0;
  let runs = 0;
  let sum = 0;
  for (const point of points) {
    const predicted = evaluate(model, theta, beta, point.x, groupOf(point.slice));
    for (const value of point.runs) {
      sse += (value - predicted) ** 2;
      sum += value;
      runs++;
    }
  }
  const mean = sum / runs;
  const sst = points.flatMap((point) => point.runs).reduce((total, value) => total + (value - mean) ** 2, 0);
  const law: LawFit = {
    form: model.form.name,
    equation:
      (model.options.direction === 'minimize' ? model.form.fallingEquation : undefined) ??
      model.form.equation,
    metric,
    direction: model.options.direction,
    coefficients: Object.fromEntries(namedCoefficients(model, theta, beta) as Named[]),
    r2: 1 - sse / sst,
    rmse: Math.sqrt(sse / runs),
    sigma: Math.sqrt(sse / Math.max(1, runs - model.size)),
    sse,
    range: metricRange(
      metric,
      points.flatMap((point) => point.runs),
      points.some(({ isPercent }) => isPercent),
    ),
    runs,
    configurations: points.length,
    size: model.size,
    notes: [...model.notes],
    predict: ({ slice, ...x }) => {
      for (const { term } of model.places)
        for (const name of term.variables)
          if (x[name] === undefined)
            throw new UserError(`a prediction by ${model.form.name} needs ${name}`, {});
      if (model.groups.length === 1) return evaluate(model, theta, beta, x, 0);
      const group = slice === undefined ? -1 : model.groups.indexOf(slice);
      if (group < 0)
        throw new UserError(slice === undefined ? 'name the slice' : `slice "${slice}" was never measured`, {
          remedy: `Measured slices: ${model.groups.join(', ')}.`,
        });
      return evaluate(model, theta, beta, x, group);
    },
  };
  return withInner(law, { model, points, problem, solution, settings });
}

/** Exponents' limits go into the model, weights' into the problem. */
function applyBounds(problem: Problem, bounds: Record<string, [number, number]>): void {
  const { model } = problem;
  for (const [name, [min, max]] of Object.entries(bounds)) {
    if (!(min <= max)) throw new UserError(`the bounds of ${name} are empty: ${min} to ${max}`);
    const exponent = model.exponents.find((candidate) => candidate.name === name);
    if (exponent) {
      exponent.min = Math.max(exponent.min, min);
      exponent.max = Math.min(exponent.max, max);
      if (exponent.min > exponent.max)
        exponent.min = exponent.max = Math.abs(min) < Math.abs(max) ? min : max;
      continue;
    }
    const place = model.places.find(({ term }) => term.weights.includes(name));
    if (!place)
      throw new UserError(`${model.form.name} has no coefficient "${name}" that can be bounded here`, {
        remedy: `There are ${[...model.exponents.map((e) => e.name), ...model.places.flatMap((p) => p.term.weights)].join(', ')}.`,
      });
    problem.limits ??= new Array(model.linear).fill(undefined);
    problem.limits[place.beta + place.term.weights.indexOf(name)] = [min, max];
  }
}
