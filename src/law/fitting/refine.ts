/**
 * Local refinement by ml-levenberg-marquardt. Three of its habits are met here: it stops on an absolute error and damps by an
 * absolute amount between 1e-7 and 1e7, so residuals are scaled to the steepness of the problem; and it takes the Jacobian by
 * coarse differences unless given one, so it is given the exact one.
 */
import { levenbergMarquardt } from 'ml-levenberg-marquardt';
import {
  designColumns,
  dot,
  type Problem,
  type Projection,
  projectedDerivatives,
  solveAt,
  subtract,
} from './projection.js';

export interface Refined {
  theta: number[];
  solved: Projection;
}

/** Length of the steepest column of the scaled Jacobian: its square lies midway between the damping's limits, 1e-7 and 1e7. */
const SCALE = 30;

/** The exponents that minimise the projected sum of squares, from a start; never worse than the start. */
export function refine(
  problem: Problem,
  start: readonly number[],
  target: Float64Array,
  iterations = 60,
): Refined {
  const first: Refined = { theta: [...start], solved: solveAt(problem, start, target) };
  if (start.length === 0 || first.solved.sse === 0) return first;
  const steepest = Math.max(...projectedDerivatives(problem, start, first.solved).map((s) => dot(s, s)));
  const unit = SCALE / Math.sqrt(Math.max(steepest, 1e-24 * dot(target, target)));
  let last: { key: string; solved: Projection; slopes?: Float64Array[] } | undefined;
  const at = (theta: number[]) => {
    const key = theta.join();
    if (last?.key !== key) last = { key, solved: solveAt(problem, theta, target) };
    return last;
  };
  const rows = Float64Array.from({ length: problem.n }, (_, i) => i);
  const { parameterValues } = levenbergMarquardt(
    { x: rows, y: target.map((value) => value * unit) },
    (theta) => {
      const { residual } = at(theta).solved;
      return (i) => (target[i]! - residual[i]!) * unit;
    },
    {
      initialValues: start,
      jacobianFunction: (theta) => {
        const here = at(theta);
        here.slopes ??= projectedDerivatives(problem, theta, here.solved);
        const { slopes } = here;
        return (i) => slopes.map((slope) => slope[i]! * unit);
      },
      minValues: problem.model.exponents.map(({ min }) => min),
      maxValues: problem.model.exponents.map(({ max }) => max),
      damping: 1e-2,
      maxIterations: iterations,
      errorTolerance: 1e-14 * first.solved.sse * unit * unit,
    },
  );
  const solved = solveAt(problem, parameterValues, target);
  return solved.sse <= first.solved.sse ? { theta: parameterValues, solved } : first;
}

/**
 * The same on a budget, for replicates and cross-validation: Levenberg-Marquardt on the few exponents that stops as soon as a
 * step gains nothing.
 */
export function refineQuickly(
  problem: Problem,
  start: readonly number[],
  target: Float64Array,
  iterations = 15,
): Refined {
  const { exponents } = problem.model;
  let best: Refined = { theta: [...start], solved: solveAt(problem, start, target) };
  let damping = 1e-3;
  for (let step = 0; step < iterations && best.solved.sse > 0; step++) {
    const slopes = projectedDerivatives(problem, best.theta, best.solved);
    let improved = false;
    for (let attempt = 0; attempt < 4 && !improved; attempt++) {
      const move = dampedStep(slopes, best.solved.residual, damping);
      const theta = best.theta.map((value, k) =>
        clamp(value + move[k]!, exponents[k]!.min, exponents[k]!.max),
      );
      const solved = solveAt(problem, theta, target);
      if (solved.sse < best.solved.sse) {
        improved = solved.sse < best.solved.sse * (1 - 1e-6);
        best = { theta, solved };
        damping = Math.max(damping / 10, 1e-9);
        if (!improved) return best;
      } else damping *= 10;
    }
    if (!improved) break;
  }
  return best;
}

/** (J'J + damping diag(J'J)) step = J'r for at most three columns, by elimination. */
function dampedStep(slopes: readonly Float64Array[], residual: Float64Array, damping: number): number[] {
  const rows = slopes.map((a, i) => [
    ...slopes.map((b, j) => dot(a, b) * (i === j ? 1 + damping : 1)),
    dot(a, residual),
  ]);
  const n = rows.length;
  for (let i = 0; i < n; i++) {
    const pivot = rows[i]![i]!;
    if (!(Math.abs(pivot) > 1e-300)) return new Array(n).fill(0);
    for (let k = 0; k < n; k++) {
      if (k === i) continue;
      const share = rows[k]![i]! / pivot;
      for (let j = i; j <= n; j++) rows[k]![j]! -= share * rows[i]![j]!;
    }
  }
  return rows.map((row, i) => (Number.isFinite(row[n]! / row[i]!) ? row[n]! / row[i]! : 0));
}

/** Halving steps along each exponent and along the valley: finishes what damping left undone. */
export function polish(problem: Problem, from: Refined, target: Float64Array, rounds = 40): Refined {
  let best = from;
  const { exponents } = problem.model;
  const steps = exponents.map(({ min, max }) => (max - min) * 1e-3);
  for (let round = 0; round < rounds; round++) {
    const before = best.theta;
    for (let k = 0; k < exponents.length; k++) {
      let moved = false;
      for (const sign of [1, -1]) {
        const theta = [...best.theta];
        theta[k] = clamp(theta[k]! + sign * steps[k]!, exponents[k]!.min, exponents[k]!.max);
        const solved = solveAt(problem, theta, target);
        if (solved.sse < best.solved.sse) {
          best = { theta, solved };
          moved = true;
          break;
        }
      }
      steps[k]! *= moved ? 2 : 0.25;
    }
    const jump = best.theta.map((value, k) =>
      clamp(2 * value - before[k]!, exponents[k]!.min, exponents[k]!.max),
    );
    const solved = solveAt(problem, jump, target);
    if (solved.sse < best.solved.sse) best = { theta: jump, solved };
    if (steps.every((step, k) => step < 1e-10 * (exponents[k]!.max - exponents[k]!.min))) break;
  }
  return best;
}

