/**
 * Local refinement by ml-levenberg-marquardt. Three of its habits are met here: it stops on an absolute error, so residuals
 * are scaled to the data; it damps by an absolute amount that never falls below 1e-7, so they are scaled up; and it takes
 * the Jacobian by coarse differences unless given one, so it is given the exact one.
 */
import { levenbergMarquardt } from 'ml-levenberg-marquardt';
import {
  designColumns,
  dot,
  type Problem,
  type Projection,
  projectedDerivatives,
  solveAt,
  termDerivative,
} from './projection.js';

export interface Refined {
  theta: number[];
  solved: Projection;
}

const SCALE = 1e3;

function size(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
}

/** The exponents that minimise the projected sum of squares, from a start; never worse than the start. */
export function refine(
  problem: Problem,
  start: readonly number[],
  target: Float64Array,
  iterations = 60,
): Refined {
  const first: Refined = { theta: [...start], solved: solveAt(problem, start, target) };
  if (start.length === 0 || first.solved.sse === 0) return first;
  const unit = SCALE / Math.max(size(first.solved.residual), 1e-12 * size(target));
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
      errorTolerance: 1e-14 * SCALE * SCALE * problem.n,
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
  for (let i = 0; i <= 120; i++) values.push(min + ((max - min) * i) / 120);
  for (let i = 0; i <= 90; i++) values.push(0.02 * 500 ** (i / 90), -0.02 * 500 ** (i / 90));
  return values.filter((value) => value >= min && value <= max).sort((a, b) => a - b);
}

const clamp = (value: number, min: number, max: number) => Math.min(max, Math.max(min, value));

/**
 * All parameters at once against residuals of the logarithm, ln P - ln f. Not linear in the weights, so nothing is projected;
 * started from a projected fit with weights 1 / P^2, which is the same to first order.
 * @param weights one a point, of the squared residual.
 */
export function refineLog(
  problem: Problem,
  start: { theta: readonly number[]; beta: ArrayLike<number> },
  weights: Float64Array,
  iterations = 100,
): { theta: number[]; beta: Float64Array; residual: Float64Array; sse: number } {
  const k = problem.model.exponents.length;
  const plain: Problem = { ...problem, root: new Float64Array(problem.n).fill(1) };
  const roots = weights.map(Math.sqrt);
  const target = problem.y.map((value, i) => Math.log(value) * roots[i]!);
  const startColumns = designColumns(plain, start.theta);
  const scales = Array.from(start.beta, (value, j) =>
    value !== 0 ? Math.abs(value) : 1 / Math.max(1e-300, size(startColumns[j]!)),
  );
  const beta0 = Array.from(start.beta, (value, j) => value / scales[j]!);
  const evaluate = (parameters: readonly number[]) => {
    const theta = parameters.slice(0, k);
    const beta = scales.map((scale, j) => parameters[k + j]! * scale);
    const columns = designColumns(plain, theta);
    const value = new Float64Array(problem.n);
    for (let j = 0; j < columns.length; j++)
      for (let i = 0; i < problem.n; i++) value[i]! += beta[j]! * columns[j]![i]!;
    return { theta, beta, columns, value };
  };
  const residuals = (value: Float64Array) =>
    Float64Array.from(problem.y, (y, i) => (value[i]! > 0 ? Math.log(y / value[i]!) : Number.NaN));
  const cost = (residual: Float64Array) =>
    residual.reduce(
      (sum, r, i) => sum + (Number.isNaN(r) ? Number.POSITIVE_INFINITY : weights[i]! * r * r),
      0,
    );
  const initial = [...start.theta, ...beta0];
  const before = evaluate(initial);
  const sse0 = cost(residuals(before.value));
  const unit = SCALE / Math.max(Math.sqrt(sse0 / problem.n), 1e-12);
  const jacobian = (parameters: number[]) => {
    const { theta, beta, columns, value } = evaluate(parameters);
    const slopes = plain.model.places.flatMap(({ term, beta: j }, index) =>
      term.exponents.map((_, e) => ({ slope: termDerivative(plain, index, theta, e), j })),
    );
    return (i: number) => {
      const factor = (unit * roots[i]!) / value[i]!;
      const partials: number[] = [];
      slopes.forEach(({ slope, j }) => {
        partials.push(factor * beta[j]! * slope[i]!);
      });
      columns.forEach((column, j) => {
        partials.push(factor * scales[j]! * column[i]!);
      });
      return partials;
    };
  };
  let parameters: number[] = initial;
  if (Number.isFinite(sse0) && sse0 > 0)
    parameters = levenbergMarquardt(
      { x: Float64Array.from({ length: problem.n }, (_, i) => i), y: target.map((value) => value * unit) },
      (p) => {
        const { value } = evaluate(p);
        return (i) => (value[i]! > 0 ? Math.log(value[i]!) * roots[i]! * unit : 1e6 * unit);
      },
      {
        initialValues: initial,
        jacobianFunction: jacobian,
        minValues: [...problem.model.exponents.map(({ min }) => min), ...scales.map(() => -1e9)],
        maxValues: [...problem.model.exponents.map(({ max }) => max), ...scales.map(() => 1e9)],
        maxIterations: iterations,
        errorTolerance: 1e-14 * SCALE * SCALE * problem.n,
      },
    ).parameterValues;
  const after = evaluate(parameters);
  const residual = residuals(after.value);
  return { theta: after.theta, beta: Float64Array.from(after.beta), residual, sse: cost(residual) };
}
