/**
 * One law over several slices: the terms of layers and dim are shared, and each slice keeps a constant of its own. Only here
 * can the data be told from the rest: the levels of the slices are set against tokens and tokens over quality, and the law
 * is fitted again with a data term in the place of the constants.
 */
import { UserError } from '../util/errors.js';
import type { MeasureLine } from './data-term.js';
import { addData, type FitOptions, fitPoints, type LawFit } from './fitting/fit.js';
import { innerOf } from './fitting/inner.js';
import type { FormName } from './forms/form.js';
import type { Observation } from './points/observation.js';
import type { Variable } from './points/points.js';
import { type Panel, type Point, panelsBySetting, toPoints } from './points/points.js';
import type { Settings } from './points/settings.js';
import { type QualityTest, SLICES_TO_TEST } from './quality-test.js';
import { explainLevels } from './slice-levels.js';

/** What several slices say together. */
export interface JointAnalysis {
  form: FormName;
  slices: string[];
  /** Shared coefficients and one constant a slice. */
  coefficients: Record<string, number>;
  r2: number;
  rmse: number;
  /** The law of each slice at one common configuration (the geometric middle of what was measured). */
  levels: { slice: string; level: number; tokens: number | null }[];
  at: { layers: number; dim: number };
  /** The law with a data term instead of the constants: tokens alone, and tokens over each measure. */
  dataTerms: DataTerm[];
  /** Levels against quantity and quality, straight lines; empty below three slices. */
  measures: MeasureLine[];
  /** Whether quality adds to quantity; null below five slices. */
  quality: QualityTest | null;
  notes: string[];
}

export interface DataTerm {
  /** `tokens`, or `tokens/apen`. */
  data: string;
  r2: number;
  rmse: number;
  /**
   * Root mean square error on the runs of a slice that was left out, each in its turn; null below four slices, and where the
   * others are too few for the term, which would become a straight line without it.
   */
  leftOutRmse: number | null;
  size: number;
  coefficients: Record<string, number>;
}

/** The law of every slice at one common configuration, the geometric middle of what was measured: what is left to the data. */
export function sliceLevels(
  fit: LawFit,
  slices: readonly string[],
): { at: Partial<Record<Variable, number>>; levels: { slice: string; level: number }[] } {
  const { model, points } = innerOf(fit);
  const variables = new Set<Variable>([
    'layers',
    'dim',
    ...model.places.flatMap(({ term }) => term.variables),
  ]);
  const at: Partial<Record<Variable, number>> = {};
  for (const name of variables) {
    if (name === 'data') continue;
    const logs = points.map((point) => Math.log(point.x[name]!));
    at[name] = Math.exp(logs.reduce((a, b) => a + b, 0) / logs.length);
  }
  return { at, levels: slices.map((slice) => ({ slice, level: fit.predict({ ...at, slice }) })) };
}

/**
 * Fits the data term without each slice in turn and predicts that slice.
 * @returns null where there are too few slices for that: without one the term would be another.
 */
function leftOutRmse(points: readonly Point[], full: LawFit, options: FitOptions): number | null {
  const slices = [...new Set(points.map((point) => point.slice))];
  if (slices.length < 4) return null;
  let sum = 0;
  let runs = 0;
  for (const slice of slices)
    try {
      const rest = points.filter((point) => point.slice !== slice);
      const fit = fitPoints(rest, full.metric, { ...options, quick: true });
      if (fit.size !== full.size) return null;
      for (const point of points)
        if (point.slice === slice)
          for (const value of point.runs) {
            sum += (value - fit.predict(point.x)) ** 2;
            runs++;
          }
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return null;
    }
  return Math.sqrt(sum / runs);
}

/** A joint fit and what the slices say in it. */
export interface JointFit {
  fit: LawFit;
  points: Point[];
  slices: string[];
  at: { layers: number; dim: number };
  levels: JointAnalysis['levels'];
  /** Measures of disorder that all slices have; none where tokens are missing, or below three slices. */
  names: string[];
  /** Levels against quantity and quality, straight lines. */
  measures: MeasureLine[];
  /** Whether quality adds to quantity; null below five slices. */
  quality: QualityTest | null;
  /** What was noted of the points, not of the fit. */
  notes: string[];
}

/**
 * One fit over several slices, a constant each.
 * @throws UserError when there is one slice only, or too few configurations.
 */
