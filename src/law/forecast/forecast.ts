/**
 * What to expect beyond what was measured, and how surely. The stack (stack.ts) says what; its uncertainty is
 *
 *   variance = disagreement of the candidates + sum over the axes of tau^2 ln(distance beyond) + noise,
 *
 * with tau^2 the mean squared error of the stack, level by level, for every unit of ln distance: the drift of a random walk in
 * ln size that starts at the nearest run (a discrepancy in the sense of Kennedy and O'Hagan 2001). One further level counts
 * with them on which all that is believed of the rise would be wrong, so that nothing is sure where nothing was tried.
 */
import { metricRange, type Point, type Variable } from '../points/points.js';
import { extentOf, type Place } from './axes.js';
import { type Fold, foldsElsewhere, rollingFolds } from './folds.js';
import { makePool, NEAREST, type PoolOptions, SLICES, UNTRIED } from './pool.js';
import { makeStack, type Stacked, worthOf } from './stack.js';
import { normalHalfWidth, studentHalfWidth } from './student.js';

/**
 * Factor of the drift and the disagreement, both of which count part of the same thing: set once so that nominal 90 % hold 85
 * to 97 % of the levels of real tables (docs/forecast.md); a test checks it.
 */
export const CALIBRATION = 0.6;
/** Degrees of freedom that the priors are worth. */
const PRIOR_FREEDOM = 2;
/** Noise of the nearest run, of the new one, and what a process takes for curve although it is noise: in variances of a run. */
const NOISES = 4;
/** Where nothing was tried a metric may drift by so much of its measured spread, as far again as was measured. */
const LEAST_DRIFT = 0.2;
/** Below so many levels of an axis (of other slices half) what is said beyond it is not calibrated. */
export const CALIBRATED_FROM = 2;

/** What is expected at one place. */
export interface Expectation {
  value: number;
  /** Where one new run lies, at the level asked for. */
  interval: [low: number, high: number];
  /** Deviation of what is expected (without the noise of a run), and of one new run; scale of Student's t with `freedom`. */
  deviation: number;
  runDeviation: number;
  freedom: number;
  /** ln of how far beyond the measured range, by axis. */
  beyond: number[];
  /** Whether enough levels were predicted on the axes concerned to know how far such forecasts go wrong. */
  calibrated: boolean;
  /** The nearest run's value. */
  nearest: number;
  /** Weights of the candidates. */
  weights: Map<string, number>;
  /** The parts that draws are made of: what the candidates say, and tau by axis. */
  said: Map<string, number>;
  drift: number[];
}

export interface Forecaster {
  axes: readonly Variable[];
  folds: Fold[];
  /** Levels predicted from the lower ones, by axis: of the slice itself, and of others. */
  tried: number[];
  triedElsewhere: number[];
  /** Deviation of one run. */
  noise: number;
  /** Beyond the measured range; inside it the law knows better. */
  at(x: Place, level?: number): Expectation;
  /**
   * Mean squared error of what other slices told over that of the whole, on the levels that they could tell; null where there
   * are none.
   */
  slicesError: number | null;
  /** Whether levels were tried on every axis on which a place lies beyond, or other slices tell of it; and it lies below none. */
  isOpen(x: Place): boolean;
}

export interface ForecastOptions extends PoolOptions {
  /** Folds that were made already: those below the largest level are those of fewer points. */
  folds?: Fold[];
}

/** Makes everything that forecasts of these points are made of. */
export function makeForecaster(points: Point[], options: ForecastOptions): Forecaster {
  const { folds: given, ...poolOptions } = options;
  const { axes, metric } = options;
  const folds = given ?? axes.flatMap((axis) => rollingFolds(points, axis, poolOptions));
  const elsewhere = foldsElsewhere(points, poolOptions);
  const pool = makePool(points, poolOptions);
  const stack = makeStack([...folds, ...elsewhere], axes);
  const extent = extentOf(points, axes);
  const triedIn = (some: readonly Fold[]) => axes.map((axis) => some.filter((fold) => fold.axis === axis));
  const tried = triedIn(folds).map(({ length }) => length);
  const worth = triedIn([...folds, ...elsewhere]).map(worthOf);
  const [least, most] = metricRange(
    metric,
    points.map(({ value }) => value),
  );
  const possible = (value: number) => Math.min(most, Math.max(least, value));
  return {
    axes,
    folds,
    tried,
    triedElsewhere: triedIn(elsewhere).map(({ length }) => length),
    noise: pool.noise,
    slicesError: slicesError(folds, stack.drifts),
    isOpen: (x) =>
      !extent.isBelow(x) &&
      (extent.beyond(x).every((one, i) => one === 0 || tried[i]! > 0) || pool.at(x).has(SLICES)),
    at(x, level = 0.9) {
      const far = extent.beyond(x);
      const said = pool.at(x);
      const stacked = stack.at(said, far);
      const drift = driftOf(stacked, said, far);
      const noise = pool.noise ** 2;
      const walk = far.reduce((sum, one, i) => sum + drift[i]! ** 2 * one, 0);
      const freedom = stacked.folds + PRIOR_FREEDOM;
      const t = studentHalfWidth(level, freedom);
      const normal = normalHalfWidth(level);
      const spread = CALIBRATION * t * Math.sqrt(stacked.disagreement + walk);
      const half = Math.hypot(spread, normal * Math.sqrt(NOISES * noise));
      const value = possible(stacked.value);
      return {
        value,
        interval: [possible(stacked.value - half), possible(stacked.value + half)],
        deviation: Math.hypot(spread, normal * Math.sqrt((NOISES - 1) * noise)) / normal,
        runDeviation: half / normal,
        freedom,
        beyond: far,
        calibrated: !extent.isBelow(x) && far.every((one, i) => one === 0 || worth[i]! >= CALIBRATED_FROM),
        nearest: said.get(NEAREST)!,
        weights: stacked.weights,
        said,
        drift,
      };
    },
  };

  /** tau of every axis, for one place: the folds of the axis, and the level on which all that is believed is wrong. */
  function driftOf({ value }: Stacked, said: Map<string, number>, far: readonly number[]): number[] {
    const distance = far.reduce((a, b) => a + b, 0);
    if (distance === 0) return axes.map(() => 0);
    const untried = UNTRIED.flatMap((name) => said.get(name) ?? []);
    const believed = untried.length > 0 ? untried.reduce((a, b) => a + b, 0) / untried.length : value;
    const rise = believed - said.get(NEAREST)!;
    return axes.map((axis, i) => {
      const own = stack.drifts.filter((one) => one.axis === axis);
      const least = (LEAST_DRIFT * pool.spread * distance) / Math.max(0.5, extent.spans[i]!);
      const prior = Math.max(rise ** 2, least ** 2) / distance;
      const squares = own.reduce((sum, { share, square }) => sum + share * square, 0);
      return Math.sqrt((squares + prior) / (worthOf(own) + 1));
    });
  }
}

/** How well other slices told the levels that they could tell, beside the stack of everything. */
function slicesError(folds: readonly Fold[], drifts: readonly { square: number }[]): number | null {
  let [own, whole] = [0, 0];
  folds.forEach(({ predicted }, i) => {
    const told = predicted.filter(({ said }) => said.has(SLICES));
    if (told.length === 0) return;
    const distance = told.reduce((sum, { beyond }) => sum + beyond.reduce((a, b) => a + b, 0), 0);
    own += told.reduce((sum, { said, point }) => sum + (said.get(SLICES)! - point.value) ** 2, 0);
    whole += drifts[i]!.square * distance;
  });
  return whole > 0 ? own / whole : null;
}
