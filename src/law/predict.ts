/**
 * `predict`: which configuration to train within a budget. Every configuration within reach is costed and put through the
 * law; the answer says how sure it is, how far it lies outside what was measured, what a smaller model would lose, and which
 * further run would narrow it most.
 */
import { UserError } from '../util/errors.js';
import {
  type Budget,
  budgetLine,
  budgetWords,
  type Candidate,
  checkBudget,
  enumerateCandidates,
  REACH,
  withinBudget,
} from './candidates.js';
import { type Choice, choice, insideRange, type MeasuredRange, placeOf, rangeOf } from './choice.js';
import { chooseLaw } from './choose.js';
import { costModel, type ModelSource } from './cost.js';
import type { FitOptions, LawFit } from './fitting/fit.js';
import { type Optimum, optimum } from './fitting/optimum.js';
import type { FormName } from './forms/form.js';
import { type NextTrial, nextTrial } from './next-trial.js';
import { bestBy, type Direction, GOOD } from './points/direction.js';
import type { Observation } from './points/observation.js';
import type { Variable } from './points/points.js';
import { chooseMetric, type Panel, type Point, panelsOf } from './points/points.js';
import { type Asked, recommend, smallestAsGood } from './recommend.js';
import {
  type Bootstrap,
  type BootstrapOptions,
  bootstrap,
  type OptimumInterval,
  optimumIntervals,
  predictWithInterval,
} from './trust/uncertainty.js';

/** The budget, and how to fit, to choose and to count. */
export interface PredictOptions extends FitOptions, BootstrapOptions, ModelSource {
  budget: Budget;
  /** The forms to choose among where no `form` is named; all by default. */
  forms?: readonly FormName[];
  /** Default: the slice with the most tokens. */
  slice?: string;
}

/** The answer of `predict`, and of `perflaw predict --json`. */
export interface PredictionReport {
  slice: string;
  /** Other slices that were measured. */
  otherSlices: string[];
  metric: string;
  /** Which way the metric is better. */
  direction: Direction;
  level: number;
  form: FormName;
  because: string;
  budget: Budget;
  budgetText: string;
  /** How many configurations were considered and how many fit. */
  considered: number;
  fitting: number;
  range: MeasuredRange;
  /**
   * What to train: the best that fits, unless it lies outside the measured range and is no better than one new run of the best
   * inside might be; then that one.
   */
  best: Choice;
  /** The best that fits by the law alone, wherever it lies: the highest, for a loss the lowest. */
  highest: Choice;
  /** The best within the measured ranges; null where none of them fits. */
  bestMeasuredRange: Choice | null;
  /** The best of those that use the budget up; null where the budget exceeds everything within reach. */
  budgetLine: Choice | null;
  /** The smallest within one interval of the best; inside the measured range where the best is. */
  smallest: Choice;
  /** The forms that were not chosen: what they expect of the best, and what each would take itself. */
  otherForms: OtherForm[];
  /** Optimum of the law whatever the cost. */
  optimum: Optimum & { intervals: Partial<Record<Variable, OptimumInterval>>; params: number | null };
  /** The run that would narrow the prediction of the best most. */
  next: NextTrial | null;
  /** The best of each further setting that the sweep varied. */
  groups: { group: Record<string, string | number>; best: Choice | null; reason?: string }[];
  parametersExact: boolean;
  notes: string[];
}

/** What a form that was not chosen says: intervals hold only as far as the form does. */
export interface OtherForm {
  form: FormName;
  /** Of the configuration that the chosen form calls best. */
  predicted: number;
  /** The configuration that it would take itself, inside the measured range or outside as the best is. */
  best: { layers: number; dim: number; params: number; predicted: number };
}

/** The slice to predict for. */
function chooseSlice(observations: readonly Observation[], asked?: string): string {
  const slices = [...new Set(observations.map((observation) => observation.slice))];
  if (asked !== undefined) {
    if (slices.includes(asked)) return asked;
    throw new UserError(`slice "${asked}" was never measured`, {
      place: '--slice',
      remedy: `Measured slices: ${slices.join('; ')}.`,
    });
  }
  const tokens = (slice: string) =>
    Math.max(0, ...observations.filter((one) => one.slice === slice).map((one) => one.tokens ?? 0));
  return slices.reduce((a, b) => (tokens(b) > tokens(a) ? b : a));
}

interface PanelAnswer {
  panel: Panel;
  boot: Bootstrap;
  points: Point[];
  because: string;
  cost: ReturnType<typeof costModel>;
  candidates: Candidate[];
  fitting: Candidate[];
  asked: Asked<Candidate>;
  best: Choice;
  highest: Choice;
  inside: Candidate | undefined;
  smallest: Candidate;
  otherForms: OtherForm[];
  notes: string[];
}

/**
 * The best configuration within a budget.
 * @throws UserError when nothing fits the budget, when the slice was never measured, when parameters cannot be counted, and
 *   for everything that fitLaw refuses.
 */
