/**
 * How far off the stack (stack.ts) may be. One new run differs from what is expected by
 *
 *   variance = factor^2 (disagreement of the candidates + sum over the axes of tau^2 ln(distance beyond)) + noise,
 *
 * with tau^2 the mean squared error of the stack, level by level, for every unit of ln distance: the drift of a random walk in
 * ln size that starts at the nearest run (a discrepancy in the sense of Kennedy and O'Hagan 2001). Half a level more counts with
 * them on which all that is believed of the rise would be wrong, so that nothing is sure where nothing was tried.
 *
 * How much wider or narrower this should have been the levels tell themselves: each has a z, its error over the deviation that
 * the levels below and the other folds would have named. The variance is multiplied by the mean of z^2 with three levels of
 * z = 1 before any is tried (the mean of an inverse gamma posterior): one lucky level narrows little, and none of it by more than
 * 3 / (3 + levels).
 */
import type { Variable } from '../points/points.js';
import type { Fold } from './folds.js';
import { type Ground, NEAREST, type Sayings, UNTRIED } from './pool.js';
import { OTHER_AXIS, type Stack, type Stacked, worthOf } from './stack.js';

/** Constants of the intervals, set on real tables (docs/forecast.md): `npm run bench:forecast -- --leave-out` tries others. */
export interface Calibration {
  /** Of disagreement and drift, both of which count part of the same error. */
  factor: number;
  /** Levels with z = 1 that count beside those tried. */
  levels: number;
  /** What the level counts in tau^2 on which all that is believed would be wrong. */
  wrong: number;
  /** Variances of a run: of the nearest one and of the new one. */
  noises: number;
}

export const CALIBRATION: Calibration = { factor: 0.45, levels: 3, wrong: 0.5, noises: 2 };

/** All levels of the other axis together say as much of how far forecasts go wrong along this one as one level of it. */
const MOST_OF_OTHER_AXIS = 1;
/** Where nothing was tried a metric may drift half as steeply as it changed along the axis, */
const SHARE_OF_STEEPNESS = 0.5;
/** and by no more than so much of its spread, as far again as was measured. */
const SHARE_OF_SPREAD = 0.2;
/** Least range of an axis for that, in ln. */
const LEAST_SPAN = 0.5;

/** Below so many levels of an axis (of other slices half) what is said beyond it is not calibrated. */
export const CALIBRATED_FROM = 2;
/**
 * The factor along the data until it is calibrated: one level of it moves all sizes together, so that its one error says less than the
 * many of a level of layers or dim. About the square root of a half: disagreement and drift then count as two errors.
 */
const FACTOR_OF_DATA = 0.7;

/** What the parts of an interval are at one place. */
export interface Parts {
  /** Variance of one new run. */
  variance: number;
  /** Deviation of a run, as the levels tell it. */
  noise: number;
  /** What disagreement and drift are to be multiplied by. */
  factor: number;
  /** tau by axis. */
  drift: number[];
}

export interface Spread {
  at(stacked: Stacked, said: Sayings, far: readonly number[]): Parts;
}

export interface Missed {
  axis: Variable;
  share: number;
  square: number;
}

/** Mean squared error of the stack of the other folds, for every unit of ln distance, fold by fold. */
export function missesOf(folds: readonly Fold[], { without }: Stack): Missed[] {
  return folds.map(({ axis, share, predicted }, i) => {
    let square = 0;
    let distance = 0;
    for (const { point, said, beyond } of predicted) {
      square += (without[i]!(said, beyond).value - point.value) ** 2;
      distance += sum(beyond);
    }
    return { axis, share, square: square / distance };
  });
}

/** @param misses of the folds. @param ground what is known of the points that the forecast is made of. */
export function makeSpread(
  folds: readonly Fold[],
  stack: Stack,
  misses: readonly Missed[],
  axes: readonly Variable[],
  ground: Ground,
  calibration: Calibration,
): Spread {
  const { factor, levels, wrong, noises } = calibration;

  /** tau of every axis along which a place lies beyond. */
  const driftOf = (
    { value }: Stacked,
    said: Sayings,
    far: readonly number[],
    { spread, spans, steepness }: Ground,
    missed: readonly Missed[],
  ) => {
    const distance = sum(far);
    const untried = UNTRIED.flatMap((name) => said.get(name) ?? []);
    const rise = (untried.length > 0 ? sum(untried) / untried.length : value) - said.get(NEAREST)!;
    return axes.map((axis, i) => {
      if (far[i] === 0) return 0;
      const overall = (SHARE_OF_SPREAD * spread) / Math.max(LEAST_SPAN, spans[i]!);
      const least = Math.min(overall, SHARE_OF_STEEPNESS * (steepness[i] ?? Number.POSITIVE_INFINITY));
      const doubt = Math.max(rise ** 2, (least * distance) ** 2) / distance;
      const own = missed.filter((one) => one.axis === axis);
      const squares = sum(own.map(({ share, square }) => share * square));
      return Math.sqrt((squares + wrong * doubt) / (worthOf(own) + wrong));
    });
  };
  const data = axes.indexOf('data');
  const factorOf = (far: readonly number[], missed: readonly Missed[]) =>
    data >= 0 && far[data]! > 0 && worthOf(missed.filter(({ axis }) => axis === 'data')) < CALIBRATED_FROM
      ? Math.max(factor, FACTOR_OF_DATA)
      : factor;
  const varianceOf = (
    { disagreement }: Stacked,
    far: readonly number[],
    drift: readonly number[],
    noise: number,
    missed: readonly Missed[],
  ) =>
    factorOf(far, missed) ** 2 * (disagreement + sum(far.map((one, i) => drift[i]! ** 2 * one))) +
    noises * noise ** 2;

  const tried = folds.map(({ axis, share, predicted, ground: below }, i) => {
    const missed = misses.filter((_, j) => j !== i);
    const squares = predicted.flatMap(({ point, said, beyond }) => {
      const stacked = stack.without[i]!(said, beyond);
      const drift = driftOf(stacked, said, beyond, below, missed);
      const variance = varianceOf(stacked, beyond, drift, below.noise, missed);
      return variance > 0 ? [(stacked.value - point.value) ** 2 / variance] : [];
    });
    return {
      axis,
      share: squares.length > 0 ? share : 0,
      square: sum(squares) / Math.max(1, squares.length),
    };
  });
  /** By how much the variance is to be multiplied along these axes. */
  const learned = (far: readonly number[]) => {
    const [own, other] = [true, false].map((along) => {
      const some = tried.filter(({ axis }) => far[axes.indexOf(axis)]! > 0 === along);
      return { worth: worthOf(some), squares: sum(some.map(({ share, square }) => share * square)) };
    }) as [{ worth: number; squares: number }, { worth: number; squares: number }];
    const counts = Math.min(OTHER_AXIS, MOST_OF_OTHER_AXIS / Math.max(1e-9, other.worth));
    return (levels + own.squares + counts * other.squares) / (levels + own.worth + counts * other.worth);
  };

  return {
    at(stacked, said, far) {
      const drift = driftOf(stacked, said, far, ground, misses);
      const times = learned(far);
      return {
        variance: times * varianceOf(stacked, far, drift, ground.noise, misses),
        noise: Math.sqrt(times) * ground.noise,
        factor: Math.sqrt(times) * factorOf(far, misses),
        drift,
      };
    },
  };
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