export function fitJoint(
  observations: readonly Observation[],
  metric: string,
  options: FitOptions & { form: FormName },
): JointFit {
  const { points, notes } = toPoints(observations, metric, options.variables);
  const slices = [...new Set(points.map((point) => point.slice))];
  if (slices.length < 2) throw new UserError('a joint fit needs at least two slices');
  const fit = fitPoints(points, metric, { ...options, data: 'slice' });
  const tokensOf = (slice: string) =>
    points.find((point) => point.slice === slice && point.x.tokens !== undefined)?.x.tokens ?? null;
  const { at, levels: bare } = sliceLevels(fit, slices);
  const levels = bare.map((one) => ({ ...one, tokens: tokensOf(one.slice) }));
  return {
    fit,
    points,
    slices,
    at: { layers: at.layers!, dim: at.dim! },
    levels,
    ...explainLevels(levels, observations),
    notes,
  };
}

/** The name of a slice's constant among the coefficients of a joint fit. */
export const constantOf = (fit: LawFit, slice: string) => `${innerOf(fit).model.form.constant}[${slice}]`;

/**
 * The joint fit, and the law with a data term in the place of the constants.
 * @throws UserError when there is one slice only, or too few configurations.
 */
export function analyseJoint(
  observations: readonly Observation[],
  metric: string,
  options: FitOptions & { form: FormName },
): JointAnalysis {
  const joint = fitJoint(observations, metric, options);
  const { fit, points, slices, levels, at, names, measures } = joint;
  const result: JointAnalysis = {
    form: fit.form,
    slices,
    coefficients: fit.coefficients,
    r2: fit.r2,
    rmse: fit.rmse,
    levels,
    at,
    dataTerms: [],
    measures,
    quality: joint.quality,
    notes: [...joint.notes, ...fit.notes],
  };
  if (levels.some(({ tokens }) => tokens === null)) {
    result.notes.push('without the tokens of every slice the data term is not identifiable');
    return result;
  }
  for (const data of ['tokens', ...names.map((name) => ({ tokensOver: name }))] as const) {
    const own = points.map((point) => ({ ...point, x: { ...point.x } }));
    addData(own, observations, data);
    const term = fitPoints(own, metric, { ...options, data });
    const { r2, rmse, size, coefficients } = term;
    result.dataTerms.push({
      data: data === 'tokens' ? data : `tokens/${data.tokensOver}`,
      r2,
      rmse,
      leftOutRmse: leftOutRmse(own, term, { ...options, data }),
      size,
      coefficients,
    });
    if (data === 'tokens') result.notes.push(...term.notes.filter((text) => text.includes('data')));
  }
  if (slices.length === 4 && result.dataTerms.some((term) => term.leftOutRmse === null))
    result.notes.push(
      `with four slices the data term of ${fit.form} cannot be tried on a slice that is left out: three are too few for it; log-linear can`,
    );
  if (slices.length < 3)
    result.notes.push('two slices make any straight line perfect: quality and quantity cannot be separated');
  else if (slices.length < SLICES_TO_TEST && names.length > 0)
    result.notes.push(
      `${slices.length} slices show a trend; whether quality adds to quantity takes five to test: the curve of tokens has three numbers, and a measure is a fourth`,
    );
  return result;
}

/** The form of a joint fit: the one chosen on most of its slices, of equals the one of the larger slice. @param chosen smallest slice first. */
export function jointForm(chosen: readonly FormName[]): FormName {
  const votes = (form: FormName) => chosen.filter((one) => one === form).length;
  return chosen.reduce((a, b) => (votes(b) >= votes(a) ? b : a));
}

const tokensOf = ({ observations }: Panel) => Math.max(0, ...observations.map(({ tokens }) => tokens ?? 0));

/** A joint fit, and the settings of its panels. */
export type GroupJoint = JointAnalysis & { group: Settings };

/**
 * Joint fits: the slices of one setting of everything else, where there are at least two.
 * @param chosen the form chosen on each panel, by its label; a panel that could not be fitted has none, but one has.
 */
export function analyseJoints(
  panels: readonly Panel[],
  chosen: ReadonlyMap<string, FormName>,
  metric: string,
  options: FitOptions,
): { joint: GroupJoint[]; refused: UserError[] } {
  const joint: GroupJoint[] = [];
  const refused: UserError[] = [];
  for (const own of panelsBySetting(panels)) {
    if (own.length < 2) continue;
    const votes = own
      .toSorted((a, b) => tokensOf(a) - tokensOf(b))
      .flatMap(({ label }) => chosen.get(label) ?? []);
    try {
      const observations = own.flatMap((panel) => panel.observations);
      const form = options.form ?? jointForm(votes.length > 0 ? votes : [...chosen.values()]);
      joint.push({ group: own[0]!.group, ...analyseJoint(observations, metric, { ...options, form }) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refused.push(error);
    }
  }
  return { joint, refused };
}
