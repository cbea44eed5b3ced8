/**
 * The building blocks of every law: terms that are linear in their weights once their exponents are given.
 *
 * A law is constants + sum over terms of (weights . columns(x; exponents)). Terms are written in a form that stays
 * regular where the textbook form does not: -1/(p x^a) - a ln x and x^-a both lose their shape as a -> 0 while their
 * weights run off to infinity, so the columns used inside are (g(x; a) + 1/p) / a and (1 - x^-a) / a, whose limits are
 * -(1 - 1/p) ln x and ln x. And x is counted in units of its smallest value: where x begins at 256, or at a million tokens,
 * x^-a would be the last digits of a column of nearly equal numbers. The reported coefficients are those of the textbook form.
 */

import type { Direction } from '../points/direction.js';
import type { Variable } from '../points/points.js';

/** A nonlinear parameter and where it is searched. */
export interface Exponent {
  name: string;
  min: number;
  max: number;
}

/** A coefficient of the textbook form. */
export type Named = [name: string, value: number];

type Numbers = readonly number[] | Float64Array;

/** One term of a law: weights times columns of its variables, given its exponents. */
export interface Term {
  variables: Variable[];
  /** Nonlinear parameters; a term that has any has exactly one column. */
  exponents: Exponent[];
  /** Names of the weights of the textbook form, one a column. */
  weights: string[];
  /** Writes the columns at `x` (one value a variable) to `out[at...]`. Asked millions of times: by index, not by destructuring. */
  columns(x: readonly number[], theta: Numbers, out: number[] | Float64Array, at: number): void;
  /** Derivative of the one column by exponent `k`. */
  derivative(x: readonly number[], theta: Numbers, k: number): number;
  /** Inner weight per unit of the textbook weight (beta = scale * weight). */
  scale(theta: readonly number[]): number;
  /** Textbook coefficients, and what they add to the textbook constant over the inner one. */
  coefficients(theta: readonly number[], beta: readonly number[]): { named: Named[]; constant: number };
  /** Where the term has a maximum: a value a variable, or which way it rises in the end. Of a loss it is asked with its weights' signs turned. */
  peak(theta: readonly number[], beta: readonly number[]): (number | 'up' | 'down')[];
}

const rising = (slope: number): 'up' | 'down' => (slope >= 0 ? 'up' : 'down');
const noDerivative = () => 0;
const one = () => 1;

/** The textbook forms have no weight at a = 0; this near to it they give the law to eight digits. */
const awayFromZero = (a: number) => (Math.abs(a) < 1e-8 ? (a < 0 ? -1e-8 : 1e-8) : a);

/** (1 - exp(-z)) / z, continuous at 0. */
function phi(z: number): number {
  return Math.abs(z) < 1e-5 ? 1 - z / 2 + (z * z) / 6 : -Math.expm1(-z) / z;
}

/** d phi / dz. */
function phiSlope(z: number): number {
  if (Math.abs(z) < 1e-3) return -1 / 2 + z / 3 - (z * z) / 8 + z ** 3 / 30;
  return (Math.exp(-z) * (1 + z) - 1) / (z * z);
}

/**
 * w g(x; a) with g(x; a) = -1/(p x^a) - a ln x, the term of the performance law (arXiv 2412.00430).
 * Stationary at x = p^(-1/a): for a < 0 and w > 0 the maximum p^(1/|a|).
 * @param smallest smallest value of the variable among the points, the unit in which the column counts it.
 */
export function performanceTerm(
  variable: Variable,
  names: { exponent: string; weight: string },
  limit: number,
  p: number,
  smallest = 1,
): Term {
  const unit = Math.log(smallest);
  return {
    variables: [variable],
    exponents: [{ name: names.exponent, min: -limit, max: limit }],
    weights: [names.weight],
    // g / a but for a constant = L (s phi(a L) / p - 1), with L = ln(x / smallest) and s = smallest^-a
    columns(x, theta, out, at) {
      const a = theta[0]!;
      const L = Math.log(x[0]!) - unit;
      out[at] = L * ((Math.exp(-a * unit) * phi(a * L)) / p - 1);
    },
    derivative(x, theta) {
      const a = theta[0]!;
      const L = Math.log(x[0]!) - unit;
      return ((Math.exp(-a * unit) * L) / p) * (L * phiSlope(a * L) - unit * phi(a * L));
    },
    scale: ([a]) => a!,
    coefficients([inner], [u]) {
      const a = awayFromZero(inner!);
      const w = u! / a;
      return {
        named: [
          [names.exponent, a],
          [names.weight, w],
        ],
        constant: (w * Math.exp(-a * unit)) / p + u! * unit,
      };
    },
    peak([a], [u]) {
      const at = p ** (-1 / a!);
      // u = a w; for x >= 1 and a > 0 the term only falls (w > 0) or rises (w < 0)
      if (a! < 0 && u! < 0) return [at];
      // w < 0: a minimum, after which it rises without end
      if (a! < 0) return ['up'];
      return [rising(-u!)];
    },
  };
}

