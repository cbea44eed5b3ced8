/**
 * What may be said of a place that was never measured, each way of saying it a candidate of the stack: the nearest run carried
 * over; a curve (a form, a process, a ridge); its rise from the nearest run on, whole and halved; the last slope, in parts.
 */
import { UserError } from '../../util/errors.js';
import { type FitOptions, fitPoints } from '../fitting/fit.js';
import type { FormName } from '../forms/form.js';
import type { Point, Variable } from '../points/points.js';
import { extentOf, levelsOf, nearestPoints, type Place, steepnessOf } from './axes.js';
import { fitProcess } from './process.js';
import { fitRidge } from './ridge.js';
import { fitSlices } from './slices.js';

/** What the candidates say of one place, by name; one that says nothing finite there is absent. */
export type Sayings = Map<string, number>;

/** What was measured, in short. */
export interface Ground {
  /** Deviation of one run. */
  noise: number;
  /** Largest less smallest value. */
  spread: number;
  /** ln of the largest over the smallest value of each axis. */
  spans: number[];
  /** By how much the metric changes for every unit of ln along each axis alone; undefined where nothing tells. */
  steepness: (number | undefined)[];
}

/** The candidates, made of some points. */
export interface Pool {
  at(x: Place): Sayings;
  ground: Ground;
}

export interface PoolOptions extends Omit<FitOptions, 'form' | 'metric' | 'variables' | 'quick'> {
  metric: string;
  /** Forms that take part. */
  forms: readonly FormName[];
  /** Two axes of size, and `data` where slices of one data set are predicted from one another. */
  axes: readonly [Variable, Variable, ...Variable[]];
  /** Points of other slices, measured farther perhaps than these. */
  others?: readonly Point[];
}

/** The nearest run carried over: the candidate that all others are measured by. */
export const NEAREST = 'nearest';
const PROCESS = 'process';
const RIDGE = 'ridge';
/** What other slices tell; they must have been measured there. */
export const SLICES = 'other slices';
const PARTS = [0.25, 0.5, 0.75, 1];
const slopeName = (part: number) => `${part} of the last slope`;
const anchored = (name: string) => `anchored ${name}`;
const halved = (name: string) => `half-anchored ${name}`;

/** What is believed before anything could be tried: half of the rise that these expect. */
export const UNTRIED: readonly string[] = [halved(PROCESS), halved(RIDGE), slopeName(0.5), SLICES];

/** Where runs are too few to tell their noise from the rest: so much of the spread of the values. */
const SHARE_OF_NOISE = 0.05;
/** From the nearest run on no candidate changes more than so many times as steeply as the measured values did along the axes. */
const STEEPEST = 2;
/** It may differ from the nearest run by so much of the measured spread in any case: that run has noise, too. */
const LEAST_CHANGE = 0.1;

type Curve = (x: Place) => number;

export function makePool(points: Point[], options: PoolOptions): Pool {
  const { axes } = options;
  const process = fitProcess(points, axes);
  const curves = curvesOf(points, options);
  if (process) curves.push([PROCESS, (x) => process.at(x)]);
  const slices = options.others && fitSlices(points, options.others, axes);
  const tops = axes.map((axis) => Math.max(...points.map(({ x }) => x[axis]!)));
  const slopes = axes.map((axis) => lastSlope(points, axis, axes));
  const { spans } = extentOf(points, axes);
  const known = curves.map(([, curve]) => new Map(points.map((point) => [point, curve(point.x)])));
  const values = points.map(({ value }) => value);
  const spread = Math.max(...values) - Math.min(...values);
  const steepness = axes.map((axis) => steepnessOf(points, axis, axes));
  const steep = steepness.map((one, i) => one ?? (spans[i]! > 0 ? spread / spans[i]! : 0));
  const noise = noiseOf(points) ?? process?.noise ?? SHARE_OF_NOISE * spread;
  return {
    ground: { noise, spread, spans, steepness },
    at(x) {
      const near = nearestPoints(points, x, axes);
      const mean = (of: (point: Point) => number) =>
        near.reduce((sum, point) => sum + of(point), 0) / near.length;
      const level = mean(({ value }) => value);
      const change = axes.reduce(
        (sum, axis, i) => sum + steep[i]! * mean((point) => Math.abs(Math.log(x[axis]! / point.x[axis]!))),
        0,
      );
      const most = STEEPEST * Math.max(LEAST_CHANGE * spread, change);
      const said: Sayings = new Map([[NEAREST, level]]);
      const say = (name: string, value: number) => {
        if (Number.isFinite(value)) said.set(name, level + Math.min(most, Math.max(-most, value - level)));
      };
      for (const [i, [name, curve]] of curves.entries()) {
        const here = curve(x);
        const rise = here - mean((point) => known[i]!.get(point)!);
        say(name, here);
        say(anchored(name), level + rise);
        say(halved(name), level + rise / 2);
      }
      const rise = axes.reduce<number | undefined>((sum, axis, i) => {
        const steps = Math.log(x[axis]! / tops[i]!);
        if (steps <= 0) return sum;
        return slopes[i] === undefined ? sum : (sum ?? 0) + slopes[i]! * steps;
      }, undefined);
      if (rise !== undefined) for (const part of PARTS) say(slopeName(part), level + part * rise);
      const told = slices?.(x);
      if (told !== undefined) say(SLICES, told);
      return said;
    },
  };
}

function curvesOf(points: Point[], { axes, forms, metric, ...options }: PoolOptions): [string, Curve][] {
  const curves: [string, Curve][] = [];
  for (const form of forms)
    try {
      const fit = fitPoints(points, metric, {
        ...(axes.includes('data') ? { data: 'tokens' as const } : {}),
        ...options,
        form,
        variables: [axes[0], axes[1]],
        quick: true,
      });
      curves.push([form, (x) => fit.predict({ ...x, slice: points[0]!.slice })]);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  const ridge = axes.length === 2 ? fitRidge(points, [axes[0], axes[1]]) : undefined;
  if (ridge) curves.push([RIDGE, ridge]);
  return curves;
}

/** Deviation of the runs about their configurations, pooled; undefined where fewer than three can tell. */
function noiseOf(points: readonly Point[]): number | undefined {
  let square = 0;
  let free = 0;
  for (const { runs, value } of points) {
    for (const run of runs) square += (run - value) ** 2;
    free += runs.length - 1;
  }
  return free >= 3 && square > 0 ? Math.sqrt(square / free) : undefined;
}

/**
 * Slope in the logarithm of an axis between its two largest levels, the mean over equal places on the other axis; undefined
 * where there are none.
 */
export function lastSlope(
  points: readonly Point[],
  axis: Variable,
  axes: readonly Variable[],
): number | undefined {
  const [lower, upper] = levelsOf(points, axis).slice(-2);
  if (lower === undefined || upper === undefined) return undefined;
  const others = axes.filter((one) => one !== axis);
  const at = (level: number) => points.filter(({ x }) => x[axis] === level);
  const rises = at(upper).flatMap((high) =>
    at(lower)
      .filter((low) => others.every((other) => low.x[other] === high.x[other]))
      .map((low) => high.value - low.value),
  );
  if (rises.length === 0) return undefined;
  return rises.reduce((a, b) => a + b, 0) / rises.length / Math.log(upper / lower);
}
