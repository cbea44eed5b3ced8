/** Rolling evaluation: each level of an axis, from the third on, predicted from the lower ones by everything in the pool. */
import type { Point, Variable } from '../points/points.js';
import { extentOf, stepsOf } from './axes.js';
import { type Ground, makePool, type PoolOptions, type Sayings } from './pool.js';

/** One configuration that was predicted. */
export interface PredictedPoint {
  point: Point;
  said: Sayings;
  /** ln of how far it lies beyond what was fitted to, by axis. */
  beyond: number[];
}

/** One level predicted from those below. */
export interface Fold {
  axis: Variable;
  /** Smallest value of the level. */
  level: number;
  /** Configurations below. */
  trained: number;
  /** What it counts beside a level of the slice itself: 1, or less where it is another slice's. */
  share: number;
  predicted: PredictedPoint[];
  /** What was known below. */
  ground: Ground;
}

/** Fewest configurations to predict from. */
const FEWEST = 3;

/**
 * What a level of another slice counts: slices of one data set bend alike, though not quite. Of 0, a quarter, a half and 1 a half
 * did best on the tables (docs/log.md).
 */
const ELSEWHERE = 0.5;

/** The folds of other slices with the same setting, each level predicted from the lower ones as it would be there. */
export function foldsElsewhere(points: readonly Point[], options: PoolOptions): Fold[] {
  const { others = [] } = options;
  const slices = [...new Set(others.map(({ slice }) => slice))];
  return slices.flatMap((name) => {
    const own = others.filter(({ slice }) => slice === name);
    const rest = [...points, ...others.filter(({ slice }) => slice !== name)];
    return options.axes.flatMap((axis) =>
      rollingFolds(own, axis, { ...options, others: rest }).map((fold) => ({ ...fold, share: ELSEWHERE })),
    );
  });
}

/** The folds of one axis, lowest level first; levels with too little below them are left out. */
export function rollingFolds(points: readonly Point[], axis: Variable, options: PoolOptions): Fold[] {
  return stepsOf(points, axis)
    .slice(2)
    .flatMap((step) => {
      const level = step[0]!;
      const lower = points.filter(({ x }) => x[axis]! < level);
      if (lower.length < FEWEST) return [];
      const pool = makePool(lower, options);
      const { beyond } = extentOf(lower, options.axes);
      const own = points.filter(({ x }) => step.includes(x[axis]!));
      const predicted = own.map((point) => ({
        point,
        said: pool.at(point.x),
        beyond: beyond(point.x),
      }));
      return [{ axis, level, trained: lower.length, share: 1, predicted, ground: pool.ground }];
    });
}