/**
 * -A / x^a for a metric that rises, A / x^a for a loss: the weight A > 0 where more of x is better.
 * @param smallest smallest value of the variable among the points, the unit in which the column counts it.
 */
export function powerTerm(
  variable: Variable,
  names: { exponent: string; weight: string },
  limit: number,
  direction: Direction = 'maximize',
  smallest = 1,
): Term {
  const sign = direction === 'minimize' ? -1 : 1;
  const unit = Math.log(smallest);
  return {
    variables: [variable],
    exponents: [{ name: names.exponent, min: 0, max: limit }],
    weights: [names.weight],
    columns(x, theta, out, at) {
      const a = theta[0]!;
      const L = Math.log(x[0]!) - unit;
      out[at] = sign * L * phi(a * L);
    },
    derivative(x, theta) {
      const a = theta[0]!;
      const L = Math.log(x[0]!) - unit;
      return sign * L * L * phiSlope(a * L);
    },
    // A smallest^-a = u / a
    scale: ([a]) => a! * Math.exp(-a! * unit),
    coefficients([inner], [u]) {
      const a = awayFromZero(inner!);
      return {
        named: [
          [names.weight, (u! / a) * Math.exp(a * unit)],
          [names.exponent, a],
        ],
        constant: (sign * u!) / a,
      };
    },
    peak: (_theta, [u]) => [rising(sign * u!)],
  };
}

/** w ln x. */
export function logTerm(variable: Variable, weight: string): Term {
  return {
    variables: [variable],
    exponents: [],
    weights: [weight],
    columns(x, _theta, out, at) {
      out[at] = Math.log(x[0]!);
    },
    derivative: noDerivative,
    scale: one,
    coefficients: (_theta, [w]) => ({ named: [[weight, w!]], constant: 0 }),
    peak: (_theta, [w]) => [rising(w!)],
  };
}

/** b1 ln x + b2 ln^2 x. */
export function quadraticTerm(variable: Variable, weights: [string, string]): Term {
  return {
    variables: [variable],
    exponents: [],
    weights,
    columns(x, _theta, out, at) {
      const L = Math.log(x[0]!);
      out[at] = L;
      out[at + 1] = L * L;
    },
    derivative: noDerivative,
    scale: one,
    coefficients: (_theta, beta) => ({
      named: weights.map((name, i): Named => [name, beta[i]!]),
      constant: 0,
    }),
    peak: (_theta, [b1, b2]) => [b2! < 0 ? Math.exp(-b1! / (2 * b2!)) : rising(b2! === 0 ? b1! : b2!)],
  };
}

/** The full quadratic in ln x and ln y: b1 ln x + b2 ln^2 x + b3 ln y + b4 ln^2 y + b5 ln x ln y. */
export function crossedQuadraticTerm(
  variables: [Variable, Variable],
  weights: [string, string, string, string, string],
): Term {
  return {
    variables,
    exponents: [],
    weights,
    columns(x, _theta, out, at) {
      const X = Math.log(x[0]!);
      const Y = Math.log(x[1]!);
      out[at] = X;
      out[at + 1] = X * X;
      out[at + 2] = Y;
      out[at + 3] = Y * Y;
      out[at + 4] = X * Y;
    },
    derivative: noDerivative,
    scale: one,
    coefficients: (_theta, beta) => ({
      named: weights.map((name, i): Named => [name, beta[i]!]),
      constant: 0,
    }),
    peak(_theta, [b1, b2, b3, b4, b5]) {
      const determinant = 4 * b2! * b4! - b5! * b5!;
      if (b2! < 0 && b4! < 0 && determinant > 0)
        return [
          Math.exp((b5! * b3! - 2 * b4! * b1!) / determinant),
          Math.exp((b5! * b1! - 2 * b2! * b3!) / determinant),
        ];
      return [rising(b2!), rising(b4!)];
    },
  };
}

/** span * sigmoid(slope (ln x - midpoint)); of a loss sigmoid(-slope (ln x - midpoint)). */
export function logisticTerm(
  variable: Variable,
  midpoint: Exponent,
  slope: Exponent,
  span: string,
  direction: Direction = 'maximize',
): Term {
  const sign = direction === 'minimize' ? -1 : 1;
  const sigmoid = (x: number, m: number, s: number) => 1 / (1 + Math.exp(-sign * s * (Math.log(x) - m)));
  return {
    variables: [variable],
    exponents: [midpoint, slope],
    weights: [span],
    columns(x, theta, out, at) {
      out[at] = sigmoid(x[0]!, theta[0]!, theta[1]!);
    },
    derivative(x, theta, k) {
      const [m, s] = [theta[0]!, theta[1]!];
      const q = sigmoid(x[0]!, m, s);
      return sign * q * (1 - q) * (k === 0 ? -s : Math.log(x[0]!) - m);
    },
    scale: one,
    coefficients: ([m, s], [w]) => ({
      named: [
        [span, w!],
        [midpoint.name, m!],
        [slope.name, s!],
      ],
      constant: 0,
    }),
    peak: (_theta, [w]) => [rising(sign * w!)],
  };
}
