/**
 * The next run to make, at its price: the cheapest of those that narrow what is asked at least half as much as the most telling
 * one. Asked is how good what is to be trained will be; where another is expected to be better, by how much. To first order a run
 * at x takes Cov(f(x), asked)^2 / (Var f(x) + s^2) off the variance of what is asked (MacKay 1992), with f in the worlds that the
 * law's replicates and the forecast draw. None is named where no affordable run would say much.
 */

import { SLICES } from '../forecast/pool.js';
import type { Outlook } from '../trust/outlook.js';
import type { At } from '../trust/uncertainty.js';
import type { Candidate } from './candidates.js';

export interface NextTrial {
  layers: number;
  dim: number;
  params: number;
  /** Standard deviation of what is asked now, and as expected after that run; null for one that is to open an axis. */
  before: number | null;
  after: number | null;
  /** The axis on which a third value is what lacks: until it is there, nothing beyond can be predicted. */
  opens: 'layers' | 'dim' | null;
  /** The slice to run it on. */
  slice: string;
  /** Cost over that of what is to be trained, in FLOPs where they are known, else in parameters. */
  price: number;
  /** A further seed of a configuration that was measured. */
  repeat: boolean;
}

export interface NextTrialOptions {
  /** What is to be trained, and the one that may be better. */
  target: Candidate;
  rival?: Candidate;
  /** The slice of the target. */
  slice: string;
  /** Other slices, and their tokens over those of the target's. */
  elsewhere?: readonly { slice: string; share: number }[];
  /** Largest measured values. */
  largest: { layers: number; dim: number };
  /** Deviation of one run. */
  noise: number;
  cost(candidate: Candidate): number;
  isMeasured(candidate: Candidate): boolean;
  seed?: number;
}

/** Runs lie within so many times of the largest measured ones, or of what is to be trained. */
const NEAR = 1.5;
const WORLDS = 300;
/** Runs this much as telling as the most telling one are enough. */
const HALF = 0.5;
/** A run that takes less than this share off the variance is not worth its price. */
const WORTH = 0.1;
/** Not more runs than so many are looked at. */
const MOST = 400;

/** @param candidates what may be run. */
export function nextTrial(
  outlook: Outlook,
  candidates: readonly Candidate[],
  place: (candidate: Candidate) => At,
  options: NextTrialOptions,
): NextTrial | null {
  const { target, rival, noise, cost, isMeasured, seed = 0 } = options;
  const most = Math.max(cost(target), rival ? cost(rival) : 0);
  const { largest } = options;
  const affordable = candidates.filter(
    (one) =>
      cost(one) <= most &&
      one.layers <= Math.max(NEAR * largest.layers, target.layers) &&
      one.dim <= Math.max(NEAR * largest.dim, target.dim) &&
      outlook.forecaster.isOpen(place(one)),
  );
  const step = Math.ceil(affordable.length / MOST);
  const tried = affordable.filter(
    (one, i) => i % step === 0 || isMeasured(one) || one === target || one === rival,
  );
  const asked = [target, ...(rival ? [rival] : [])];
  const worlds = outlook.worlds([...asked, ...tried].map(place), WORLDS, seed, 'of each run');
  const column = (i: number) => trimmed(worlds.map((world) => world[i]!));
  const own = column(0);
  const other = rival && column(1);
  const wanted = other ? other.map((value, k) => value - own[k]!) : own;
  const variance = covariance(wanted, wanted);
  if (!(variance > 0)) return null;
  const gains = tried.map((candidate, i) => {
    const values = column(asked.length + i);
    const shared = covariance(values, wanted);
    const total = covariance(values, values) + noise ** 2;
    return { candidate, gain: total > 0 ? (shared * shared) / total : 0 };
  });
  const telling = Math.max(...gains.map(({ gain }) => gain));
  if (!(telling > WORTH * variance)) return null;
  const enough = gains.filter(({ gain }) => gain >= HALF * telling);
  const { candidate, gain } = enough.reduce((a, b) => (cost(b.candidate) < cost(a.candidate) ? b : a));
  const { layers, dim, params } = candidate;
  const smaller = onSmallerSlice(outlook, place, variance, HALF * telling, options);
  if (smaller && smaller.price < cost(candidate) / cost(target)) return smaller;
  return {
    layers,
    dim,
    params,
    slice: options.slice,
    before: Math.sqrt(variance),
    after: Math.sqrt(Math.max(0, variance - gain)),
    opens: null,
    price: cost(candidate) / cost(target),
    repeat: isMeasured(candidate),
  };
}

/**
 * The configuration in question on a smaller slice, where slices told one another the measured levels well enough to narrow what is
 * asked by `enough`.
 */
function onSmallerSlice(
  outlook: Outlook,
  place: (candidate: Candidate) => At,
  variance: number,
  enough: number,
  { target, rival, elsewhere = [], cost }: NextTrialOptions,
): NextTrial | null {
  const asked = rival ?? target;
  const { forecast } = outlook.expect(place(asked));
  const { slicesError } = outlook.forecaster;
  if (!forecast || forecast.said.has(SLICES) || slicesError === null || elsewhere.length === 0) return null;
  const gain = variance * Math.max(0, 1 - slicesError);
  if (gain < enough) return null;
  const { slice, share } = elsewhere.reduce((a, b) => (b.share < a.share ? b : a));
  const { layers, dim, params } = asked;
  return {
    layers,
    dim,
    params,
    slice,
    before: Math.sqrt(variance),
    after: Math.sqrt(variance - gain),
    opens: null,
    price: (share * cost(asked)) / cost(target),
    repeat: false,
  };
}

/**
 * The run that adds a third value to an axis, as far beyond the second as that is from the first: without it nothing beyond can be
 * predicted.
 * @param candidates what may be run; null where none lies near that place.
 */
export function openingTrial(
  axis: 'layers' | 'dim',
  values: readonly number[],
  target: Candidate,
  candidates: readonly Candidate[],
  cost: (candidate: Candidate) => number,
  slice: string,
): NextTrial | null {
  const other = axis === 'dim' ? 'layers' : 'dim';
  const [lower, upper] = values.slice(-2) as [number, number];
  const wanted = (upper * upper) / lower;
  const beside = candidates.filter((one) => one[other] === target[other] && one[axis] > upper);
  if (beside.length === 0) return null;
  const far = (one: Candidate) => Math.abs(Math.log(one[axis] / wanted));
  const { layers, dim, params, ...rest } = beside.reduce((a, b) => (far(b) < far(a) ? b : a));
  return {
    layers,
    dim,
    params,
    slice,
    before: null,
    after: null,
    opens: axis,
    price: cost({ layers, dim, params, ...rest }) / cost(target),
    repeat: false,
  };
}

/** Worlds that ran away are brought back to the 1st and 99th percentile: they say nothing of a variance. */
function trimmed(values: number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  const low = sorted[Math.floor(0.01 * sorted.length)]!;
  const high = sorted[Math.ceil(0.99 * sorted.length) - 1]!;
  return values.map((value) => Math.min(high, Math.max(low, value)));
}

function covariance(a: readonly number[], b: readonly number[]): number {
  const ma = mean(a);
  const mb = mean(b);
  return a.reduce((sum, value, i) => sum + (value - ma) * (b[i]! - mb), 0) / (a.length - 1);
}

const mean = (values: readonly number[]) => values.reduce((x, y) => x + y, 0) / values.length;
