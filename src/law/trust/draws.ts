/**
 * Bootstrap replicates: the same law fitted again to data that might have been. Pure numbers in and out, so that a worker
 * thread can do a share of them; every replicate has its own stream of random numbers, so the result does not depend on
 * how many threads shared the work.
 *
 * Residuals of the configurations, freed of leverage (divided by (1 - h)^(1/2)) and of their weight, are drawn with
 * replacement and put back on the fitted values: in them is the noise of runs and what the form misses. (Drawing the runs of each
 * configuration anew would leave the second out, and the noise of r runs too small by ((r - 1) / r)^(1/2).)
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
  /** Of the runs about the mean of their r, divided by ((r - 1) / r)^(1/2): of all configurations together; empty without repeats. */
  within: number[];
  /** Runs of each configuration. */
  repeats: number[];
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
  return {
    between: Array.from(between, (value) => value - mean),
    within: task.points.flatMap(({ runs, value }) =>
      runs.length < 2
        ? []
        : runs.map(
            (run) => residualIn(task.settings, run, value) * Math.sqrt(runs.length / (runs.length - 1)),
          ),
    ),
    repeats: task.points.map(({ runs }) => runs.length),
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
    !problem.limits && model.exponents.length > 0 ? prepareGrid(problem, task.grid) : undefined;
  const settings: SolveSettings = { ...task.settings, quick: true };
  const draws: Draw[] = [];
  for (let replicate = task.from; replicate < task.to; replicate++) {
    const random = createRandom('bootstrap', task.seed, replicate);
    const y = drawResiduals(random, problem, fitted, residuals, task.settings);
    const sample = { ...problem, y };
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

/**
 * What one new run may deviate from the law: a configuration's mean deviates by what the form misses there and the noise of its r
 * runs, and the noise of all runs makes up the rest, of (1 - 1/r)^(1/2), so that one run is as noisy wherever it is taken from.
 */
function newRun(random: Random, { between, within, repeats, optimism }: Residuals): number {
  const i = random.int(between.length);
  const r = repeats[i]!;
  const mean = between[i]! / Math.sqrt(r);
  const noise = r > 1 ? mean + drawOne(random, within) * Math.sqrt(1 - 1 / r) : mean;
  if (optimism.length === 0) return noise;
  const flattered = optimism[random.int(optimism.length)]!;
  return noise - flattered.mean - flattered.spread * random.normal();
}
