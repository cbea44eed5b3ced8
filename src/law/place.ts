/** From layers and dim to all the variables a law looks at: laws of compute or parameters need those of every shape. */
import type { Shape } from './calibrate.js';
import type { CostModel } from './cost.js';
import type { LawFit } from './fitting/fit.js';
import { innerOf } from './fitting/inner.js';
import type { Place } from './fitting/optimum.js';
import { gcd } from './predict/candidates.js';
import type { At } from './trust/uncertainty.js';

/**
 * Laws of compute or parameters need those of every shape; they are counted for whole numbers only.
 * @param rivals other laws that will be asked at the same places.
 */
export function placing(fit: LawFit, cost: CostModel, rivals: readonly LawFit[] = []): (shape: Shape) => At {
  const needs = new Set(
    [fit, ...rivals].flatMap((one) => {
      const { places, options } = innerOf(one).model;
      return [...places.flatMap(({ term }) => term.variables), ...options.variables];
    }),
  );
  const counted = ['params', 'nonEmbeddingParams', 'flops'].some((name) => needs.has(name as never));
  if (!counted) return ({ layers, dim }) => ({ layers, dim });
  const measured = new Map(innerOf(fit).points.map(({ x }) => [`${x.layers}/${x.dim}`, x]));
  const common = innerOf(fit)
    .points.map(({ x }) => x.dim!)
    .reduce(gcd);
  // some models can have any dim, others only multiples of their heads' width
  const step = cost.params({ layers: 1, dim: common + 1 }) ? 1 : common;
  return ({ layers, dim }) => {
    const known = measured.get(`${layers}/${dim}`);
    if (known) return { ...known };
    const count = (of: (shape: Shape) => number | undefined) => between(of, { layers, dim }, step);
    return {
      layers,
      dim,
      params: count((shape) => cost.params(shape)?.total),
      nonEmbeddingParams: count((shape) => cost.params(shape)?.nonEmbedding),
      flops: cost.flops && count(cost.flops),
    };
  };
}

/** A count at any layers and dim, bilinear between the shapes around it that a model can have; surfaces are drawn of it. */
function between(
  of: (shape: Shape) => number | undefined,
  { layers, dim }: Shape,
  step: number,
): number | undefined {
  const l = Math.max(1, Math.floor(layers));
  const d =
    Number.isInteger(dim) && Number.isInteger(layers) ? dim : step * Math.max(1, Math.floor(dim / step));
  const here = of({ layers: l, dim: d });
  if (here === undefined || (l === layers && d === dim)) return here;
  const deeper = of({ layers: l + 1, dim: d }) ?? here;
  const wider = of({ layers: l, dim: d + step }) ?? here;
  const both = of({ layers: l + 1, dim: d + step }) ?? here;
  const [u, v] = [layers - l, (dim - d) / step];
  return here + u * (deeper - here) + v * (wider - here) + u * v * (both - deeper - wider + here);
}

/** Which way a law of compute or parameters goes along an axis that it knows only through them. */
export function slope(fit: LawFit, place: (shape: Shape) => At, axis: keyof Shape): Place {
  const measured = innerOf(fit).points.map(({ x }) => ({ layers: x.layers!, dim: x.dim! }));
  const middle = measured[measured.length >> 1]!;
  const values = measured.map((shape) => shape[axis]);
  const at = (value: number) => fit.predict(place({ ...middle, [axis]: value }));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) return 'not fitted';
  return at(high) >= at(low) ? 'rises' : 'falls';
}
