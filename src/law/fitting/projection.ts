/**
 * Variable projection (Golub & Pereyra 1973): given the exponents, the weights follow by linear least squares, so only the
 * exponents are searched. Columns are orthogonalised twice (modified Gram-Schmidt), which is as stable as Householder.
 */

import type { Term } from '../forms/terms.js';
import type { Point } from '../points/points.js';
import type { LawModel } from './design.js';

/** Points as numbers, weighted: every column and the target are multiplied by the root of the weight. */
export interface Problem {
  model: LawModel;
  n: number;
  /** Root of the weight of each point. */
  root: Float64Array;
  /** Unweighted metric. */
  y: Float64Array;
  group: Int32Array;
  /** For each term of the model the distinct values of its variables, and which of them each point has. */
  x: { levels: number[][]; of: Int32Array }[];
  /** Limits of the weights of the textbook form, by linear index; undefined where all are free. */
  limits?: ([number, number] | undefined)[];
}

export function makeProblem(
  model: LawModel,
  points: readonly Point[],
  weights: ArrayLike<number> = points.map((point) => point.runs.length),
  y: ArrayLike<number> = points.map((point) => point.value),
): Problem {
  return {
    model,
    n: points.length,
    root: Float64Array.from(weights, Math.sqrt),
    y: Float64Array.from(y),
    group: Int32Array.from(points, (point) => Math.max(0, model.groups.indexOf(point.slice))),
    x: model.places.map(({ term }) =>
      distinct(points.map((point) => term.variables.map((name) => point.x[name]!))),
    ),
  };
}

/** Most points share their layers and dim with others: a term is evaluated once a distinct value. */
function distinct(rows: number[][]): { levels: number[][]; of: Int32Array } {
  const levels: number[][] = [];
  const place = new Map<string, number>();
  const of = Int32Array.from(rows, (row) => {
    const key = row.join();
    const known = place.get(key) ?? levels.push(row) - 1;
    place.set(key, known);
    return known;
  });
  return { levels, of };
}

/** The weighted columns of the constants and of one term. */
export function constantColumns({ model, n, root, group }: Problem): Float64Array[] {
  if (model.groups.length === 1) return [root];
  const columns = model.groups.map(() => new Float64Array(n));
  for (let i = 0; i < n; i++) columns[group[i]!]![i] = root[i]!;
  return columns;
}

export function termColumns(problem: Problem, index: number, theta: ArrayLike<number>): Float64Array[] {
  const { term, theta: from } = problem.model.places[index]!;
  const own = exponentsOf(term, theta, from);
  const { levels, of } = problem.x[index]!;
  const width = term.weights.length;
  const values = new Float64Array(levels.length * width);
  for (let i = 0; i < levels.length; i++) term.columns(levels[i]!, own, values, i * width);
  const columns = term.weights.map(() => new Float64Array(problem.n));
  for (let c = 0; c < width; c++) {
    const column = columns[c]!;
    for (let i = 0; i < problem.n; i++) column[i] = values[of[i]! * width + c]! * problem.root[i]!;
  }
  return columns;
}

/** A term's own exponents; always numbers of one kind, so that code need not be compiled again for another. */
function exponentsOf({ exponents }: Term, theta: ArrayLike<number>, from: number): Float64Array {
  const own = new Float64Array(exponents.length);
  for (let k = 0; k < own.length; k++) own[k] = theta[from + k]!;
  return own;
}

/** Weighted derivative of a term's one column by its exponent `k`. */
export function termDerivative(
  problem: Problem,
  index: number,
  theta: ArrayLike<number>,
  k: number,
): Float64Array {
  const { term, theta: from } = problem.model.places[index]!;
  const own = exponentsOf(term, theta, from);
  const { levels, of } = problem.x[index]!;
  const values = new Float64Array(levels.length);
  for (let i = 0; i < levels.length; i++) values[i] = term.derivative(levels[i]!, own, k);
  const column = new Float64Array(problem.n);
  for (let i = 0; i < problem.n; i++) column[i] = values[of[i]!]! * problem.root[i]!;
  return column;
}

export function designColumns(problem: Problem, theta: ArrayLike<number>): Float64Array[] {
  const columns = constantColumns(problem);
  problem.model.places.forEach((_, index) => {
    columns.push(...termColumns(problem, index, theta));
  });
  return columns;
}

/** y times the square roots of the weights: what the columns of `designColumns` are fitted to. */
export function weightedTarget({ y, root }: Problem): Float64Array {
  return y.map((value, i) => value * root[i]!);
}

/** y - f at every point, without weights: also where a weight is 0. */
export function residualAt(problem: Problem, theta: ArrayLike<number>, beta: Float64Array): Float64Array {
  const columns = designColumns({ ...problem, root: new Float64Array(problem.n).fill(1) }, theta);
  return problem.y.map(
    (value, i) => value - columns.reduce((sum, column, j) => sum + beta[j]! * column[i]!, 0),
  );
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** a -= share * b. */
export function subtract(a: Float64Array, share: number, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) a[i]! -= share * b[i]!;
}

/** Orthonormal basis Q of the columns and R with column j = sum_i Q_i R[i][j]; `kept` marks columns that add a direction. */
export interface Orthogonal {
  Q: Float64Array[];
  R: number[][];
  kept: number[];
}

