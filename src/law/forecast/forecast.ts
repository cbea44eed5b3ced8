/**
 * What to expect beyond what was measured, and how surely: the stack (stack.ts) says what, its errors on the levels that were
 * measured how surely (spread.ts). An interval is one of Student's t, with a degree of freedom for every level.
 */
import { metricRange, type Point, type Variable } from '../points/points.js';
import { extentOf, type Place } from './axes.js';
import { type Fold, foldsElsewhere, rollingFolds } from './folds.js';
import { makePool, NEAREST, type PoolOptions, SLICES } from './pool.js';
import {
  CALIBRATED_FROM,
  CALIBRATION,
  type Calibration,
  makeSpread,
  missesOf,
  type Spread,
} from './spread.js';
import { makeStack, worthOf } from './stack.js';
import { normalHalfWidth, studentHalfWidth } from './student.js';

/** Degrees of freedom that the priors are worth. */
const PRIOR_FREEDOM = 2;

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
  /** The parts that draws are made of: what the candidates say, tau by axis, what both are multiplied by, deviation of a run. */
  said: Map<string, number>;
  drift: number[];
  factor: number;
  noise: number;
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
  at(x: Place, level?: number, calibration?: Calibration): Expectation;
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
  const all = [...folds, ...elsewhere];
  const stack = makeStack(all, axes);
  const misses = missesOf(all, stack);
  const extent = extentOf(points, axes);
  const spreads = new Map<Calibration, Spread>();
  const spreadOf = (calibration: Calibration) => {
    const known = spreads.get(calibration);
    if (known) return known;
    const made = makeSpread(all, stack, misses, axes, pool.ground, calibration);
    spreads.set(calibration, made);
    return made;
  };
  const triedIn = (some: readonly Fold[]) => axes.map((axis) => some.filter((fold) => fold.axis === axis));
  const tried = triedIn(folds).map(({ length }) => length);
  const worth = triedIn(all).map(worthOf);
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
    noise: pool.ground.noise,
    slicesError: slicesError(folds, misses),
    isOpen: (x) =>
      !extent.isBelow(x) &&
      (extent.beyond(x).every((one, i) => one === 0 || tried[i]! > 0) || pool.at(x).has(SLICES)),
    at(x, level = 0.9, calibration = CALIBRATION) {
      const far = extent.beyond(x);
      const said = pool.at(x);
      const stacked = stack.at(said, far);
      const { variance, noise, factor, drift } = spreadOf(calibration).at(stacked, said, far);
      const freedom = stacked.folds + PRIOR_FREEDOM;
      const t = studentHalfWidth(level, freedom);
      const normal = normalHalfWidth(level);
      const half = t * Math.sqrt(variance);
      const value = possible(stacked.value);
      return {
        value,
        interval: [possible(stacked.value - half), possible(stacked.value + half)],
        deviation: (t * Math.sqrt(Math.max(0, variance - noise ** 2))) / normal,
        runDeviation: half / normal,
        freedom,
        beyond: far,
        calibrated: !extent.isBelow(x) && far.every((one, i) => one === 0 || worth[i]! >= CALIBRATED_FROM),
        nearest: said.get(NEAREST)!,
        weights: stacked.weights,
        said,
        drift,
        factor,
        noise,
      };
    },
  };
}

/** How well other slices told the levels that they could tell, beside the stack of everything. */
function slicesError(folds: readonly Fold[], misses: readonly { square: number }[]): number | null {
  let [own, whole] = [0, 0];
  folds.forEach(({ predicted }, i) => {
    const told = predicted.filter(({ said }) => said.has(SLICES));
    if (told.length === 0) return;
    const distance = told.reduce((sum, { beyond }) => sum + beyond.reduce((a, b) => a + b, 0), 0);
    own += told.reduce((sum, { said, point }) => sum + (said.get(SLICES)! - point.value) ** 2, 0);
    whole += misses[i]!.square * distance;
  });
  return whole > 0 ? own / whole : null;
}
