/**
 * What to train, of configurations that a law was asked about: the rules that `perflaw predict` and the report share. The best inside
 * the measured range, since a law that still grows better would otherwise always point at the largest model anyone can name; one
 * outside only where its gain is more than one run could show; and the smallest that is as good as one run can tell.
 */
import { bestBy, type Direction, isBetter } from './points/direction.js';
import type { Interval } from './trust/uncertainty.js';

/** What a law says of configurations. */
export interface Asked<C> {
  direction: Direction;
  /** The law itself. */
  value(one: C): number;
  /** What is expected of one new run, as far as the metric can be that. */
  expected(one: C): { value: number; interval: Interval };
  /** Whether it lies within the measured ranges of layers and dim. */
  isInside(one: C): boolean;
}

export interface Recommendation<C> {
  /** What to train. */
  best: C;
  /** The best by the law alone, wherever it lies. */
  highest: C;
  /** The best inside the measured range; absent where none lies there. */
  inside?: C;
  /** The best outside, where the law expects it beyond the interval of one new run of the best inside. */
  beyond?: C;
}

/** @param list at least one configuration. */
export function recommend<C>(list: readonly C[], asked: Asked<NoInfer<C>>): Recommendation<C> {
  const { direction, value, expected, isInside } = asked;
  const highest = bestBy(direction, list, value);
  const measured = list.filter(isInside);
  if (measured.length === 0) return { best: highest, highest };
  if (isInside(highest)) return { best: highest, highest, inside: highest };
  const inside = bestBy(direction, measured, value);
  // a gain that one run could not show is not worth leaving what was measured
  const worthIt = isBetter(direction, expected(highest).value, end(expected(inside), direction, 'better'));
  return { best: worthIt ? highest : inside, highest, inside, ...(worthIt ? { beyond: highest } : {}) };
}

/** The smallest that is expected no worse than the worse end of the interval of one new run of `best`. */
export function smallestAsGood<C extends { params: number }>(
  best: C,
  among: readonly C[],
  { direction, value, expected }: Asked<NoInfer<C>>,
): C {
  const floor = end(expected(best), direction, 'worse');
  return among
    .filter((one) => !isBetter(direction, floor, value(one)))
    .reduce((a, b) => (b.params < a.params ? b : a), best);
}

/** An end of the interval: the better is the upper, for a loss the lower. */
function end(
  { value, interval: [low, high] }: { value: number; interval: Interval },
  direction: Direction,
  which: 'better' | 'worse',
): number {
  return ((direction === 'minimize') === (which === 'better') ? low : high) ?? value;
}
