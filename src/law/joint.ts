/**
 * One law over several slices: the terms of layers and dim are shared, and each slice keeps a constant of its own. Only here
 * can the data be told from the rest: the levels of the slices are set against tokens and tokens over quality, and the law
 * is fitted again with a data term in the place of the constants.
 */
import { UserError } from '../util/errors.js';
import { compareDataMeasures, type MeasureLine, type SliceLevel } from './data-term.js';
import { addData, type FitOptions, fitPoints, type LawFit } from './fitting/fit.js';
import type { FormName } from './forms/form.js';
import type { Observation } from './points/observation.js';
import type { Variable } from './points/points.js';
import { type Point, toPoints } from './points/points.js';

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
  /** Levels against quantity and quality; empty below three slices. */
  measures: MeasureLine[];
  notes: string[];
}

export interface DataTerm {
  /** `tokens`, or `tokens/apen`. */
  data: string;
  r2: number;
  rmse: number;
  /** Root mean square error on the runs of a slice that was left out, each in its turn; null below four slices. */
  leftOutRmse: number | null;
  size: number;
  coefficients: Record<string, number>;
}

/** The law of every slice at one common configuration, the geometric middle of what was measured: what is left to the data. */
export function sliceLevels(
  fit: LawFit,
  slices: readonly string[],
): { at: Partial<Record<Variable, number>>; levels: { slice: string; level: number }[] } {
  const { model, points } = fit.inner;
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

/** Fits the data term without each slice in turn and predicts that slice. */
function leftOutRmse(points: readonly Point[], metric: string, options: FitOptions): number | null {
  const slices = [...new Set(points.map((point) => point.slice))];
  if (slices.length < 4) return null;
  let sum = 0;
  let runs = 0;
  for (const slice of slices)
    try {
      const rest = points.filter((point) => point.slice !== slice);
      const fit = fitPoints(rest, metric, { ...options, quick: true });
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

/** Measures of disorder that every slice has and that are above 0 there; one of those that are equal everywhere. */
export function sharedMeasures(observations: readonly Observation[]): string[] {
  const names = new Set(observations.flatMap(({ quality }) => Object.keys(quality ?? {})));
  const kept = new Map<string, string>();
  for (const name of names) {
    if (/share|count|mean|median/i.test(name)) continue;
    const values = observations.map(({ quality }) => quality?.[name] ?? 0);
    const key = values.join();
    if (values.every((value) => value > 0) && !kept.has(key)) kept.set(key, name);
  }
  return [...kept.values()];
}

/**
 * @throws UserError when there is one slice only, or too few configurations.
 */
export function analyseJoint(
  observations: readonly Observation[],
  metric: string,
  options: FitOptions & { form: FormName },
): JointAnalysis {
  const { points, notes } = toPoints(observations, metric, options.variables);
  const slices = [...new Set(points.map((point) => point.slice))];
  if (slices.length < 2) throw new UserError('a joint fit needs at least two slices');
  const fit = fitPoints(points, metric, { ...options, data: 'slice' });
  const tokensOf = (slice: string) =>
    points.find((point) => point.slice === slice && point.x.tokens !== undefined)?.x.tokens ?? null;
  const { at, levels: bare } = sliceLevels(fit, slices);
  const levels = bare.map((one) => ({ ...one, tokens: tokensOf(one.slice) }));
  const result: JointAnalysis = {
    form: fit.form,
    slices,
    coefficients: fit.coefficients,
    r2: fit.r2,
    rmse: fit.rmse,
    levels,
    at: { layers: at.layers!, dim: at.dim! },
    dataTerms: [],
    measures: [],
    notes: [...notes, ...fit.notes],
  };
  if (levels.some(({ tokens }) => tokens === null)) {
    result.notes.push('without the tokens of every slice the data term cannot be told');
    return result;
  }
  const measures = slices.length < 3 ? [] : sharedMeasures(observations);
  for (const data of ['tokens', ...measures.map((name) => ({ tokensOver: name }))] as const) {
    const own = points.map((point) => ({ ...point, x: { ...point.x } }));
    addData(own, observations, data);
    const term = fitPoints(own, metric, { ...options, data });
    const { r2, rmse, size, coefficients } = term;
    result.dataTerms.push({
      data: data === 'tokens' ? data : `tokens/${data.tokensOver}`,
      r2,
      rmse,
      leftOutRmse: leftOutRmse(own, metric, { ...options, data }),
      size,
      coefficients,
    });
    if (data === 'tokens') result.notes.push(...term.notes.filter((text) => text.includes('data')));
  }
  if (slices.length < 3)
    result.notes.push('two slices make any straight line perfect: quality and quantity cannot be told apart');
  else if (slices.length === 3)
    result.notes.push('three slices show a trend; whether quality adds to quantity takes four to test');
  if (slices.length >= 3)
    result.measures = compareDataMeasures(
      levels.map(
        ({ slice, level, tokens }): SliceLevel => ({
          slice,
          level,
          tokens: tokens!,
          quality: Object.fromEntries(
            measures.map((name) => [name, observations.find((one) => one.slice === slice)!.quality![name]!]),
          ),
        }),
      ),
    );
  return result;
}
