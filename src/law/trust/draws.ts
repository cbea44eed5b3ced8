/**
 * Bootstrap replicates: the same law fitted again to data that might have been. Pure numbers in and out, so that a worker
 * thread can do a share of them; every replicate has its own stream of random numbers, so the result does not depend on
 * how many threads shared the work.
 *
 * Residual bootstrap: residuals of the configurations, freed of leverage (divided by (1 - h)^(1/2)) and of their weight, are
 * drawn with replacement and put back on the fitted values. Case bootstrap: within each configuration its runs are drawn
 * (stratified) where all have at least two; otherwise whole configurations are drawn.
 *
 * Where the best of several settings stands for a configuration, a new run lacks what the choice has flattered: it is taken from
 * the noise of a new run, so that intervals reach to where an unchosen run lies, and from no fitted value.
 */
import { createRandom, type Random } from '../../util/random.js';
import { assembleModel, evaluate, type LawModel, type ModelOptions } from '../fitting/design.js';
import { makeProblem, orthogonalise, type Problem } from '../fitting/projection.js';
import { type Grid, prepareGrid } from '../fitting/search.js';
import { type SolveSettings, solve } from '../fitting/solve.js';
import type { FormName } from '../forms/form.js';
import { formByName } from '../forms/forms.js';
import type { Point } from '../points/points.js';
import { fullJacobian } from './identifiability.js';

export interface BootstrapTask {
  form: FormName;
  /** Where a thread finds the form; see `formSource`. */
  source: string;
  options: Required<ModelOptions>;
  points: Point[];
  /** Limits of exponents as fitted, in the model's order, and of weights. */
  exponents: [number, number][];
  limits?: ([number, number] | undefined)[];
  theta: number[];
  beta: number[];
  settings: SolveSettings;
  grid: Grid;
  kind: 'residual' | 'case';
  seed: number;
  from: number;
  to: number;
}

/** One replicate. */
export interface Draw {
  theta: number[];
  beta: number[];
  /** Residual deviation of one run in the replicate. */
  sigma: number;
  /** Noise of one new run. */
  noise: number;
}

interface Residuals {
  /** Of the configurations, as of one run and without leverage, centred. */
  between: number[];
  /** Of the runs about their configuration, centred by nature, scaled for their number; empty without repeats. */
  within: number[];
  /** Typical number of runs a configuration. */
  repeats: number;
  /** What choosing among settings has added to the configurations; empty where nothing was tuned. */
  optimism: { mean: number; spread: number }[];
}

/** Rebuilds the model of a task; forms are code and cannot travel between threads. */
function rebuild(task: BootstrapTask): { model: LawModel; problem: Problem } {
  const model = assembleModel(formByName(task.form), task.points, task.options);
  task.exponents.forEach(([min, max], k) => {
    model.exponents[k]!.min = min;
    model.exponents[k]!.max = max;
  });
  const problem = makeProblem(model, task.points);
  if (task.limits) problem.limits = task.limits;
  return { model, problem };
}

/** Leverage of each configuration, from the Jacobian by all free numbers. */
export function leverages(problem: Problem, theta: readonly number[], beta: ArrayLike<number>): number[] {
  const { Q } = orthogonalise(fullJacobian(problem, theta, beta), 1e-9);
  return Array.from({ length: problem.n }, (_, i) =>
    Math.min(
      0.98,
      Q.reduce((sum, q) => sum + q[i]! * q[i]!, 0),
    ),
  );
}

function residualsOf(task: BootstrapTask, problem: Problem, fitted: number[]): Residuals {
  const h = leverages(problem, task.theta, task.beta);
  const between = problem.y.map(
    (value, i) => (residualIn(task.settings, value, fitted[i]!) * problem.root[i]!) / Math.sqrt(1 - h[i]!),
  );
  const mean = between.reduce((a, b) => a + b, 0) / between.length;
  const repeats = task.points.map((point) => point.runs.length);
  return {
    between: Array.from(between, (value) => value - mean),
    within: task.points.flatMap(({ runs, value }) =>
      runs.length < 2 ? [] : runs.map((run) => residualIn(task.settings, run, value)),
    ),
    repeats: [...repeats].sort((a, b) => a - b)[repeats.length >> 1]!,
    optimism: task.points.flatMap(({ optimism, value }) => {
      const unit = task.settings.link === 'log' ? value : 1;
      return optimism ? [{ mean: optimism.mean / unit, spread: optimism.spread / unit }] : [];
    }),
  };
}

