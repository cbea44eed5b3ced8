/**
 * Fitted laws as the report shows them: one law a slice, the same that `perflaw fit` and `perflaw predict` use, with
 * intervals, what cannot be told, the budget curve, and the constants of the slices from a joint fit.
 */

import { costModel, type ModelSource } from '../../law/cost.js';
import { compareDataMeasures, type MeasureLine } from '../../law/data-term.js';
import { fitLaw, type LawFit } from '../../law/fitting/fit.js';
import { optimum } from '../../law/fitting/optimum.js';
import type { FormName } from '../../law/forms/form.js';
import { sharedMeasures, sliceLevels } from '../../law/joint.js';
import type { Direction } from '../../law/points/direction.js';
import type { Observation } from '../../law/points/observation.js';
import { toPoints } from '../../law/points/points.js';
import { compareForms, type FormScore as LawScore } from '../../law/trust/compare.js';
import { identifiability } from '../../law/trust/identifiability.js';
import {
  type At,
  type Bootstrap,
  bootstrap,
  coefficientIntervals,
  type Interval as Ends,
  optimumIntervals,
  predictWithInterval,
} from '../../law/trust/uncertainty.js';
import { UserError } from '../../util/errors.js';
import { budgetCurve, type FittedPanel } from './budget-view.js';
import { heldOutView } from './held-out-view.js';
import { placing, type Shape, slope } from './placing.js';
import type { Coefficient, DataTermPoint, FormScore, Interval, LawPanel, LawView, Peak } from './view.js';

export interface LawViewOptions {
  /** The metric's name in the observations. */
  metric: string;
  direction?: Direction;
  /** The form asked for; otherwise the one that `compareForms` chooses, slice by slice. */
  form?: FormName;
  /** Slices in the order in which they are shown, smallest first. */
  slices: string[];
  /** What parameters are counted with. */
  source: ModelSource;
  /** Bootstrap replicates, 1,000. */
  resamples?: number;
}

/** Share of single new runs inside an interval. */
const LEVEL = 0.9;

/**
 * Fits every slice that has enough configurations.
 * @throws UserError, of the largest slice, when no slice has.
 */
export async function viewLaw(observations: Observation[], options: LawViewOptions): Promise<LawView> {
  const { resamples = 1000 } = options;
  const fitted: FittedPanel[] = [];
  const missing: LawView['missing'] = [];
  let refusal: unknown;
  for (const slice of options.slices) {
    const own = observations.filter((one) => one.slice === slice);
    try {
      fitted.push(await fitPanel(slice, own, { ...options, resamples }));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refusal = error;
      missing.push({ slice, reason: error.message });
    }
  }
  if (fitted.length === 0) throw refusal;
  const bySlice = new Map(fitted.map((one) => [one.panel.slice, one]));
  const main = fitted[fitted.length - 1]!;
  const usable = observations.filter(
    (one) => bySlice.has(one.slice) && one.metrics[options.metric] !== undefined,
  );
  return {
    panels: fitted.map(({ panel }) => panel),
    missing,
    points: usable.map((one) => ({
      slice: one.slice,
      layers: one.layers,
      dim: one.dim,
      seed: one.seed,
      params: one.params,
      measured: one.metrics[options.metric]!,
      predicted: bySlice.get(one.slice)!.predict({ layers: one.layers, dim: one.dim }),
    })),
    surface: (slice, layers, dim) => {
      const { fit, place } = bySlice.get(slice)!;
      return fit.predict(place({ layers, dim }));
    },
    level: LEVEL,
    method: `residual bootstrap, ${resamples.toLocaleString('en')} replicates`,
    heldOut: await heldOutView(
      usable,
      fitted.map(({ panel }) => panel.slice),
      { metric: options.metric, form: options.form, resamples, level: LEVEL },
    ),
    budget: budgetCurve(
      main,
      usable.filter((one) => one.slice === main.panel.slice),
    ),
    dataTerm: fitted.length > 1 ? await dataTerm(usable, options, main.fit.form) : undefined,
  };
}

async function fitPanel(
  slice: string,
  observations: Observation[],
  { metric, direction, form, resamples, source }: LawViewOptions,
): Promise<FittedPanel> {
  const { points, notes } = toPoints(observations, metric);
  const comparison = compareForms(points, metric, { direction });
  const used = form ?? comparison.chosen;
  // A form that was asked for and does not fit these points is refused in its own words.
  const fit = comparison.fits[used] ?? fitLaw(observations, { form: used, metric, direction });
  const boot = await bootstrap(fit, { resamples, level: LEVEL });
  const cost = costModel(observations, source);
  const place = placing(fit, cost);
  const known = new Map<string, Interval>();
  return {
    fit,
    cost,
    place,
    panel: {
      slice,
      form: used,
      equation: fit.equation,
      r2: fit.r2,
      q2: comparison.scores.find((score) => score.form === used)?.q2 ?? undefined,
      noise: fit.sigma,
      ...coefficients(fit, boot, notes),
      peak: peakOf(fit, boot, place),
      forms: comparison.scores.map((score) => toScore(score, used)),
      because: form === undefined ? comparison.because : 'the form asked for',
    },
    predict: (shape) => {
      const key = `${shape.layers}/${shape.dim}`;
      const interval = known.get(key) ?? toInterval(predictWithInterval(boot, place(shape)));
      known.set(key, interval);
      return interval;
    },
  };
}

