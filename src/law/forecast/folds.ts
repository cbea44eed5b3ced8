/** Rolling evaluation: each level of an axis, from the third on, predicted from the lower ones by everything in the pool. */
import type { Point, Variable } from '../points/points.js';
import { extentOf, stepsOf } from './axes.js';
import { makePool, type PoolOptions, type Sayings } from './pool.js';

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
  predicted: PredictedPoint[];
}

/** Fewest configurations to predict from. */
const FEWEST = 3;

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
      return [{ axis, level, trained: lower.length, predicted }];
    });
}
