/**
 * What the data can tell about each coefficient, and what they cannot.
 *
 * An exponent: the profile likelihood. For every value of it the rest is fitted again; the values whose sum of squares stays
 * below SSE (1 + F / (n - k)) are those that the data allow (Bates & Watts 1988, ch. 6). A range that runs to the end of the
 * search is not an answer. A weight of a term whose exponent may be 0 is not one either: there the term becomes a straight
 * line in the logarithm, and weight and constant run to infinity against each other. Otherwise the condition number of the
 * scaled Jacobian decides.
 */
import { inverse, Matrix, SingularValueDecomposition } from 'ml-matrix';
import { namedCoefficients } from '../fitting/design.js';
import type { LawFit } from '../fitting/fit.js';
import { innerOf } from '../fitting/inner.js';
import { designColumns, dot, type Problem, termDerivative } from '../fitting/projection.js';
import { profile } from '../fitting/search.js';
import { fQuantile1 } from './quantiles.js';

export interface CoefficientIdentifiability {
  identifiable: boolean;
  /** Why not. */
  reason?: string;
  /** The values of an exponent that the profile likelihood allows at 95 %; an end is null where the search ended first. */
  allowed?: [number | null, number | null];
}

/** What the points can tell of each coefficient. */
export interface Identifiability {
  /** Condition number of the Jacobian with columns of unit length. */
  conditionNumber: number;
  coefficients: Record<string, CoefficientIdentifiability>;
  /** All coefficients are. */
  identifiable: boolean;
}

/** Jacobian by all free numbers (exponents, then linear), weighted, column by column. */
export function fullJacobian(
  problem: Problem,
  theta: readonly number[],
  beta: ArrayLike<number>,
): Float64Array[] {
  const exponents: Float64Array[] = [];
  problem.model.places.forEach(({ term, beta: j }, index) => {
    term.exponents.forEach((_, e) => {
      exponents.push(termDerivative(problem, index, theta, e).map((value) => value * beta[j]!));
    });
  });
  return [...exponents, ...designColumns(problem, theta)];
}

function conditionNumber(columns: readonly Float64Array[]): number {
  const unit = columns.map((column) => {
    const size = Math.sqrt(dot(column, column));
    return Array.from(column, (value) => (size > 0 ? value / size : 0));
  });
  const { diagonal } = new SingularValueDecomposition(new Matrix(unit).transpose(), {
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
    autoTranspose: true,
  });
  return diagonal[0]! / diagonal[diagonal.length - 1]!;
}

const ILL_CONDITIONED = 1e8;

/**
 * What can be told of a fitted law's coefficients: the profile likelihood of each exponent, SSE(a) <= SSE (1 + F(.95; 1, n - k) /
 * (n - k)) (Bates & Watts 1988), and the condition number of the Jacobian with columns of unit length, which must be below 1e8.
 */
export function identifiability(fit: LawFit): Identifiability {
  const { problem, solution, model } = innerOf(fit);
  const condition = conditionNumber(fullJacobian(problem, solution.theta, solution.beta));
  const freedom = Math.max(1, problem.n - model.size);
  const threshold = 1 + fQuantile1(0.95, freedom) / freedom;
  const found: Record<string, CoefficientIdentifiability> = {};
  let straight = false;
  let t = -1;
  for (const place of model.places) {
    const { term } = place;
    if (term.exponents.length === 0) {
      for (const name of term.weights) found[name] = plain(condition);
      continue;
    }
    t++;
    const ranges =
      term.exponents.length === 1 && solution.surface
        ? [allowedRange(fit, t, threshold)]
        : term.exponents.map((_, e) => wide(fit, place.theta + e));
    let reason: string | undefined;
    term.exponents.forEach((exponent, e) => {
      const range = ranges[e]!;
      const open = range[0] === null || range[1] === null;
      found[exponent.name] = {
        identifiable: !open,
        allowed: range,
        ...(open ? { reason: 'the data allow values up to the end of the search' } : {}),
      };
      if (open) reason ??= `${exponent.name} is not identifiable`;
    });
    const [range] = ranges;
    const crossesZero = (range![0] ?? -1) <= 0 && (range![1] ?? 1) >= 0;
    if (term.exponents.length === 1 && crossesZero) {
      reason ??= `${term.exponents[0]!.name} may be 0, where only the slope in the logarithm is defined`;
    }
    if (reason) straight = true;
    for (const name of term.weights)
      found[name] = reason ? { identifiable: false, reason } : plain(condition);
  }
  const constants = namedCoefficients(model, solution.theta, solution.beta)
    .map(([name]) => name)
    .filter((name) => found[name] === undefined);
  for (const name of constants)
    found[name] = straight
      ? { identifiable: false, reason: 'it moves with a weight that is not identifiable' }
      : plain(condition);
  return {
    conditionNumber: condition,
    coefficients: found,
    identifiable: Object.values(found).every((entry) => entry.identifiable),
  };
}