function toInterval({ value, interval: [low, high] }: { value: number; interval: Ends }): Interval {
  return { value, low: low ?? value, high: high ?? value };
}

function toScore(score: LawScore, used: FormName): FormScore {
  return {
    name: score.form,
    parameters: score.size ?? undefined,
    r2: score.r2 ?? undefined,
    q2: score.q2 ?? undefined,
    aicc: score.aicc ?? undefined,
    heldOutError: score.heldOut?.rmse,
    reason: score.reason,
    chosen: score.form === used,
  };
}

function coefficients(
  fit: LawFit,
  boot: Bootstrap,
  notes: string[],
): { coefficients: Coefficient[]; cautions: string[] } {
  const intervals = coefficientIntervals(boot);
  const told = identifiability(fit);
  const rows = Object.entries(fit.coefficients).map(([name, value]): Coefficient => {
    const [low, high] = intervals[name] ?? [null, null];
    const judged = told.coefficients[name];
    return {
      name,
      estimate: low === null || high === null ? { value } : { value, low, high },
      note: judged && !judged.identifiable ? `cannot be told: ${judged.reason}` : undefined,
    };
  });
  const untold = rows.filter((row) => row.note !== undefined).map((row) => row.name);
  const cautions = [...notes, ...fit.notes].map((text) => `${text[0]!.toUpperCase()}${text.slice(1)}.`);
  if (untold.length > 0)
    cautions.push(
      `The points do not fix ${untold.join(', ')}: other values of ${untold.length === 1 ? 'it' : 'them'} describe the runs as well. Read the surface and its interval, not ${untold.length === 1 ? 'this number' : 'these numbers'}.`,
    );
  if (fit.form === 'performance-law')
    cautions.push(
      'Within one slice the term of the data and the constant cannot be told apart: c is their sum.',
    );
  return { coefficients: rows, cautions };
}

function peakOf(fit: LawFit, boot: Bootstrap, place: (shape: Shape) => At): LawPanel['peak'] {
  const { axes } = optimum(fit);
  const intervals = optimumIntervals(boot);
  const peak = (axis: 'layers' | 'dim'): Peak => {
    const found = axes[axis];
    if (!found) return { place: slope(fit, place, axis) };
    const [low, high] = intervals[axis]?.interval ?? [null, null];
    return {
      place: found.place,
      ...(found.value === null ? {} : { value: found.value, low: low ?? undefined, high: high ?? undefined }),
    };
  };
  return { layers: peak('layers'), dim: peak('dim') };
}

/** A joint fit with the terms of layers and dim shared: its constants, a slice each, hold what the data do. */
async function dataTerm(
  observations: Observation[],
  { metric, direction, slices, resamples }: LawViewOptions,
  form: FormName,
): Promise<LawView['dataTerm']> {
  const fit = fitLaw(observations, { form, metric, direction });
  const { model } = fit.inner;
  const boot = await bootstrap(fit, { resamples, level: LEVEL });
  const intervals = coefficientIntervals(boot);
  const points = slices.flatMap((slice): DataTermPoint[] => {
    const name = `${model.form.constant}[${slice}]`;
    const term = fit.coefficients[name];
    const record = observations.find((one) => one.slice === slice);
    if (term === undefined || record?.tokens === undefined) return [];
    const [low, high] = intervals[name] ?? [null, null];
    const apen = record.quality?.['apen'] ?? Number.NaN;
    return [{ slice, tokens: record.tokens, apen, term, low: low ?? term, high: high ?? term }];
  });
  if (points.length < 2) return undefined;
  return { name: 'c', points, measures: measuresOf(fit, observations, points) };
}

/** Does quality add to quantity? The same test as `perflaw fit` prints. */
function measuresOf(fit: LawFit, observations: Observation[], points: DataTermPoint[]): MeasureLine[] {
  if (points.length < 3) return [];
  const names = sharedMeasures(observations);
  const { levels } = sliceLevels(
    fit,
    points.map(({ slice }) => slice),
  );
  return compareDataMeasures(
    levels.map(({ slice, level }) => {
      const { tokens, quality } = observations.find((one) => one.slice === slice)!;
      return {
        slice,
        level,
        tokens: tokens!,
        quality: Object.fromEntries(names.map((name) => [name, quality![name]!])),
      };
    }),
  );
}
