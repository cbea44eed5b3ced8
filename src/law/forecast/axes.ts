/** Places on logarithmic axes: how far apart two are, what was measured nearest, how far a place lies beyond everything measured. */
import type { Point, Variable } from '../points/points.js';

/** A place on every axis. */
export type Place = Partial<Record<Variable, number>>;

/** Of two distances that differ by less, neither is the nearer. */
const TIE = 1e-9;

/** The measured values of an axis, smallest first. */
export function levelsOf(points: readonly { x: Place }[], axis: Variable): number[] {
  return [...new Set(points.map(({ x }) => x[axis]!))].sort((a, b) => a - b);
}

/** |ln| of the ratios, summed over the axes. */
export function distance(a: Place, b: Place, axes: readonly Variable[]): number {
  return axes.reduce((sum, axis) => sum + Math.abs(Math.log(a[axis]! / b[axis]!)), 0);
}

/** What was measured nearest; several where they are equally near. */
export function nearestPoints(points: readonly Point[], x: Place, axes: readonly Variable[]): Point[] {
  let least = Number.POSITIVE_INFINITY;
  let found: Point[] = [];
  for (const point of points) {
    const far = distance(point.x, x, axes);
    if (far < least - TIE) {
      least = far;
      found = [point];
    } else if (far <= least + TIE) found.push(point);
  }
  return found;
}

/** What was measured of every axis. */
export interface Extent {
  /** ln of how many times a place lies beyond the measured range of each axis, on either side; 0 inside. */
  beyond(x: Place): number[];
  /** Whether a place lies below the smallest measured value of an axis. */
  isBelow(x: Place): boolean;
  /** ln of the largest over the smallest value of each axis. */
  spans: number[];
}

export function extentOf(points: readonly { x: Place }[], axes: readonly Variable[]): Extent {
  const ends = axes.map((axis) => {
    const levels = levelsOf(points, axis);
    return { axis, low: levels[0]!, high: levels.at(-1)! };
  });
  return {
    beyond: (x) =>
      ends.map(({ axis, low, high }) => Math.max(0, Math.log(x[axis]! / high), Math.log(low / x[axis]!))),
    isBelow: (x) => ends.some(({ axis, low }) => x[axis]! < low),
    spans: ends.map(({ low, high }) => Math.log(high / low)),
  };
}

/** Values that lie within so many times of one another are one level: what is predicted should lie farther than what is interpolated. */
const ONE_LEVEL = 1.3;

/**
 * The levels of an axis that are predicted from the lower ones, smallest first: near values together, and one configuration
 * alone with the next smaller, for its error says little.
 */
export function stepsOf(points: readonly { x: Place }[], axis: Variable): number[][] {
  const steps: number[][] = [];
  for (const value of levelsOf(points, axis)) {
    const last = steps.at(-1);
    if (last && value / last[0]! < ONE_LEVEL) last.push(value);
    else steps.push([value]);
  }
  for (let i = steps.length - 1; i > 2; i--)
    if (points.filter(({ x }) => steps[i]!.includes(x[axis]!)).length < 2) {
      steps[i - 1]!.push(...steps[i]!);
      steps.splice(i, 1);
    }
  return steps;
}

/**
 * How much the values change along an axis, for every unit of its logarithm: largest less smallest of the configurations that
 * differ in this axis alone, over how far they reach; the mean over all such lines. Undefined where no two differ in it alone.
 */
export function steepnessOf(
  points: readonly Point[],
  axis: Variable,
  axes: readonly Variable[],
): number | undefined {
  const others = axes.filter((one) => one !== axis);
  const lines = new Map<string, Point[]>();
  for (const point of points) {
    const key = others.map((other) => point.x[other]).join('/');
    const line = lines.get(key);
    if (line) line.push(point);
    else lines.set(key, [point]);
  }
  const changes = [...lines.values()].flatMap((line) => {
    const levels = levelsOf(line, axis);
    if (levels.length < 2) return [];
    const values = line.map(({ value }) => value);
    return [(Math.max(...values) - Math.min(...values)) / Math.log(levels.at(-1)! / levels[0]!)];
  });
  return changes.length > 0 ? changes.reduce((a, b) => a + b, 0) / changes.length : undefined;
}

/** The nearest run without any law, for comparison. */
export function carriedOver(points: readonly Point[], x: Place, axes: readonly Variable[]): number {
  const near = nearestPoints(points, x, axes);
  return near.reduce((sum, { value }) => sum + value, 0) / near.length;
}
