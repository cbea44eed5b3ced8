/**
 * What other slices tell: how much the metric changed on them from a configuration that both were measured at to the one asked
 * for, in the measure in which the two went together so far. The median over the slices that can tell.
 */
import type { Point, Variable } from '../points/points.js';
import { distance, type Place } from './axes.js';

/** Fewest configurations that two slices have in common. */
const FEWEST = 3;

type Told = (x: Place) => number | undefined;

/** @param others points of other slices with the same setting. */
export function fitSlices(
  points: readonly Point[],
  others: readonly Point[],
  axes: readonly Variable[],
): Told | undefined {
  const key = (x: Place) => axes.map((axis) => x[axis]).join('/');
  const slices = [...new Set(others.map(({ slice }) => slice))].flatMap((name) => {
    const known = new Map(
      others.filter(({ slice }) => slice === name).map(({ x, value }) => [key(x), value]),
    );
    const common = points.filter(({ x }) => known.has(key(x)));
    return common.length < FEWEST
      ? []
      : [{ known, common, slope: slopeOf(common, (x) => known.get(key(x))!) }];
  });
  if (slices.length === 0) return undefined;
  return (x) => {
    const told = slices.flatMap(({ known, common, slope }) => {
      const there = known.get(key(x));
      if (there === undefined) return [];
      const near = common.reduce((a, b) => (distance(b.x, x, axes) < distance(a.x, x, axes) ? b : a));
      return [near.value + slope * (there - known.get(key(near.x))!)];
    });
    if (told.length === 0) return undefined;
    told.sort((a, b) => a - b);
    const middle = told.length >> 1;
    return told.length % 2 === 1 ? told[middle]! : (told[middle - 1]! + told[middle]!) / 2;
  };
}

/** How much this slice changed for a change of 1 on the other: least squares, drawn to 1 by the weight of one configuration. */
function slopeOf(common: readonly Point[], other: (x: Place) => number): number {
  const mean = (of: (point: Point) => number) =>
    common.reduce((sum, one) => sum + of(one), 0) / common.length;
  const [here, there] = [mean(({ value }) => value), mean(({ x }) => other(x))];
  let [both, square] = [0, 0];
  for (const { x, value } of common) {
    both += (value - here) * (other(x) - there);
    square += (other(x) - there) ** 2;
  }
  const pull = square / common.length;
  return square > 0 ? (both + pull) / (square + pull) : 1;
}