/**
 * Scans each exponent finely with the others held, and refines from every dip: neighbouring basins can lie closer together
 * in the direction of their columns than any affordable grid resolves.
 */
export function rescan(problem: Problem, from: Refined, target: Float64Array): Refined {
  let best = from;
  for (let round = 0; round < 4; round++) {
    const before = best.solved.sse;
    for (const { term, theta: k } of problem.model.places) {
      if (term.exponents.length !== 1) continue;
      const values = fineScale(term.exponents[0]!.min, term.exponents[0]!.max);
      const held = best.theta;
      const sse = values.map((value) => solveAt(problem, held.with(k, value), target).sse);
      const dips = values
        .map((value, i) => ({
          value,
          sse: sse[i]!,
          dip: !(sse[i - 1]! < sse[i]!) && !(sse[i + 1]! < sse[i]!),
        }))
        .filter(({ dip }) => dip)
        .sort((a, b) => a.sse - b.sse)
        .slice(0, 4);
      for (const { value } of dips) {
        const found = refine(problem, held.with(k, value), target, 40);
        if (found.solved.sse < best.solved.sse) best = found;
      }
    }
    if (!(best.solved.sse < before * (1 - 1e-6))) break;
  }
  return best;
}

/** Evenly spaced values, and values spaced evenly in the logarithm of their size on either side of 0. */
function fineScale(min: number, max: number): number[] {
  const values: number[] = [];
  for (let i = 0; i <= 60; i++) values.push(min + ((max - min) * i) / 60);
  for (let i = 0; i <= 120; i++) values.push(0.005 * 1e4 ** (i / 120), -0.005 * 1e4 ** (i / 120));
  return values.filter((value) => value >= min && value <= max).sort((a, b) => a - b);
}

const clamp = (value: number, min: number, max: number) => Math.min(max, Math.max(min, value));

/** Weights by Gauss-Newton on ln P - ln f at given exponents: each step is a linear problem with columns over f. */
function solveLogAt(
  problem: Problem,
  theta: readonly number[],
  weights: Float64Array,
  value: Float64Array,
): { linear: Problem; solved: Projection; value: Float64Array } | undefined {
  const plain: Problem = { ...problem, root: new Float64Array(problem.n).fill(1) };
  const columns = designColumns(plain, theta);
  let current = value;
  let before = Number.POSITIVE_INFINITY;
  for (let step = 0; step < 30; step++) {
    const root = weights.map((w, i) => Math.sqrt(w) / current[i]!);
    const linear: Problem = { ...problem, root };
    // ln f is near ln f0 + f / f0 - 1
    const target = problem.y.map((y, i) => (Math.log(y / current[i]!) + 1) * Math.sqrt(weights[i]!));
    const solved = solveAt(linear, theta, target);
    const next = new Float64Array(problem.n);
    for (let j = 0; j < columns.length; j++) subtract(next, -solved.beta[j]!, columns[j]!);
    if (!next.every((f) => f > 0)) return undefined;
    const moved = next.reduce((most, f, i) => Math.max(most, Math.abs(f / current[i]! - 1)), 0);
    current = next;
    if (moved < 1e-12 || (moved >= before && moved < 1e-9)) return { linear, solved, value: current };
    before = moved;
  }
  return undefined;
}

/**
 * The exponents against residuals of the logarithm, ln P - ln f, with the weights projected out step by step.
 * @param weights one a point, of the squared residual.
 * @param value the law at every point at the start.
 */
export function refineLog(
  problem: Problem,
  start: { theta: readonly number[]; value: Float64Array },
  weights: Float64Array,
  iterations = 40,
):
  | { theta: number[]; beta: Float64Array; residual: Float64Array; value: Float64Array; sse: number }
  | undefined {
  const { exponents } = problem.model;
  let here = solveLogAt(problem, start.theta, weights, start.value);
  if (!here) return undefined;
  let theta = [...start.theta];
  let damping = 1e-3;
  search: for (let step = 0; step < iterations && theta.length > 0; step++) {
    const slopes = projectedDerivatives(here.linear, theta, here.solved);
    for (let attempt = 0; attempt < 8; attempt++) {
      const move = dampedStep(slopes, here.solved.residual, damping);
      const next = theta.map((value, k) => clamp(value + move[k]!, exponents[k]!.min, exponents[k]!.max));
      const found = solveLogAt(problem, next, weights, here.value);
      if (found && found.solved.sse < here.solved.sse) {
        const gain = 1 - found.solved.sse / here.solved.sse;
        here = found;
        theta = next;
        damping = Math.max(damping / 10, 1e-12);
        if (gain < 1e-13) break search;
        continue search;
      }
      damping *= 10;
    }
    break;
  }
  const { value } = here;
  return {
    theta,
    beta: here.solved.beta,
    residual: problem.y.map((y, i) => Math.log(y / value[i]!)),
    value,
    sse: here.solved.sse,
  };
}
