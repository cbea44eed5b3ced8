/** The best configuration of each size under a fitted law: what the budget figure draws and the answer recommends. */
import { enumerateCandidates } from '../../law/candidates.js';
import type { CostModel } from '../../law/cost.js';
import type { LawFit } from '../../law/fitting/fit.js';
import { bestBy, isBetter } from '../../law/points/direction.js';
import type { Observation } from '../../law/points/observation.js';
import type { At } from '../../law/trust/uncertainty.js';
import type { Shape } from './placing.js';
import { bestOfEachSize } from './sizes.js';
import type { BudgetCurve, Candidate, Interval, LawPanel } from './view.js';

/** A law fitted to one slice, with what is needed to ask it about any shape. */
export interface FittedPanel {
  panel: LawPanel;
  fit: LawFit;
  cost: CostModel;
  /** The variables of a shape that this law looks at. */
  place(shape: Shape): At;
  predict(shape: Shape): Interval;
}

/** How many times beyond the largest measured layers, dim and size the curve goes on. */
const CURVE_REACH = 2;

/**
 * On the slice with the most data: what would be trained in earnest. Recommended is the best inside the measured range, since
 * a law that still grows better would otherwise always point at the largest model anyone can name.
 */
export function budgetCurve(
  { panel, fit, cost, place, predict }: FittedPanel,
  own: Observation[],
): BudgetCurve | undefined {
  const candidates = enumerateCandidates(own, cost);
  const value = (at: Shape) => fit.predict(place(at));
  const isInside = ({ layers, dim }: Shape) =>
    own.some((one) => one.layers <= layers) &&
    own.some((one) => one.layers >= layers) &&
    own.some((one) => one.dim <= dim) &&
    own.some((one) => one.dim >= dim);
  const dress = ({ layers, dim, params }: Shape & { params: number }): Candidate => ({
    layers,
    dim,
    params,
    predicted: predict({ layers, dim }),
    extrapolated: !isInside({ layers, dim }),
  });
  const { direction } = fit;
  const highest = <T extends Shape>(list: T[]) => bestBy(direction, list, value);
  const inside = candidates.filter(isInside);
  if (inside.length === 0) return undefined;
  const optimum = dress(highest(inside));
  // The same two rules as `perflaw predict`: within the interval of one new run of the best is as good, beyond it is more.
  const { low, high } = optimum.predicted;
  const [worse, better] = direction === 'minimize' ? [high, low] : [low, high];
  const close = inside.filter((one) => !isBetter(direction, worse, value(one)));
  const [topLayers, topDim] = [
    Math.max(...own.map((one) => one.layers)),
    Math.max(...own.map((one) => one.dim)),
  ];
  const leastDim = Math.min(...own.map((one) => one.dim));
  const near = candidates.filter(
    ({ layers, dim }) => layers <= CURVE_REACH * topLayers && dim <= CURVE_REACH * topDim && dim >= leastDim,
  );
  const beyond = highest(near);
  // Inside the measured range as far as its sizes go; beyond it only where it has none of that size.
  const largest = Math.max(...inside.map((one) => one.params));
  const curve = finer(near, cost);
  const candidatesInside = bestOfEachSize([...curve.filter(isInside), ...inside], value, direction);
  const candidatesBeyond = bestOfEachSize(
    curve.filter((one) => one.params > largest && one.params <= CURVE_REACH * largest && !isInside(one)),
    value,
    direction,
  );
  return {
    slice: panel.slice,
    candidates: [...candidatesInside, ...candidatesBeyond].map(dress),
    optimum,
    smallest: dress(close.reduce((a, b) => (b.params < a.params ? b : a))),
    ...(isBetter(direction, value(beyond), better) ? { beyond: dress(beyond) } : {}),
  };
}

/**
 * The same layers with a quarter of the step between dims: at the steps that people train there is not always a good
 * configuration of a size, and the curve would dip where nothing but the grid does.
 */
function finer(candidates: Shape[], cost: CostModel): (Shape & { params: number })[] {
  const dims = [...new Set(candidates.map((one) => one.dim))].sort((a, b) => a - b);
  const step = Math.max(2, Math.min(...dims.slice(1).map((dim, i) => dim - dims[i]!)) / 4);
  const shapes: (Shape & { params: number })[] = [];
  for (const layers of new Set(candidates.map((one) => one.layers)))
    for (let dim = dims[0]!; dim <= dims[dims.length - 1]!; dim += step) {
      const params = Number.isInteger(dim) ? cost.params({ layers, dim })?.total : undefined;
      if (params !== undefined) shapes.push({ layers, dim, params });
    }
  return shapes;
}
