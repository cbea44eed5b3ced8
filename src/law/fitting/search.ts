/**
 * The grid over exponents that makes the fit global. Candidates are spaced by the angle between the directions that their
 * columns take once constants and linear terms are projected out, not by the exponent itself: near the useful values of a
 * (a peak inside the data) the column turns fast, elsewhere hardly at all. All inner products are formed once, after which
 * a grid point costs a few multiplications, so that every bootstrap replicate can afford the whole grid.
 */
import { constantColumns, dot, orthogonalise, type Problem, solveAt, termColumns } from './projection.js';

interface Candidate {
  theta: number[];
  /** Unit direction orthogonal to the fixed columns; undefined where nothing is left of the column. */
  direction: Float64Array | undefined;
}

export interface Grid {
  /** Candidate exponents of each nonlinear term. */
  candidates: number[][][];
  /** For one-exponent terms neighbours are adjacent; for two, the length of a row. */
  rowLength: number[];
}

/** Inner products of a grid on one design; the target is not part of it. */
export interface PreparedGrid {
  grid: Grid;
  fixed: Float64Array[];
  directions: (Float64Array | undefined)[][];
  /** cross[s][t][i * count(t) + j] for s < t. */
  cross: Float64Array[][];
}

const nonlinear = (problem: Problem) =>
  problem.model.places.flatMap((place, index) => (place.term.exponents.length > 0 ? [index] : []));

/** Orthonormal basis of everything that does not depend on an exponent. */
function fixedBasis(problem: Problem): Float64Array[] {
  const columns = constantColumns(problem);
  problem.model.places.forEach(({ term }, index) => {
    if (term.exponents.length === 0) columns.push(...termColumns(problem, index, []));
  });
  return orthogonalise(columns).Q;
}

function directionAt(
  problem: Problem,
  fixed: readonly Float64Array[],
  index: number,
  theta: number[],
): Float64Array | undefined {
  const full: number[] = [];
  theta.forEach((value, k) => {
    full[problem.model.places[index]!.theta + k] = value;
  });
  const column = termColumns(problem, index, full)[0]!;
  const size = Math.sqrt(dot(column, column));
  for (let pass = 0; pass < 2; pass++)
    for (const q of fixed) {
      const share = dot(q, column);
      for (let t = 0; t < column.length; t++) column[t]! -= share * q[t]!;
    }
  const rest = Math.sqrt(dot(column, column));
  if (!(rest > 1e-10 * size) || !Number.isFinite(rest)) return undefined;
  for (let t = 0; t < column.length; t++) column[t]! /= rest;
  return column;
}

/** Exponents from min to max such that neighbouring directions differ by at most `angle`. */
function spread(
  at: (theta: number[]) => Float64Array | undefined,
  min: number,
  max: number,
  angle: number,
): Candidate[] {
  const starts = 17;
  const make = (value: number): Candidate => ({ theta: [value], direction: at([value]) });
  // limits lie far out, where columns hardly turn any more: cubes crowd about 0
  const ends = Array.from({ length: starts }, (_, i) =>
    make(
      i === 0
        ? min
        : i === starts - 1
          ? max
          : (Math.cbrt(min) + ((Math.cbrt(max) - Math.cbrt(min)) * i) / (starts - 1)) ** 3,
    ),
  );
  const out: Candidate[] = [ends[0]!];
  const limit = Math.cos(angle);
  const walk = (from: Candidate, to: Candidate, depth: number): void => {
    const close = !from.direction || !to.direction || dot(from.direction, to.direction) >= limit;
    // the first halvings are not asked for: two ends may agree while the middle differs
    if (depth >= 16 || (close && depth >= 2)) {
      out.push(to);
      return;
    }
    const middle = make((from.theta[0]! + to.theta[0]!) / 2);
    walk(from, middle, depth + 1);
    walk(middle, to, depth + 1);
  };
  for (let i = 1; i < starts; i++) walk(ends[i - 1]!, ends[i]!, 0);
  // thin out what the forced halvings made denser than it need be
  const fine = Math.cos(angle / 2);
  const kept = [out[0]!];
  for (let i = 1; i < out.length - 1; i++) {
    const a = kept[kept.length - 1]!.direction;
    const next = out[i + 1]!.direction;
    if (!a || !next || dot(a, next) < fine) kept.push(out[i]!);
  }
  kept.push(out[out.length - 1]!);
  return kept;
}