const residualIn = (settings: SolveSettings, value: number, fitted: number) =>
  settings.link === 'log' ? Math.log(value / fitted) : value - fitted;

/** Fits replicates `from` to `to`. */
export function bootstrapDraws(task: BootstrapTask): Draw[] {
  const { model, problem } = rebuild(task);
  const group = (point: Point) => Math.max(0, model.groups.indexOf(point.slice));
  const fitted = task.points.map((point) => evaluate(model, task.theta, task.beta, point.x, group(point)));
  const residuals = residualsOf(task, problem, fitted);
  const prepared =
    task.kind === 'residual' && !problem.limits && model.exponents.length > 0
      ? prepareGrid(problem, task.grid)
      : undefined;
  const settings: SolveSettings = { ...task.settings, quick: true };
  const draws: Draw[] = [];
  for (let replicate = task.from; replicate < task.to; replicate++) {
    const random = createRandom('bootstrap', task.seed, replicate);
    const sample =
      task.kind === 'residual'
        ? { ...problem, y: drawResiduals(random, problem, fitted, residuals, task.settings) }
        : drawCases(random, task, problem);
    const solution = solve(sample, settings, prepared ?? undefined);
    const freedom = Math.max(1, problem.n - model.size);
    const weighted = solution.residual.reduce(
      (sum, r, i) => sum + r * r * sample.root[i]! ** 2 * solution.robust[i]!,
      0,
    );
    draws.push({
      theta: solution.theta,
      beta: [...solution.beta],
      sigma: Math.sqrt(weighted / freedom),
      noise: newRun(random, residuals),
    });
  }
  return draws;
}

const drawOne = (random: Random, values: readonly number[]) => values[random.int(values.length)]!;

function drawResiduals(
  random: Random,
  problem: Problem,
  fitted: readonly number[],
  residuals: Residuals,
  settings: SolveSettings,
): Float64Array {
  return problem.y.map((_, i) => {
    const noise = drawOne(random, residuals.between) / problem.root[i]!;
    return settings.link === 'log' ? fitted[i]! * Math.exp(noise) : fitted[i]! + noise;
  });
}

/** Stratified by configuration where there are repeats; else configurations, until every term keeps its levels. */
function drawCases(random: Random, task: BootstrapTask, problem: Problem): Problem {
  if (task.points.every(({ runs }) => runs.length > 1))
    return {
      ...problem,
      y: Float64Array.from(task.points, ({ runs }) => {
        let sum = 0;
        for (let i = 0; i < runs.length; i++) sum += drawOne(random, runs);
        return sum / runs.length;
      }),
    };
  for (let attempt = 0; ; attempt++) {
    const counts = new Float64Array(problem.n);
    for (let i = 0; i < problem.n; i++) counts[random.int(problem.n)]!++;
    const root = problem.root.map((value, i) => value * Math.sqrt(counts[i]!));
    const sample = { ...problem, root };
    const distinct = counts.reduce((total, count) => total + (count > 0 ? 1 : 0), 0);
    const rank = orthogonalise(fullJacobian(sample, task.theta, task.beta), 1e-9).kept.length;
    if ((distinct > problem.model.size && rank === problem.model.size) || attempt >= 200) return sample;
  }
}

/** What one new run may deviate from the law: the configuration's own deviation and the run's. */
function newRun(random: Random, { between, within, repeats, optimism }: Residuals): number {
  const noise =
    within.length === 0
      ? drawOne(random, between)
      : drawOne(random, between) / Math.sqrt(repeats) + drawOne(random, within);
  if (optimism.length === 0) return noise;
  const { mean, spread } = optimism[random.int(optimism.length)]!;
  return noise - mean - spread * random.normal();
}
