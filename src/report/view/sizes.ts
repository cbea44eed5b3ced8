/** Thins configurations to the best of each size: what a curve along the parameter budget is made of. */
import { type Direction, isBetter } from '../../law/points/direction.js';

/**
 * Of each size (parameters within a ratio of `width` of one another) the shape with the best value; ascending in parameters,
 * the overall best always among them.
 */
export function bestOfEachSize<T extends { params: number }>(
  shapes: T[],
  value: (shape: T) => number,
  direction: Direction = 'maximize',
  width = 1.16,
): T[] {
  const sizes = new Map<number, T>();
  for (const shape of shapes) {
    const size = Math.floor(Math.log(shape.params) / Math.log(width));
    const kept = sizes.get(size);
    if (!kept || isBetter(direction, value(shape), value(kept))) sizes.set(size, shape);
  }
  return [...sizes.values()].sort((a, b) => a.params - b.params);
}