/** Chooses the candidate exponents for a problem. Bounds on exponents are already in the model's. */
export function makeGrid(problem: Problem, resolution: 'fine' | 'coarse' = 'fine'): Grid {
  const fixed = fixedBasis(problem);
  const terms = nonlinear(problem);
  const angle = resolution === 'coarse' ? 0.16 : terms.length > 2 ? 0.12 : 0.04;
  const rowLength: number[] = [];
  const candidates = terms.map((index) => {
    const { exponents } = problem.model.places[index]!.term;
    if (exponents.length === 1) {
      rowLength.push(0);
      const { min, max } = exponents[0]!;
      if (min === max) return [[min]];
      return spread((theta) => directionAt(problem, fixed, index, theta), min, max, angle).map(
        ({ theta }) => theta,
      );
    }
    const u = exponents[0]!;
    const v = exponents[1]!;
    const rows = resolution === 'coarse' ? 25 : 49;
    const across = resolution === 'coarse' ? 13 : 33;
    rowLength.push(across);
    const list: number[][] = [];
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < across; j++)
        list.push([
          u.min + ((u.max - u.min) * i) / (rows - 1),
          v.min * (v.max / v.min) ** (j / (across - 1)),
        ]);
    return list;
  });
  return { candidates, rowLength };
}

export function prepareGrid(problem: Problem, grid: Grid): PreparedGrid {
  const fixed = fixedBasis(problem);
  const terms = nonlinear(problem);
  const directions = terms.map((index, t) =>
    grid.candidates[t]!.map((theta) => directionAt(problem, fixed, index, theta)),
  );
  const cross = directions.map((first, s) =>
    directions.map((second, t) => {
      const products = new Float64Array(s < t ? first.length * second.length : 0);
      if (s < t)
        first.forEach((a, i) => {
          second.forEach((b, j) => {
            products[i * second.length + j] = a && b ? dot(a, b) : 0;
          });
        });
      return products;
    }),
  );
  return { grid, fixed, directions, cross };
}

export interface Surface {
  /** Sum of squares at every grid point, in row-major order over the terms' candidates. */
  sse: Float64Array;
  shape: number[];
}

/** Sum of squares over the whole grid for a weighted target. */
export function sweepGrid(prepared: PreparedGrid, target: Float64Array): Surface {
  const rest = target.slice();
  for (const q of prepared.fixed) {
    const share = dot(q, rest);
    for (let t = 0; t < rest.length; t++) rest[t]! -= share * q[t]!;
  }
  const total = dot(rest, rest);
  const shares = prepared.directions.map((list) =>
    Float64Array.from(list, (direction) => (direction ? dot(direction, rest) : 0)),
  );
  const shape = shares.map((list) => list.length);
  const sse = new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(total);
  if (shape.length === 1) for (let i = 0; i < sse.length; i++) sse[i] = total - shares[0]![i]! ** 2;
  else if (shape.length === 2)
    for (let i = 0, k = 0; i < shape[0]!; i++)
      for (let j = 0; j < shape[1]!; j++, k++)
        sse[k] = total - gain2(shares[0]![i]!, shares[1]![j]!, prepared.cross[0]![1]![k]!);
  else if (shape.length === 3) {
    const [, second, third] = shape as [number, number, number];
    for (let i = 0, k = 0; i < shape[0]!; i++)
      for (let j = 0; j < second; j++)
        for (let h = 0; h < third; h++, k++)
          sse[k] =
            total -
            gain3(
              [shares[0]![i]!, shares[1]![j]!, shares[2]![h]!],
              prepared.cross[0]![1]![i * second + j]!,
              prepared.cross[0]![2]![i * third + h]!,
              prepared.cross[1]![2]![j * third + h]!,
            );
  }
  return { sse, shape };
}

