/**
 * Which form to trust. Every form is judged by what it says of points it has not seen: leave-one-out Q^2, the largest layers
 * and the largest dim withheld together, and rolling extrapolation (fit on the small, predict the next larger). The default
 * for prediction is the form with the least error on what was withheld, provided that enough was left for every form to keep
 * its terms; otherwise the one with the least leave-one-out error.
 */
import { UserError } from '../../util/errors.js';
import { type FitOptions, fitPoints, type LawFit } from '../fitting/fit.js';
import { innerOf } from '../fitting/inner.js';
import { type Problem, residualAt } from '../fitting/projection.js';
import { makeGrid, prepareGrid } from '../fitting/search.js';
import { solve } from '../fitting/solve.js';
import type { FormName } from '../forms/form.js';
import { FORM_NAMES } from '../forms/forms.js';
import type { Point } from '../points/points.js';
import { withholdBy } from './withhold.js';

export interface HeldOut {
  /** Root mean square error on the withheld configurations. */
  rmse: number;
  /** The same over the spread (standard deviation) of the withheld values; null where there is one value only. */
  relative: number | null;
  trained: number;
  tested: number;
  /** What was withheld. */
  what: string;
  /** False where the form had to drop a term, for too few values of an axis were left: then it says little of the form. */
  whole: boolean;
}

/** How well one form fits, and predicts what it has not seen. */
export interface FormScore {
  form: FormName;
  /** Free numbers; null where the form could not be fitted. */
  size: number | null;
  r2: number | null;
  q2: number | null;
  aicc: number | null;
  rmse: number | null;
  /** Leave-one-out root mean square error. */
  looRmse: number | null;
  heldOut: HeldOut | null;
  rolling: { rmse: number; tested: number } | null;
  /** Why there is no fit, or no held-out error. */
  reason?: string;
}

/** All forms on the same points, and the one to predict with. */
export interface Comparison {
  scores: FormScore[];
  fits: Partial<Record<FormName, LawFit>>;
  /** The default for prediction. */
  chosen: FormName;
  /** On what ground, in words. */
  because: string;
}

export interface CompareOptions extends Omit<FitOptions, 'form'> {
  forms?: readonly FormName[];
}

/**
 * Fits all forms to the same points and scores them.
 * @throws UserError when no form can be fitted.
 */
export function compareForms(points: Point[], metric: string, options: CompareOptions = {}): Comparison {
  const forms = options.forms ?? FORM_NAMES;
  const fits: Partial<Record<FormName, LawFit>> = {};
  const reasons: Partial<Record<FormName, string>> = {};
  let refusal: UserError | undefined;
  for (const form of forms)
    try {
      fits[form] = fitPoints(points, metric, { ...options, form });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // the simplest form asks for least: what it lacks is what anyone would have to add
      if (!refusal || form === 'log-linear') refusal = error;
      reasons[form] = error.message;
    }
  const fitted = forms.filter((form) => fits[form]);
  if (fitted.length === 0) throw refusal!;
  const { withheld, what, heldFits } = withhold(points, metric, fitted, options);
  const scores = forms.map((form): FormScore => {
    const fit = fits[form];
    if (!fit)
      return {
        form,
        size: null,
        r2: null,
        q2: null,
        aicc: null,
        rmse: null,
        looRmse: null,
        heldOut: null,
        rolling: null,
        reason: reasons[form],
      };
    const { q2, rmse: looRmse } = leaveOneOut(fit);
    const held = heldFits[form];
    return {
      form,
      size: fit.size,
      r2: fit.r2,
      q2,
      aicc: aicc(fit),
      rmse: fit.rmse,
      looRmse,
      heldOut: held ? score(held, fit, points.length - withheld.length, withheld, what) : null,
      rolling: rolling(points, metric, { ...options, form }),
      ...(held ? {} : { reason: 'too few configurations are left when the largest are withheld' }),
    };
  });
  return { scores, fits, ...choose(scores) };
}

/** Held-out errors within 1 % are no reason to prefer one form. */
const TIE = 1.01;

function choose(scores: readonly FormScore[]): { chosen: FormName; because: string } {
  const least = (value: (score: FormScore) => number | null | undefined) =>
    scores
      .filter((score) => Number.isFinite(value(score) ?? Number.NaN))
      .sort((a, b) => value(a)! - value(b)!)[0];
  const byHeldOut = least((score) => score.heldOut?.rmse);
  const curtailed = scores.filter((score) => score.heldOut && !score.heldOut.whole).length;
  if (byHeldOut && curtailed === 0) {
    const { rmse, what } = byHeldOut.heldOut!;
    const equal = scores.filter((score) => score.heldOut && score.heldOut.rmse <= TIE * rmse);
    if (equal.length > 1) {
      const loo = (score: FormScore) => score.looRmse ?? Number.POSITIVE_INFINITY;
      const { form } = equal.reduce((a, b) => (loo(b) < loo(a) ? b : a));
      return {
        chosen: form,
        because: `least error on what was withheld (${what}), and of the ${equal.length} forms within 1 % there the least leave-one-out error`,
      };
    }
    return { chosen: byHeldOut.form, because: `least error on what was withheld (${what})` };
  }
  const byLoo = least((score) => score.looRmse);
  if (byLoo)
    return {
      chosen: byLoo.form,
      because: byHeldOut
        ? `least leave-one-out error (without ${byHeldOut.heldOut!.what} ${curtailed} forms lose a term, so what was withheld cannot judge them)`
        : 'least leave-one-out error; too few configurations to withhold more',
    };
  const fitted = scores.filter((score) => score.size !== null);
  const { form } = fitted.reduce((a, b) => (b.size! <= a.size! ? b : a));
  if (fitted.length === 1) return { chosen: form, because: 'the only form that could be fitted' };
  return {
    chosen: form,
    because: `too few configurations to try the ${fitted.length} forms on any that they have not seen: the one with the fewest numbers`,
  };
}

