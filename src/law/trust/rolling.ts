/**
 * The honest trial, level by level: each level of an axis from the third on is predicted from the runs below it, by the forecast,
 * by every form, by the form that the comparison of forms would have trusted, and by the nearest run.
 */
import { UserError } from '../../util/errors.js';
import { fitPoints } from '../fitting/fit.js';
import { carriedOver, stepsOf } from '../forecast/axes.js';
import {
  type Expectation,
  type Forecaster,
  type ForecastOptions,
  makeForecaster,
} from '../forecast/forecast.js';
import type { FormName } from '../forms/form.js';
import type { Point, Variable } from '../points/points.js';
import { compareForms } from './compare.js';

/** One configuration of a level, and what was said of it from below. */
export interface RolledPoint {
  point: Point;
  forecast: Expectation;
  nearest: number;
  /** Absent where a form could not be fitted. */
  forms: Partial<Record<FormName, number>>;
}

/** One level predicted. */
export interface RolledLevel {
  axis: Variable;
  /** Values of the axis that were predicted together. */
  values: number[];
  trained: number;
  /** The form that the comparison would have trusted; absent where none could be fitted. */
  chosen?: FormName;
  /** Made of what lies below. */
  forecaster: Forecaster;
  points: RolledPoint[];
}

export interface RollOptions extends Omit<ForecastOptions, 'folds'> {
  level?: number;
  /** Whether the forms are compared at every level, to know which would have been trusted; takes most of the time. */
  compare?: boolean;
  /** Whether other slices were measured at the level too; else they tell of the lower ones alone. */
  known?: boolean;
}

/** Fewest configurations below a level. */
const FEWEST = 3;

/** Predicts every level of an axis that has two below it. */
export function roll(points: readonly Point[], axis: Variable, options: RollOptions): RolledLevel[] {
  const { level = 0.9, compare = true, known = false, ...forecastOptions } = options;
  const { forms, axes, metric, ...fitOptions } = forecastOptions;
  return stepsOf(points, axis)
    .slice(2)
    .flatMap((values): RolledLevel[] => {
      const lower = points.filter(({ x }) => x[axis]! < values[0]!);
      if (lower.length < FEWEST) return [];
      const others = known ? options.others : options.others?.filter(({ x }) => x[axis]! < values[0]!);
      const forecaster = makeForecaster(lower, { ...forecastOptions, ...(others ? { others } : {}) });
      const fitted = Object.fromEntries(
        forms.flatMap((form) => {
          const fit = orNothing(() =>
            fitPoints(lower, metric, { ...fitOptions, form, variables: [axes[0], axes[1]], quick: true }),
          );
          return fit ? [[form, fit]] : [];
        }),
      );
      const chosen = compare
        ? orNothing(
            () => compareForms(lower, metric, { ...fitOptions, forms, variables: [axes[0], axes[1]] }).chosen,
          )
        : undefined;
      const own = points.filter(({ x }) => values.includes(x[axis]!));
      return [
        {
          axis,
          values,
          trained: lower.length,
          ...(chosen ? { chosen } : {}),
          forecaster,
          points: own.map((point) => ({
            point,
            forecast: forecaster.at(point.x, level),
            nearest: carriedOver(lower, point.x, axes),
            forms: Object.fromEntries(
              Object.entries(fitted).map(([form, fit]) => [
                form,
                fit.predict({ ...point.x, slice: point.slice }),
              ]),
            ),
          })),
        },
      ];
    });
}

function orNothing<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
