/**
 * Fitted laws as the report shows them: one law a slice, the same that `perflaw fit` and `perflaw predict` use, with
 * intervals, what is not identifiable, the budget curve, and the constants of the slices from a joint fit.
 */
import { analyseForm, type FormAnalysis } from '../../law/analyse.js';
import type { Shape } from '../../law/calibrate.js';
import { chooseLaw } from '../../law/choose.js';
import { costModel, type ModelSource } from '../../law/cost.js';
import type { FormName } from '../../law/forms/form.js';
import { constantOf, fitJoint, jointForm } from '../../law/joint.js';
import { placing, slope } from '../../law/place.js';
import type { Direction } from '../../law/points/direction.js';
import type { Observation } from '../../law/points/observation.js';
import { type Panel, panelsOf, pointsOf } from '../../law/points/points.js';
import { insideRange } from '../../law/predict/choice.js';
import type { FormScore as LawScore } from '../../law/trust/compare.js';
import { type Expected, makeOutlook } from '../../law/trust/outlook.js';
import { bootstrap, coefficientIntervals } from '../../law/trust/uncertainty.js';
import { UserError } from '../../util/errors.js';
import { budgetCurve, type FittedPanel } from './budget-view.js';
import { heldOutView } from './held-out-view.js';
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
  const panels = new Map(panelsOf(observations).map((panel) => [panel.slice, panel]));
  const fitted: FittedPanel[] = [];
  const missing: LawView['missing'] = [];
  let refusal: unknown;
  for (const slice of options.slices) {
    const panel = panels.get(slice) ?? { slice, group: {}, label: slice, observations: [] };
    try {
      const others = [...panels.values()].filter((one) => one.slice !== slice);
      fitted.push(await fitPanel(panel, { ...options, resamples }, others));
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
      fitted.map(({ panel }) => panels.get(panel.slice)!),
      { metric: options.metric, direction: options.direction, form: options.form, resamples, level: LEVEL },
    ),
    budget: budgetCurve(
      main,
      usable.filter((one) => one.slice === main.panel.slice),
    ),
    dataTerm:
      fitted.length > 1
        ? await dataTerm(usable, options, options.form ?? jointForm(fitted.map(({ fit }) => fit.form)))
        : undefined,
  };
}

async function fitPanel(
  panel: Panel,
  { metric, direction, form, resamples, source }: LawViewOptions,
  others: readonly Panel[],
): Promise<FittedPanel> {
  const { fit, points, comparison, because, notes } = chooseLaw(panel, { metric, direction, form });
  const boot = await bootstrap(fit, { resamples, level: LEVEL });
  const used = fit.form;
  const analysis = analyseForm(
    boot,
    comparison.scores.find((score) => score.form === used),
  );
  const cost = costModel(panel.observations, source);
  const rivals = Object.values(comparison.fits).flatMap((other) => other ?? []);
  const place = placing(fit, cost, rivals);
  const outlook = makeOutlook(points, boot, {
    metric,
    ...(form === undefined ? { comparison } : { forms: [form] }),
    others: others.flatMap(({ observations }) => pointsOf(observations, metric)),
  });
  const known = new Map<string, Expected>();
  const expected = ({ layers, dim }: Shape) => {
    const key = `${layers}/${dim}`;
    const found = known.get(key) ?? outlook.expect(place({ layers, dim }));
    known.set(key, found);
    return found;
  };
  return {
    cost,
    fit,
    outlook,
    place,
    isInside: insideRange(points),
    panel: {
      slice: panel.slice,
      form: used,
      equation: fit.equation,
      r2: fit.r2,
      q2: analysis.q2 ?? undefined,
      noise: fit.sigma,
      ...coefficients(analysis, notes),
      peak: peakOf(analysis, (axis) => slope(fit, place, axis)),
      forms: comparison.scores.map((score) => toScore(score, used)),
      because,
    },
    predict: (shape) => toInterval(expected(shape)),
  };
}

function toInterval({ value, interval: [low, high] }: Expected): Interval {
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
  analysis: FormAnalysis,
  notes: string[],
): { coefficients: Coefficient[]; cautions: string[] } {
  const rows = Object.entries(analysis.coefficients).map(([name, found]): Coefficient => {
    const { value, interval, identifiable, reason } = found;
    const [low, high] = interval ?? [null, null];
    return {
      name,
      estimate: low === null || high === null ? { value } : { value, low, high },
      note: identifiable ? undefined : `not identifiable: ${reason}`,
    };
  });
  const unidentified = rows.filter((row) => row.note !== undefined).map((row) => row.name);
  const cautions = [...notes, ...analysis.notes].map((text) => `${text[0]!.toUpperCase()}${text.slice(1)}.`);
  if (unidentified.length > 0)
    cautions.push(
      `The points do not fix ${unidentified.join(', ')}: other values of ${unidentified.length === 1 ? 'it' : 'them'} describe the runs as well. Read the surface and its interval, not ${unidentified.length === 1 ? 'this number' : 'these numbers'}.`,
    );
  if (analysis.form === 'performance-law')
    cautions.push(
      'Within one slice the term of the data and the constant cannot be separated: c is their sum.',
    );
  return { coefficients: rows, cautions };
}

function peakOf(
  { optimum }: FormAnalysis,
  slopeOf: (axis: 'layers' | 'dim') => Peak['place'],
): LawPanel['peak'] {
  const peak = (axis: 'layers' | 'dim'): Peak => {
    const found = optimum.axes[axis];
    if (!found) return { place: slopeOf(axis) };
    const [low, high] = optimum.intervals[axis]?.interval ?? [null, null];
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
  const { fit, measures, quality } = fitJoint(observations, metric, { form, direction });
  const boot = await bootstrap(fit, { resamples, level: LEVEL });
  const intervals = coefficientIntervals(boot);
  const points = slices.flatMap((slice): DataTermPoint[] => {
    const name = constantOf(fit, slice);
    const term = fit.coefficients[name];
    const record = observations.find((one) => one.slice === slice);
    if (term === undefined || record?.tokens === undefined) return [];
    const [low, high] = intervals[name] ?? [null, null];
    const apen = record.quality?.['apen'] ?? Number.NaN;
    return [{ slice, tokens: record.tokens, apen, term, low: low ?? term, high: high ?? term }];
  });
  return points.length < 2 ? undefined : { name: 'c', points, measures, quality };
}
