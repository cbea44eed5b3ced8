/** The best configuration of each size under a fitted law: what the budget figure draws and the answer recommends. */

import type { Shape } from '../../law/calibrate.js';
import { enumerateCandidates } from '../../law/candidates.js';
import type { CostModel } from '../../law/cost.js';
import type { LawFit } from '../../law/fitting/fit.js';
import type { Observation } from '../../law/points/observation.js';
import { type Asked, recommend, smallestAsGood } from '../../law/recommend.js';
import { bestOfEachSize } from './sizes.js';
import type { BudgetCurve, Candidate, Interval, LawPanel } from './view.js';

/** A law fitted to one slice, with what is needed to ask it about any shape. */
export interface FittedPanel {
  panel: LawPanel;
  fit: LawFit;
  cost: CostModel;
  asked: Asked<Shape>;
  predict(shape: Shape): Interval;
}

/** How many times beyond the largest measured layers, dim and size the curve goes on. */
const CURVE_REACH = 2;

/** On the slice with the most data: what would be trained in earnest. Recommended is the best inside the measured range. */
export function budgetCurve(
  { panel, cost, asked, predict }: FittedPanel,
  own: Observation[],
): BudgetCurve | undefined {
  const { direction, value, isInside } = asked;
  const dress = ({ layers, dim, params }: Shape & { params: number }): Candidate => ({
    layers,
    dim,
    params,
    predicted: predict({ layers, dim }),
    extrapolated: !isInside({ layers, dim }),
  });
  const top = (axis: keyof Shape) => CURVE_REACH * Math.max(...own.map((one) => one[axis]));
  const [topLayers, topDim] = [top('layers'), top('dim')];
  const leastDim = Math.min(...own.map((one) => one.dim));
  const near = enumerateCandidates(own, cost).filter(
    ({ layers, dim }) => layers <= topLayers && dim <= topDim && dim >= leastDim,
  );
  const inside = near.filter(isInside);
  if (inside.length === 0) return undefined;
  const found = recommend(near, asked);
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
    optimum: dress(found.inside!),
    smallest: dress(smallestAsGood(found.inside!, inside, asked)),
    ...(found.beyond ? { beyond: dress(found.beyond) } : {}),
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
