/**
 * The numeric heart of a fit: grid, best local minima, refinement; optionally Huber's loss (iteratively reweighted) and
 * residuals of the logarithm. Works on numbers only, so that bootstrap replicates and cross-validation share it.
 */
import { UserError } from '../../util/errors.js';
import { type Problem, type Projection, residualAt, solveAt, weightedTarget } from './projection.js';
import { polish, type Refined, refine, refineLog, refineQuickly, rescan } from './refine.js';
import {
  type Grid,
  localMinima,
  makeGrid,
  type PreparedGrid,
  prepareGrid,
  type Surface,
  sweepGrid,
  sweepLimited,
} from './search.js';

export interface SolveSettings {
  /** Huber's threshold on one run's residual; `auto` takes 1.345 times the robust scale. Least squares where absent. */
  huber?: number | 'auto';
  /** `log`: residuals are ln P - ln f. */
  link?: 'identity' | 'log';
  /** Local minima of the grid that are refined. */
  starts?: number;
  /** Replicates and cross-validation: fewer starts, quick refinement, no last scan. */
  quick?: boolean;
  /** Exponents to start from instead of the grid, where the optimum is known to be near. */
  near?: readonly number[];
}

export interface Solution {
  theta: number[];
  beta: Float64Array;
  /** Residual P - f of each point, unweighted (of the logarithm where link is log). */
  residual: Float64Array;
  /** Weighted sum of squares, or Huber's objective. */
  objective: number;
  /** Huber's threshold that was used. */
  delta?: number;
  /** Weights of the last step, relative to the problem's (1 where least squares). */
  robust: Float64Array;
  surface?: Surface;
  grid: Grid;
}

/** Solves for the global optimum. `prepared` saves forming the grid again where only the target changed. */
export function solve(problem: Problem, settings: SolveSettings = {}, prepared?: PreparedGrid): Solution {
  const grid =
    prepared?.grid ??
    (settings.near
      ? { candidates: [], rowLength: [] }
      : makeGrid(problem, settings.quick ? 'coarse' : 'fine'));
  if (settings.link === 'log') return solveLog(problem, grid, settings);
  const squares = leastSquares(problem, grid, settings, prepared);
  if (settings.huber === undefined) return squares;
  return robustly(problem, grid, settings, squares);
}

function leastSquares(
  problem: Problem,
  grid: Grid,
  settings: SolveSettings,
  prepared?: PreparedGrid,
): Solution {
  const target = weightedTarget(problem);
  const { surface, starts } = settings.near
    ? { surface: undefined, starts: [settings.near] }
    : startsOf(problem, grid, target, settings.starts ?? (settings.quick ? 2 : 6), prepared);
  let best: Refined | undefined;
  for (const start of starts) {
    const found = settings.quick ? refineQuickly(problem, start, target) : refine(problem, start, target);
    if (!best || found.solved.sse < best.solved.sse) best = found;
  }
  if (!settings.quick && best!.theta.length > 0)
    best = polish(problem, rescan(problem, best!, target), target);
  return {
    theta: best!.theta,
    beta: best!.solved.beta,
    residual: plainResidual(problem, best!.solved),
    objective: best!.solved.sse,
    robust: new Float64Array(problem.n).fill(1),
    surface,
    grid,
  };
}

function startsOf(
  problem: Problem,
  grid: Grid,
  target: Float64Array,
  count: number,
  prepared?: PreparedGrid,
): { surface?: Surface; starts: number[][] } {
  if (problem.model.exponents.length === 0) return { starts: [[]] };
  const surface = problem.limits
    ? sweepLimited(problem, grid, target)
    : sweepGrid(prepared ?? prepareGrid(problem, grid), target);
  return { surface, starts: localMinima(grid, surface, count) };
}

function plainResidual(problem: Problem, solved: Projection): Float64Array {
  return solved.residual.map((value, i) => (problem.root[i]! > 0 ? value / problem.root[i]! : 0));
}

const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/** Huber's loss: r^2 inside delta, 2 delta |r| - delta^2 outside (so that it equals least squares where delta is large). */
function huberLoss(standard: Float64Array, delta: number): number {
  let sum = 0;
  for (const r of standard) {
    const size = Math.abs(r);
    sum += size <= delta ? size * size : 2 * delta * size - delta * delta;
  }
  return sum;
}

const huberWeights = (standard: Float64Array, delta: number) =>
  standard.map((r) => (Math.abs(r) <= delta ? 1 : delta / Math.abs(r)));

/** Residuals as of one run: a mean of r runs is r^(1/2) times as precise. */
const standardise = (problem: Problem, residual: Float64Array) =>
  residual.map((value, i) => value * problem.root[i]!);

function reweighted(problem: Problem, factors: Float64Array): Problem {
  return { ...problem, root: problem.root.map((root, i) => root * Math.sqrt(factors[i]!)) };
}

/** The robust scale: 1.4826 times the median size of the residuals of a fit by (nearly) least absolute deviations. */
function robustScale(problem: Problem, grid: Grid, settings: SolveSettings, from: Solution): number {
  let current = absoluteStart(problem, grid, settings, from);
  const floor = 1e-3 * Math.sqrt(from.objective / problem.n) + 1e-300;
  for (let step = 0; step < 10; step++) {
    const factors = standardise(problem, current.residual).map((r) => 1 / Math.max(Math.abs(r), floor));
    const weighted = reweighted(problem, factors);
    const target = weightedTarget(weighted);
    const { theta, solved } = refineQuickly(weighted, current.theta, target, 8);
    const next = { ...current, theta, beta: solved.beta };
    current = { ...next, residual: residualAt(problem, next.theta, next.beta) };
  }
  const spread = 1.4826 * median([...standardise(problem, current.residual)].map(Math.abs));
  return Math.max(spread * Math.sqrt(problem.n / Math.max(1, problem.n - problem.model.size)), 1e-300);
}

