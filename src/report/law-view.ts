/**
 * Fitted laws as the report shows them: one law a slice, the same that `perflaw fit` and `perflaw predict` use, with
 * intervals, what cannot be told, the budget curve, and the constants of the slices from a joint fit.
 */
import { enumerateCandidates } from '../law/candidates.js';
import { compareForms, type FormScore as LawScore } from '../law/compare.js';
import { type CostModel, costModel, type ModelSource } from '../law/cost.js';
import { fitLaw, type LawFit } from '../law/fit.js';
import type { FormName } from '../law/form.js';
import { identifiability } from '../law/identifiability.js';
import type { Observation } from '../law/observation.js';
import { optimum } from '../law/optimum.js';
import { toPoints } from '../law/points.js';
import {
  type At,
  type Bootstrap,
  bootstrap,
  coefficientIntervals,
  type Interval as Ends,
  optimumIntervals,
  predictWithInterval,
} from '../law/uncertainty.js';
import { UserError } from '../util/errors.js';
import type {
  BudgetCurve,
  Candidate,
  Coefficient,
  DataTermPoint,
  FormScore,
  Interval,
  LawPanel,
  LawView,
  Peak,
} from './model.js';
import { bestOfEachSize } from './sizes.js';

export interface LawViewOptions {
  /** The metric's name in the observations. */
  metric: string;
  /** The form asked for; otherwise the one with the least held-out error, slice by slice. */
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

interface Shape {
  layers: number;
  dim: number;
}

interface FittedPanel {
  panel: LawPanel;
  fit: LawFit;
  cost: CostModel;
  /** The variables of a shape that this law looks at. */
  place(shape: Shape): At;
  predict(shape: Shape): Interval;
}

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
    budget: budget(
      main,
      usable.filter((one) => one.slice === main.panel.slice),
    ),
    dataTerm: fitted.length > 1 ? await dataTerm(usable, options, main.fit.form) : undefined,
  };
}