/** What two unit directions with inner product g explain of a target with shares b1 and b2. */
function gain2(b1: number, b2: number, g: number): number {
  const rest = 1 - g * g;
  return rest < 1e-9 ? Math.max(b1 * b1, b2 * b2) : (b1 * b1 - 2 * g * b1 * b2 + b2 * b2) / rest;
}

function gain3([b1, b2, b3]: [number, number, number], g12: number, g13: number, g23: number): number {
  const rest = 1 - g12 * g12;
  if (rest < 1e-9) return Math.max(gain2(b1, b3, g13), gain2(b2, b3, g23));
  // the third direction without what the first two hold of it
  const u = (g13 - g12 * g23) / rest;
  const v = (g23 - g12 * g13) / rest;
  const size = 1 - u * g13 - v * g23;
  const left = b3 - u * b1 - v * b2;
  return gain2(b1, b2, g12) + (size < 1e-9 ? 0 : (left * left) / size);
}

/** The same surface where weights are limited: each grid point is a small constrained problem. */
export function sweepLimited(problem: Problem, grid: Grid, target: Float64Array): Surface {
  const shape = grid.candidates.map((list) => list.length);
  const count = shape.reduce((a, b) => a * b, 1);
  const sse = new Float64Array(count);
  for (let k = 0; k < count; k++) sse[k] = solveAt(problem, thetaAt(grid, shape, k), target).sse;
  return { sse, shape };
}

/** Exponents of grid point `k`. */
export function thetaAt(grid: Grid, shape: readonly number[], k: number): number[] {
  const parts: number[][] = [];
  let rest = k;
  for (let t = shape.length - 1; t >= 0; t--) {
    parts.unshift(grid.candidates[t]![rest % shape[t]!]!);
    rest = Math.floor(rest / shape[t]!);
  }
  return parts.flat();
}

/** The axes of the grid: how far apart neighbours lie in memory, and how many there are in a row. */
function neighbourSteps(grid: Grid, shape: readonly number[]): { stride: number; width: number }[] {
  const steps: { stride: number; width: number }[] = [];
  let stride = 1;
  for (let t = shape.length - 1; t >= 0; t--) {
    const row = grid.rowLength[t]!;
    if (row > 0) {
      steps.push({ stride, width: row }, { stride: stride * row, width: shape[t]! / row });
    } else steps.push({ stride, width: shape[t]! });
    stride *= shape[t]!;
  }
  return steps;
}

/** Grid points that no neighbour undercuts, best first, at most `count`. */
export function localMinima(grid: Grid, { sse, shape }: Surface, count: number): number[][] {
  const minima: number[] = [];
  const steps = neighbourSteps(grid, shape);
  const places = new Int32Array(steps.length);
  for (let k = 0; k < sse.length; k++) {
    const here = sse[k]!;
    let lowest = true;
    for (let s = 0; s < steps.length && lowest; s++) {
      const { stride, width } = steps[s]!;
      const place = places[s]!;
      if (place > 0 && sse[k - stride]! < here) lowest = false;
      else if (place + 1 < width && sse[k + stride]! < here) lowest = false;
    }
    if (lowest) minima.push(k);
    for (let s = 0; s < steps.length; s++) {
      places[s]!++;
      if (places[s]! < steps[s]!.width) break;
      places[s] = 0;
    }
  }
  minima.sort((a, b) => sse[a]! - sse[b]!);
  return minima.slice(0, count).map((k) => thetaAt(grid, shape, k));
}

/** For each candidate of nonlinear term `t`, the least sum of squares over all the others. */
export function profile({ sse, shape }: Surface, t: number): Float64Array {
  const out = new Float64Array(shape[t]!).fill(Number.POSITIVE_INFINITY);
  const stride = shape.slice(t + 1).reduce((a, b) => a * b, 1);
  for (let k = 0; k < sse.length; k++) {
    const place = Math.floor(k / stride) % shape[t]!;
    if (sse[k]! < out[place]!) out[place] = sse[k]!;
  }
  return out;
}