/**
 * Iteratively reweighted least squares, from the plain fit and from one nearer to least absolute deviations. Between whole
 * grids the exponents only move locally; a last grid with the final weights looks for a better basin.
 */
function robustly(problem: Problem, grid: Grid, settings: SolveSettings, start: Solution): Solution {
  const delta =
    settings.huber === 'auto'
      ? 1.345 * robustScale(problem, grid, settings, start)
      : (settings.huber as number);
  let best: Solution | undefined;
  const starts = settings.quick ? [start] : [start, absoluteStart(problem, grid, settings, start)];
  for (const first of starts) {
    let current: Solution = { ...first, objective: Number.POSITIVE_INFINITY };
    for (let round = 0; round < 4; round++) {
      const before = current.objective;
      for (let step = 0; step < (settings.quick ? 12 : 60); step++) {
        const next = huberStep(problem, delta, current, (weighted, theta) => {
          const target = weightedTarget(weighted);
          return refineQuickly(weighted, theta, target, settings.quick ? 2 : 8).theta;
        });
        if (!(next.objective < current.objective * (1 - 1e-12))) break;
        current = next;
      }
      if (settings.quick) break;
      const wide = huberStep(
        problem,
        delta,
        current,
        (weighted) => leastSquares(weighted, grid, { ...settings, starts: 3 }).theta,
      );
      if (wide.objective < current.objective) current = wide;
      if (!(current.objective < before * (1 - 1e-9))) break;
    }
    if (!best || current.objective < best.objective) best = current;
  }
  return best!;
}

/** One step: weights from the residuals, exponents by `choose`, then the linear weights. */
function huberStep(
  problem: Problem,
  delta: number,
  from: Solution,
  choose: (weighted: Problem, theta: number[]) => number[],
): Solution {
  const robust = huberWeights(standardise(problem, from.residual), delta);
  const weighted = reweighted(problem, robust);
  const theta = choose(weighted, from.theta);
  const target = weightedTarget(weighted);
  const beta = solveAt(weighted, theta, target).beta;
  const residual = residualAt(problem, theta, beta);
  const objective = huberLoss(standardise(problem, residual), delta);
  return { ...from, theta, beta, residual, objective, delta, robust };
}

/** A fit that outliers pull less: one step towards least absolute deviations. */
function absoluteStart(problem: Problem, grid: Grid, settings: SolveSettings, start: Solution): Solution {
  const standard = standardise(problem, start.residual);
  const floor = 0.1 * Math.sqrt(start.objective / problem.n) + 1e-300;
  const factors = standard.map((r) => 1 / Math.max(Math.abs(r), floor));
  const found = leastSquares(reweighted(problem, factors), grid, { ...settings, quick: true });
  return { ...found, residual: residualAt(problem, found.theta, found.beta) };
}

/** Residuals of the logarithm: started from fits with weights 1 / P^2, the same to first order. */
function solveLog(problem: Problem, grid: Grid, settings: SolveSettings): Solution {
  const relative: Problem = { ...problem, root: problem.root.map((root, i) => root / problem.y[i]!) };
  const target = weightedTarget(relative);
  const { starts } = startsOf(relative, grid, target, settings.starts ?? (settings.quick ? 2 : 6));
  const weights = problem.root.map((root) => root * root);
  let best: Solution | undefined;
  for (const start of starts) {
    const rough = settings.quick ? refineQuickly(relative, start, target) : refine(relative, start, target);
    const fitted = problem.y.map((value, i) =>
      Math.max(value - rough.solved.residual[i]! / relative.root[i]!, 1e-3 * value),
    );
    let current = refineLog(problem, { theta: rough.theta, value: fitted }, weights);
    if (!current) continue;
    let robust = new Float64Array(problem.n).fill(1);
    let objective = current.sse;
    let delta: number | undefined;
    if (settings.huber !== undefined) {
      delta =
        settings.huber === 'auto'
          ? 1.345 * 1.4826 * median([...standardise(problem, current.residual)].map(Math.abs))
          : settings.huber;
      objective = huberLoss(standardise(problem, current.residual), delta);
      for (let step = 0; step < 300; step++) {
        const next = huberWeights(standardise(problem, current.residual), delta);
        const factors = weights.map((w, i) => w * next[i]!);
        const found = refineLog(problem, current, factors, 3);
        const score = found
          ? huberLoss(standardise(problem, found.residual), delta)
          : Number.POSITIVE_INFINITY;
        if (!found || !(score < objective * (1 - 1e-12))) break;
        current = found;
        robust = next;
        objective = score;
      }
    }
    const { theta, beta, residual } = current;
    if (!best || objective < best.objective) best = { theta, beta, residual, objective, delta, robust, grid };
  }
  if (!best)
    throw new UserError('the logarithm of this law cannot be fitted to these points', {
      remedy: 'Fit the metric itself, or another form.',
    });
  return best;
}