export async function predict(
  observations: readonly Observation[],
  options: PredictOptions,
): Promise<PredictionReport> {
  if (observations.length === 0)
    throw new UserError('there are no results to predict from', { remedy: 'Run a sweep, or name a table.' });
  const metric = chooseMetric(observations, options.metric);
  const slice = chooseSlice(observations, options.slice);
  const own = observations.filter((observation) => observation.slice === slice);
  const answers: PanelAnswer[] = [];
  const groups: PredictionReport['groups'] = [];
  let refusal: unknown;
  for (const panel of panelsOf(own))
    try {
      const answer = await answerPanel(panel, metric, options);
      answers.push(answer);
      groups.push({ group: panel.group, best: answer.best });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refusal ??= error;
      groups.push({ group: panel.group, best: null, reason: error.message });
    }
  if (answers.length === 0) throw refusal;
  const first = bestBy(answers[0]!.boot.fit.direction, answers, ({ best }) => best.predicted);
  return report(first, groups, { metric, slice, observations, options });
}

async function answerPanel(panel: Panel, metric: string, options: PredictOptions): Promise<PanelAnswer> {
  const forms = options.form ? [options.form] : options.forms;
  const { points, fit, comparison, because, notes } = chooseLaw(panel, { ...options, metric, forms });
  const cost = costModel(panel.observations, options);
  const candidates = enumerateCandidates(panel.observations, cost);
  checkBudget(options.budget, candidates);
  const fitting = withinBudget(candidates, options.budget);
  const boot = await bootstrap(fit, options);
  const values = new Map(
    candidates.map((candidate) => [candidate, fit.predict(placeOf(candidate, panel.slice))]),
  );
  const asked: Asked<Candidate> = {
    direction: fit.direction,
    value: (candidate) => values.get(candidate)!,
    expected: (candidate) => predictWithInterval(boot, placeOf(candidate, panel.slice)),
    isInside: insideRange(points),
  };
  const found = recommend(fitting, asked);
  const best = choice(found.best, panel, boot);
  const inside = fitting.filter(asked.isInside);
  // outside where the best is, or where there is nothing else
  const among = best.extrapolates ? fitting : inside;
  return {
    panel,
    boot,
    points,
    because,
    cost,
    candidates,
    fitting,
    asked,
    best,
    highest: choice(found.highest, panel, boot),
    inside: found.inside,
    smallest: smallestAsGood(found.best, among, asked),
    otherForms: Object.values(comparison.fits)
      .filter((other) => other !== fit)
      .map((other) => otherForm(other!, best, among, panel.slice)),
    notes: [...notes, ...fit.notes, ...cost.notes],
  };
}

function otherForm(fit: LawFit, best: Choice, among: readonly Candidate[], slice: string): OtherForm {
  const [least, most] = fit.range;
  const value = (candidate: Candidate) =>
    Math.min(most, Math.max(least, fit.predict(placeOf(candidate, slice))));
  const own = bestBy(fit.direction, among, value);
  const { layers, dim, params } = own;
  return {
    form: fit.form,
    predicted: value(best),
    best: { layers, dim, params, predicted: value(own) },
  };
}

function report(
  answer: PanelAnswer,
  groups: PredictionReport['groups'],
  {
    metric,
    slice,
    observations,
    options,
  }: { metric: string; slice: string; observations: readonly Observation[]; options: PredictOptions },
): PredictionReport {
  const { panel, boot, fitting, asked, best, highest, candidates, cost } = answer;
  const { fit } = boot;
  const make = (candidate: Candidate | undefined) => (candidate ? choice(candidate, panel, boot) : null);
  const onLine = budgetLine(candidates, options.budget);
  const line = onLine.length === 0 ? undefined : bestBy(fit.direction, onLine, asked.value);
  const peak = optimum(fit);
  const peakShape =
    peak.layers !== null && peak.dim !== null
      ? cost.params({ layers: Math.round(peak.layers), dim: Math.round(peak.dim) })
      : undefined;
  const notes = [...answer.notes];
  if (!line) notes.push(`the budget exceeds every configuration within ${REACH} times of what was measured`);
  const said = fit.predict(placeOf(best, slice));
  if (said < fit.range[0] || said > fit.range[1])
    notes.push(
      `at the best the law itself says ${said.toPrecision(4)}, which ${metric} cannot be: it does not hold there`,
    );
  if (highest.extrapolates && !best.extrapolates)
    notes.push(
      `the law is ${GOOD[fit.direction].higher} still outside the measured range (layers ${highest.layers}, dim ${highest.dim}: ${highest.predicted.toPrecision(4)}), but by no more than one run varies`,
    );
  if (best.extrapolates)
    notes.push('the best lies outside the measured range: a prediction there is a guess until it is run');
  return {
    slice,
    otherSlices: [...new Set(observations.map((one) => one.slice))].filter((name) => name !== slice),
    metric,
    direction: fit.direction,
    level: boot.level,
    form: fit.form,
    because: answer.because,
    budget: options.budget,
    budgetText: budgetWords(options.budget),
    considered: candidates.length,
    fitting: fitting.length,
    range: rangeOf(answer.points),
    best,
    highest,
    bestMeasuredRange: make(answer.inside),
    budgetLine: make(line),
    smallest: choice(answer.smallest, panel, boot),
    otherForms: answer.otherForms,
    optimum: {
      ...peak,
      intervals: boot.draws.length > 0 ? optimumIntervals(boot) : {},
      params: peakShape?.total ?? null,
    },
    next: nextTrial(
      { ...boot, draws: boot.draws.slice(0, 300) },
      fitting,
      placeOf(best, slice),
      (candidate) => placeOf(candidate, slice),
    ),
    groups: groups.length > 1 ? groups : [],
    parametersExact: cost.exact,
    notes,
  };
}