export function orthogonalise(columns: readonly Float64Array[], tolerance = 1e-11): Orthogonal {
  const Q: Float64Array[] = [];
  const R: number[][] = [];
  const kept: number[] = [];
  for (let j = 0; j < columns.length; j++) {
    const column = columns[j]!;
    const q = column.slice();
    const size = Math.sqrt(dot(q, q));
    const r = new Array<number>(Q.length).fill(0);
    for (let pass = 0; pass < 2; pass++)
      for (let i = 0; i < Q.length; i++) {
        const share = dot(Q[i]!, q);
        r[i]! += share;
        subtract(q, share, Q[i]!);
      }
    const rest = Math.sqrt(dot(q, q));
    if (!(rest > tolerance * size) || !Number.isFinite(rest)) continue;
    for (let t = 0; t < q.length; t++) q[t]! /= rest;
    Q.push(q);
    R.push([...r, rest]);
    kept.push(j);
  }
  return { Q, R, kept };
}

export interface Projection extends Orthogonal {
  columns: Float64Array[];
  beta: Float64Array;
  /** Weighted residual of the target. */
  residual: Float64Array;
  sse: number;
}

/** Linear least squares of the weighted `target` on `columns`; columns that add no direction get weight 0. */
export function project(columns: Float64Array[], target: Float64Array): Projection {
  const basis = orthogonalise(columns);
  const { Q, R, kept } = basis;
  const residual = target.slice();
  const shares = Q.map((q) => {
    const share = dot(q, residual);
    subtract(residual, share, q);
    return share;
  });
  const beta = new Float64Array(columns.length);
  for (let i = kept.length - 1; i >= 0; i--) {
    let value = shares[i]!;
    for (let j = i + 1; j < kept.length; j++) value -= R[j]![i]! * beta[kept[j]!]!;
    beta[kept[i]!] = value / R[i]![i]!;
  }
  return { ...basis, columns, beta, residual, sse: dot(residual, residual) };
}

/** Least squares with limits on some weights: an active set over the few that are limited. */
export function projectLimited(
  columns: Float64Array[],
  target: Float64Array,
  limits: readonly ([number, number] | undefined)[],
): Projection {
  const limited = limits.flatMap((limit, j) => (limit ? [j] : []));
  let best: Projection | undefined;
  // each limited weight is free, at its lower or at its upper limit: few enough to try them all
  for (let code = 0; code < 3 ** limited.length; code++) {
    const held = new Map<number, number>();
    let rest = code;
    for (const j of limited) {
      if (rest % 3 > 0) held.set(j, limits[j]![(rest % 3) - 1]!);
      rest = Math.floor(rest / 3);
    }
    if ([...held.values()].some((value) => !Number.isFinite(value))) continue;
    const shifted = target.slice();
    for (const [j, value] of held) subtract(shifted, value, columns[j]!);
    const zero = new Float64Array(target.length);
    const found = project(
      columns.map((column, j) => (held.has(j) ? zero : column)),
      shifted,
    );
    for (const [j, value] of held) found.beta[j] = value;
    const inside = limited.every(
      (j) => found.beta[j]! >= limits[j]![0] - 1e-12 && found.beta[j]! <= limits[j]![1] + 1e-12,
    );
    if (inside && (!best || found.sse < best.sse)) best = found;
  }
  return best!;
}

/** Weights, residual and basis at given exponents. */
export function solveAt(problem: Problem, theta: ArrayLike<number>, target: Float64Array): Projection {
  const columns = designColumns(problem, theta);
  if (!problem.limits) return project(columns, target);
  const inner = problem.limits.map((limit, j) => {
    if (!limit) return undefined;
    const place = problem.model.places.find(({ beta, term }) => j >= beta && j < beta + term.weights.length)!;
    const scale = place.term.scale(place.term.exponents.map((_, k) => theta[place.theta + k]!));
    const ends = limit.map((end) => (Number.isFinite(end) ? end * scale : end * Math.sign(scale || 1)));
    return [Math.min(...ends), Math.max(...ends)] as [number, number];
  });
  return projectLimited(columns, target, inner);
}

/**
 * Derivatives of the projected prediction by each exponent, exact (both terms of Golub & Pereyra):
 * P_perp dphi beta + Q R^-T (dphi' r).
 */
export function projectedDerivatives(
  problem: Problem,
  theta: ArrayLike<number>,
  solved: Projection,
): Float64Array[] {
  const { Q, R, kept, beta, residual } = solved;
  const result: Float64Array[] = [];
  problem.model.places.forEach(({ term, beta: j }, index) => {
    term.exponents.forEach((_, k) => {
      const slope = termDerivative(problem, index, theta, k);
      const out = slope.slice();
      for (let i = 0; i < out.length; i++) out[i]! *= beta[j]!;
      for (const q of Q) subtract(out, dot(q, out), q);
      const place = kept.indexOf(j);
      if (place >= 0) {
        // forward substitution of R^T z = e_place times slope . r
        const z = new Array<number>(kept.length).fill(0);
        const share = dot(slope, residual);
        for (let i = place; i < kept.length; i++) {
          let value = i === place ? share : 0;
          for (let h = place; h < i; h++) value -= R[i]![h]! * z[h]!;
          z[i] = value / R[i]![i]!;
          subtract(out, -z[i]!, Q[i]!);
        }
      }
      result.push(out);
    });
  });
  return result;
}
