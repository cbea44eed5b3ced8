/**
 * Two runs on the same users: the mean difference of what each user adds to a metric, with the interval and p-value of the
 * paired t-test (it agrees with randomisation and bootstrap tests on rankings: Smucker, Allan and Carterette, CIKM 2007).
 */
import { fQuantile1, incompleteBeta } from './quantiles.js';

/** `b` against `a` over the same users. */
export interface PairedDifference {
  users: number;
  /** Means. */
  a: number;
  b: number;
  /** b - a. */
  difference: number;
  standardError: number;
  interval: [low: number, high: number];
  /** Two-sided: how often a difference this large comes about where there is none. */
  p: number;
  /** The same as if the two had been measured on different users, and how many times the interval is wider. */
  unpaired: { standardError: number; interval: [low: number, high: number]; timesWider: number | null };
}

/** The same where each side was trained with several seeds: what other users and other seeds would change. */
export interface SeedDifference {
  /** Runs of each side. */
  runs: [a: number, b: number];
  /** Deviation between runs of one side. */
  betweenSeeds: number;
  standardError: number;
  degrees: number;
  interval: [low: number, high: number];
  p: number;
}

/** From here on Student's t is the normal distribution to four digits. */
const MOST_DEGREES = 10_000;

/**
 * @param a, b what each user adds; the same user at the same place.
 * @param level of the interval, 0.95.
 * @throws Error for lists of different length, or fewer than two users.
 */
export function pairedDifference(a: ArrayLike<number>, b: ArrayLike<number>, level = 0.95): PairedDifference {
  const n = a.length;
  if (n !== b.length || n < 2) throw new Error(`${n} and ${b.length} users cannot be paired`);
  const [one, two] = [meanAndVariance(a), meanAndVariance(b)];
  const between = meanAndVariance(Float64Array.from({ length: n }, (_, u) => b[u]! - a[u]!));
  const standardError = Math.sqrt(between.variance / n);
  const degrees = Math.min(MOST_DEGREES, n - 1);
  const t = Math.sqrt(fQuantile1(level, degrees));
  const difference = between.mean;
  const around = (error: number): [number, number] => [difference - t * error, difference + t * error];
  const unpaired = Math.sqrt((one.variance + two.variance) / n);
  return {
    users: n,
    a: one.mean,
    b: two.mean,
    difference,
    standardError,
    interval: around(standardError),
    p: twoSided(difference, standardError, degrees),
    unpaired: {
      standardError: unpaired,
      interval: around(unpaired),
      timesWider: standardError > 0 ? unpaired / standardError : null,
    },
  };
}

/**
 * The means of two sides over users and seeds. The variance is that of the users' mean differences, plus that between the runs of a
 * side, which is taken to be the same on both; degrees of freedom by Satterthwaite. Chance that users and seeds share is counted
 * twice, so that the interval errs to the wide side.
 * @param a, b of every run of a side what each user adds; the same user at the same place everywhere.
 * @throws Error where neither side has two runs.
 */
export function seedDifference(
  a: readonly ArrayLike<number>[],
  b: readonly ArrayLike<number>[],
  level = 0.95,
): SeedDifference {
  const free = a.length + b.length - 2;
  if (free < 1) throw new Error('one run each tells nothing of seeds');
  const n = a[0]!.length;
  const squares = (side: readonly ArrayLike<number>[]) =>
    side.length < 2
      ? 0
      : (side.length - 1) *
        meanAndVariance(Float64Array.from(side, (run) => meanAndVariance(run).mean)).variance;
  const seeds = (squares(a) + squares(b)) / free;
  const between = meanAndVariance(
    Float64Array.from({ length: n }, (_, u) => userMean(b, u) - userMean(a, u)),
  );
  const parts = [
    { variance: between.variance / n, degrees: n - 1 },
    { variance: seeds * (1 / a.length + 1 / b.length), degrees: free },
  ];
  const variance = parts.reduce((sum, part) => sum + part.variance, 0);
  const spread = parts.reduce((sum, part) => sum + part.variance ** 2 / part.degrees, 0);
  const degrees = spread > 0 ? Math.min(MOST_DEGREES, variance ** 2 / spread) : MOST_DEGREES;
  const standardError = Math.sqrt(variance);
  const half = Math.sqrt(fQuantile1(level, degrees)) * standardError;
  return {
    runs: [a.length, b.length],
    betweenSeeds: Math.sqrt(seeds),
    standardError,
    degrees,
    interval: [between.mean - half, between.mean + half],
    p: twoSided(between.mean, standardError, degrees),
  };
}

/** What a user adds on the mean over the runs of a side. */
export function userMean(runs: readonly ArrayLike<number>[], user: number): number {
  let sum = 0;
  for (const run of runs) sum += run[user]!;
  return sum / runs.length;
}

function meanAndVariance(values: ArrayLike<number>): { mean: number; variance: number } {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) ** 2;
  return { mean, variance: squares / (values.length - 1) };
}

function twoSided(difference: number, error: number, degrees: number): number {
  if (error === 0) return difference === 0 ? 1 : 0;
  const square = (difference / error) ** 2;
  return incompleteBeta(degrees / (degrees + square), degrees / 2, 0.5);
}

/** Holm's correction of several p-values, in their order. */
export function holm(ps: readonly number[]): number[] {
  const order = [...ps.keys()].sort((i, j) => ps[i]! - ps[j]!);
  const adjusted = new Array<number>(ps.length);
  let least = 0;
  order.forEach((index, done) => {
    least = Math.max(least, Math.min(1, (ps.length - done) * ps[index]!));
    adjusted[index] = least;
  });
  return adjusted;
}

/** Users whose value lies in [from, to]. */
export interface ValueGroup {
  from: number;
  to: number;
  members: number[];
}

/** Parts users by a value into at most so many groups of about the same number, equal values together, small ones first. */
export function quantileGroups(values: ArrayLike<number>, most = 4): ValueGroup[] {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const groups: ValueGroup[] = [];
  for (let at = 0; at < order.length; ) {
    const left = most - groups.length;
    let end = left <= 1 ? order.length : Math.min(order.length, at + Math.ceil((order.length - at) / left));
    const last = values[order[end - 1]!]!;
    while (end < order.length && values[order[end]!] === last) end++;
    groups.push({ from: values[order[at]!]!, to: last, members: order.slice(at, end) });
    at = end;
  }
  return groups;
}