async function fitPanel(
  slice: string,
  observations: Observation[],
  { metric, form, resamples, source }: LawViewOptions,
): Promise<FittedPanel> {
  const { points, notes } = toPoints(observations, metric);
  const comparison = compareForms(points, metric);
  const used = form ?? comparison.chosen;
  // A form that was asked for and does not fit these points is refused in its own words.
  const fit = comparison.fits[used] ?? fitLaw(observations, { form: used, metric });
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

/** Laws of compute or parameters need those of every shape; they are counted for whole numbers only. */
function placing(fit: LawFit, cost: CostModel): (shape: Shape) => At {
  const { places, options } = fit.inner.model;
  const needs = new Set([...places.flatMap(({ term }) => term.variables), ...options.variables]);
  const counted = ['params', 'nonEmbeddingParams', 'flops'].some((name) => needs.has(name as never));
  if (!counted) return ({ layers, dim }) => ({ layers, dim });
  const measured = new Map(fit.inner.points.map(({ x }) => [`${x.layers}/${x.dim}`, x]));
  const common = fit.inner.points.map(({ x }) => x.dim!).reduce(gcd);
  // some models can have any dim, others only multiples of their heads' width
  const step = cost.params({ layers: 1, dim: common + 1 }) ? 1 : common;
  return ({ layers, dim }) => {
    const known = measured.get(`${layers}/${dim}`);
    if (known) return { ...known };
    const count = (of: (shape: Shape) => number | undefined) => between(of, { layers, dim }, step);
    return {
      layers,
      dim,
      params: count((shape) => cost.params(shape)?.total),
      nonEmbeddingParams: count((shape) => cost.params(shape)?.nonEmbedding),
      flops: cost.flops && count(cost.flops),
    };
  };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** A count at any layers and dim, bilinear between the shapes around it that a model can have; surfaces are drawn of it. */
function between(
  of: (shape: Shape) => number | undefined,
  { layers, dim }: Shape,
  step: number,
): number | undefined {
  const l = Math.max(1, Math.floor(layers));
  const d =
    Number.isInteger(dim) && Number.isInteger(layers) ? dim : step * Math.max(1, Math.floor(dim / step));
  const here = of({ layers: l, dim: d });
  if (here === undefined || (l === layers && d === dim)) return here;
  const deeper = of({ layers: l + 1, dim: d }) ?? here;
  const wider = of({ layers: l, dim: d + step }) ?? here;
  const both = of({ layers: l + 1, dim: d + step }) ?? here;
  const [u, v] = [layers - l, (dim - d) / step];
  return here + u * (deeper - here) + v * (wider - here) + u * v * (both - deeper - wider + here);
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

/** Which way a law of compute or parameters goes along an axis that it knows only through them. */
function slope(fit: LawFit, place: (shape: Shape) => At, axis: keyof Shape): Peak['place'] {
  const measured = fit.inner.points.map(({ x }) => ({ layers: x.layers!, dim: x.dim! }));
  const middle = measured[measured.length >> 1]!;
  const values = measured.map((shape) => shape[axis]);
  const at = (value: number) => fit.predict(place({ ...middle, [axis]: value }));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) return 'not fitted';
  return at(high) >= at(low) ? 'rises' : 'falls';
}

/** How many times beyond the largest measured layers, dim and size the curve goes on. */
const CURVE_REACH = 2;

/**
 * On the slice with the most data: what would be trained in earnest. Recommended is the best inside the measured range, since
 * a law that still rises would otherwise always point at the largest model anyone can name.
 */
function budget(
  { panel, fit, cost, place, predict }: FittedPanel,
  own: Observation[],
): BudgetCurve | undefined {
  const candidates = enumerateCandidates(own, cost);
  const value = (at: Shape) => fit.predict(place(at));
  const isInside = ({ layers, dim }: Shape) =>
    own.some((one) => one.layers <= layers) &&
    own.some((one) => one.layers >= layers) &&
    own.some((one) => one.dim <= dim) &&
    own.some((one) => one.dim >= dim);
  const dress = ({ layers, dim, params }: Shape & { params: number }): Candidate => ({
    layers,
    dim,
    params,
    predicted: predict({ layers, dim }),
    extrapolated: !isInside({ layers, dim }),
  });
  const highest = <T extends Shape>(list: T[]) => list.reduce((a, b) => (value(b) > value(a) ? b : a));
  const inside = candidates.filter(isInside);
  if (inside.length === 0) return undefined;
  const optimum = dress(highest(inside));
  const close = inside.filter((one) => value(one) >= optimum.predicted.value - fit.sigma);
  const [topLayers, topDim] = [
    Math.max(...own.map((one) => one.layers)),
    Math.max(...own.map((one) => one.dim)),
  ];
  const leastDim = Math.min(...own.map((one) => one.dim));
  const near = candidates.filter(
    ({ layers, dim }) => layers <= CURVE_REACH * topLayers && dim <= CURVE_REACH * topDim && dim >= leastDim,
  );
  const beyond = highest(near);
  // Inside the measured range as far as its sizes go; beyond it only where it has none of that size.
  const largest = Math.max(...inside.map((one) => one.params));
  const curve = finer(near, cost);
  const candidatesInside = bestOfEachSize([...curve.filter(isInside), ...inside], value);
  const candidatesBeyond = bestOfEachSize(
    curve.filter((one) => one.params > largest && one.params <= CURVE_REACH * largest && !isInside(one)),
    value,
  );
  return {
    slice: panel.slice,
    candidates: [...candidatesInside, ...candidatesBeyond].map(dress),
    optimum,
    smallest: dress(close.reduce((a, b) => (b.params < a.params ? b : a))),
    ...(value(beyond) > optimum.predicted.value + (panel.noise ?? 0) ? { beyond: dress(beyond) } : {}),
  };
}

/**
 * The same layers with a quarter of the step between dims: at the steps that people train there is not always a good
 * configuration of a size, and the curve would dip where nothing but the grid does.
 */
function finer(candidates: Shape[], cost: CostModel): (Shape & { params: number })[] {
  const dims = [...new Set(candidates.map((one) => one.dim))].sort((a, b) => a - b);
  const step = Math.max(2, Math.min(...dims.slice(1).map((dim, i) => dim - dims[i]!)) / 4);
  const shapes: (Shape & { params: number })[] = [];
  for (const layers of new Set(candidates.map((one) => one.layers)))
    for (let dim = dims[0]!; dim <= dims[dims.length - 1]!; dim += step) {
      const params = Number.isInteger(dim) ? cost.params({ layers, dim })?.total : undefined;
      if (params !== undefined) shapes.push({ layers, dim, params });
    }
  return shapes;
}

/** A joint fit with the terms of layers and dim shared: its constants, a slice each, hold what the data do. */
async function dataTerm(
  observations: Observation[],
  { metric, slices, resamples }: LawViewOptions,
  form: FormName,
): Promise<LawView['dataTerm']> {
  const fit = fitLaw(observations, { form, metric });
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
  return points.length < 2 ? undefined : { name: 'c', points };
}
