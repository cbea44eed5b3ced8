/**
 * The configurations a budget figure is made of: all layers and dims in and around the measured range, counted exactly, and of
 * each size the one that the law ranks first.
 */
import type { ModelConfig } from '../model/config.js';
import { countParameters } from '../model/size.js';
import { UserError } from '../util/errors.js';

export interface Shape {
  layers: number;
  dim: number;
  params: number;
}

/** How far beyond the largest measured layers and dim the figure looks. */
const REACH = 1.5;

/**
 * All configurations from the smallest to `REACH` times the largest measured layers and dim. Dims go in steps of the largest
 * power of two that divides every measured one (at least 2), since a step finer than what people train tells nothing.
 */
export function enumerateShapes(
  measured: { layers: number; dim: number }[],
  model: ModelConfig,
  numItems: number,
): Shape[] {
  const layers = measured.map((one) => one.layers);
  const dims = measured.map((one) => one.dim);
  const top = Math.max(...dims) * REACH;
  let step = 64;
  while (step > 2 && dims.some((dim) => dim % step !== 0)) step /= 2;
  while (top / step > 96) step *= 2;
  const shapes: Shape[] = [];
  for (let l = Math.min(...layers); l <= Math.max(...layers) * REACH; l++)
    for (let dim = Math.min(...dims); dim <= top; dim += step) {
      const params = parametersOf({ ...model, layers: l, dim }, numItems);
      if (params !== undefined) shapes.push({ layers: l, dim, params });
    }
  return shapes;
}

function parametersOf(model: ModelConfig, numItems: number): number | undefined {
  try {
    return countParameters(model, numItems).total;
  } catch (error) {
    if (error instanceof UserError) return undefined; // a dim that this model cannot have
    throw error;
  }
}

/**
 * Of each size (parameters within a ratio of `width` of one another) the shape with the highest value; ascending in parameters,
 * the overall best always among them.
 */
export function bestOfEachSize<T extends Shape>(shapes: T[], value: (shape: T) => number, width = 1.16): T[] {
  const sizes = new Map<number, T>();
  for (const shape of shapes) {
    const size = Math.floor(Math.log(shape.params) / Math.log(width));
    const kept = sizes.get(size);
    if (!kept || value(shape) > value(kept)) sizes.set(size, shape);
  }
  return [...sizes.values()].sort((a, b) => a.params - b.params);
}