/** AICc on the means of the configurations, weighted by their runs; null where they are too few for it. */
function aicc(fit: LawFit): number | null {
  const { problem, solution } = innerOf(fit);
  const n = problem.n;
  const k = fit.size + 1;
  if (n - k - 1 <= 0) return null;
  const sse = solution.residual.reduce((sum, r, i) => sum + (r * problem.root[i]!) ** 2, 0);
  return n * Math.log(Math.max(sse, 1e-300) / n) + 2 * k + (2 * k * (k + 1)) / (n - k - 1);
}

/** Above so many configurations, leaving one out moves the exponents too little for another basin to win. */
const MANY = 60;

/** Every configuration predicted by the law fitted without it. Q^2 = 1 - PRESS / SST. */
export function leaveOneOut(fit: LawFit): { q2: number | null; rmse: number | null } {
  const { problem, model, settings, points } = innerOf(fit);
  if (problem.n <= model.size + 1) return { q2: null, rmse: null };
  const { solution } = innerOf(fit);
  const plain = settings.link !== 'log' && settings.huber === undefined;
  const near = plain && problem.n > MANY ? { near: solution.theta } : {};
  const huber = settings.huber === undefined ? {} : { huber: solution.delta };
  const grid = makeGrid(problem, 'coarse');
  let press = 0;
  let weight = 0;
  for (let left = 0; left < problem.n; left++) {
    const root = problem.root.slice();
    root[left] = 0;
    const without: Problem = { ...problem, root };
    const prepared = problem.limits || !plain || problem.n > MANY ? undefined : prepareGrid(without, grid);
    const found = solve(without, { ...settings, ...huber, ...near, quick: true }, prepared);
    const residual = residualAt(problem, found.theta, found.beta);
    const w = points[left]!.runs.length;
    press += w * residual[left]! ** 2;
    weight += w;
  }
  const mean = points.reduce((sum, point) => sum + point.value * point.runs.length, 0) / weight;
  const sst = points.reduce((sum, point) => sum + point.runs.length * (point.value - mean) ** 2, 0);
  return { q2: 1 - press / sst, rmse: Math.sqrt(press / weight) };
}

interface Withheld {
  withheld: Point[];
  what: string;
  heldFits: Partial<Record<FormName, LawFit>>;
}

/** Withholds the largest layers and the largest dim, or as much of that as most forms can do without. */
function withhold(
  points: Point[],
  metric: string,
  forms: readonly FormName[],
  options: CompareOptions,
): Withheld {
  let best: Withheld = { withheld: [], what: '', heldFits: {} };
  for (const split of ['both', 'dim', 'layers', 'corner'] as const) {
    const parted = withholdBy(points, split, options.variables);
    if (!parted) continue;
    const { kept, withheld, what } = parted;
    const heldFits: Partial<Record<FormName, LawFit>> = {};
    for (const form of forms)
      try {
        heldFits[form] = fitPoints(kept, metric, { ...options, form });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    if (Object.keys(heldFits).length > Object.keys(best.heldFits).length) best = { withheld, what, heldFits };
    if (Object.keys(best.heldFits).length === forms.length) break;
  }
  return best;
}

function score(
  fit: LawFit,
  full: LawFit,
  trained: number,
  withheld: readonly Point[],
  what: string,
): HeldOut {
  const whole = fit.size === full.size;
  const rmse = errorOn(fit, withheld);
  const mean = withheld.reduce((sum, point) => sum + point.value, 0) / withheld.length;
  const spread = Math.sqrt(
    withheld.reduce((sum, point) => sum + (point.value - mean) ** 2, 0) / withheld.length,
  );
  return { rmse, relative: spread > 0 ? rmse / spread : null, trained, tested: withheld.length, what, whole };
}

function errorOn(fit: LawFit, points: readonly Point[]): number {
  let sum = 0;
  let weight = 0;
  for (const point of points) {
    sum += point.runs.length * (point.value - fit.predict({ ...point.x, slice: point.slice })) ** 2;
    weight += point.runs.length;
  }
  return Math.sqrt(sum / weight);
}

const CUTS = 6;

/** Size by which configurations are called small or large: parameters where known, else H d^2. */
const sizeOf = ({ x }: Point) => x.params ?? x.nonEmbeddingParams ?? x.layers! * x.dim! ** 2;

/** Fits on the smaller part, predicts the next larger, and moves on: at most six cuts. */
function rolling(points: Point[], metric: string, options: FitOptions): FormScore['rolling'] {
  const sorted = [...points].sort((a, b) => sizeOf(a) - sizeOf(b));
  const start = Math.ceil(sorted.length / 2);
  const step = Math.max(1, Math.ceil((sorted.length - start) / CUTS));
  let sum = 0;
  let tested = 0;
  for (let cut = start; cut < sorted.length; cut += step) {
    const next = sorted.slice(cut, cut + step);
    try {
      const fit = fitPoints(sorted.slice(0, cut), metric, { ...options, quick: true });
      sum += errorOn(fit, next) ** 2 * next.length;
      tested += next.length;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  return tested === 0 ? null : { rmse: Math.sqrt(sum / tested), tested };
}