const plain = (condition: number): CoefficientIdentifiability =>
  condition < ILL_CONDITIONED
    ? { identifiable: true }
    : { identifiable: false, reason: 'the columns of the law are nearly dependent on these points' };

/** Ends of the set of an exponent's values that the profile allows, linear between grid points. */
function allowedRange(fit: LawFit, t: number, threshold: number): [number | null, number | null] {
  const { solution } = innerOf(fit);
  const values = solution.grid.candidates[t]!.map(([value]) => value!);
  const sse = profile(solution.surface!, t);
  const least = solution.surface!.sse.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  // the grid's own minimum may lie above the optimum: the threshold is taken from the lower of the two
  const limit =
    Math.min(least, innerOf(fit).solution.delta === undefined ? solution.objective : least) * threshold;
  const best = bestExponent(fit, t);
  let low = best;
  let high = best;
  let openLow = false;
  let openHigh = false;
  values.forEach((value, i) => {
    if (!(sse[i]! <= limit)) return;
    if (i === 0) openLow = true;
    if (i === values.length - 1) openHigh = true;
    if (value <= low) low = i > 0 ? crossing(values, sse, i, i - 1, limit) : value;
    if (value >= high) high = i < values.length - 1 ? crossing(values, sse, i, i + 1, limit) : value;
  });
  // a range narrower than the grid: the linear approximation is good there
  const reach = Math.sqrt(Math.max(0, threshold - 1) * limitedCovariance(fit, t));
  if (low === best) low = best - reach;
  if (high === best) high = best + reach;
  return [openLow ? null : low, openHigh ? null : high];
}

/** Sum of squares times the exponent's entry of (J'J)^-1: its variance times the degrees of freedom. */
function limitedCovariance(fit: LawFit, t: number): number {
  const { problem, solution, model } = innerOf(fit);
  const columns = fullJacobian(problem, solution.theta, solution.beta);
  const sizes = columns.map((column) => Math.sqrt(dot(column, column)) || 1);
  const J = new Matrix(columns.map((column, j) => Array.from(column, (value) => value / sizes[j]!)));
  const place = model.places.filter(({ term }) => term.exponents.length > 0)[t]!.theta;
  try {
    const entry = inverse(J.mmul(J.transpose())).get(place, place) / sizes[place]! ** 2;
    return Number.isFinite(entry) && entry > 0 ? entry * solution.objective : 0;
  } catch {
    // singular: the condition number says so elsewhere
    return 0;
  }
}

function bestExponent(fit: LawFit, t: number): number {
  const places = innerOf(fit).model.places.filter(({ term }) => term.exponents.length > 0);
  return innerOf(fit).solution.theta[places[t]!.theta]!;
}

function crossing(
  values: number[],
  sse: Float64Array,
  inside: number,
  outside: number,
  limit: number,
): number {
  if (sse[outside]! <= limit) return values[outside]!;
  const share = (limit - sse[inside]!) / (sse[outside]! - sse[inside]!);
  return values[inside]! + share * (values[outside]! - values[inside]!);
}

/** Without a profile: untold when the estimate sits at the end of its range. */
function wide(fit: LawFit, k: number): [number | null, number | null] {
  const { min, max } = innerOf(fit).model.exponents[k]!;
  const value = innerOf(fit).solution.theta[k]!;
  const near = 1e-6 * (max - min);
  return [value - min <= near ? null : value, max - value <= near ? null : value];
}
