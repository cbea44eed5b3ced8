/** The best expected of each size, by the law and beyond the measured range by the forecast, and what to train. */

import type { Shape } from '../../law/calibrate.js';
import type { CostModel } from '../../law/cost.js';
import type { LawFit } from '../../law/fitting/fit.js';
import { bestBy, isBetter } from '../../law/points/direction.js';
import type { Observation } from '../../law/points/observation.js';
import { type Candidate as Affordable, enumerateCandidates } from '../../law/predict/candidates.js';
import { nextTrial } from '../../law/predict/next-trial.js';
import { frontier, smallestAsGood, weigh } from '../../law/predict/weigh.js';
import type { Outlook } from '../../law/trust/outlook.js';
import type { At } from '../../law/trust/uncertainty.js';
import { bestOfEachSize } from './sizes.js';
import type { BudgetCurve, Candidate, Interval, LawPanel } from './view.js';

/** A law fitted to one slice, with what is needed to ask it about any shape. */
export interface FittedPanel {
  panel: LawPanel;
  fit: LawFit;
  cost: CostModel;
  outlook: Outlook;
  place(shape: Shape): At;
  isInside(shape: Shape): boolean;
  /** The law, or beyond the measured range the forecast. */
  predict(shape: Shape): Interval;
}

/** How many times beyond the largest measured layers, dim and size the curve goes on. */
const CURVE_REACH = 2;

/** On the slice with the most data: what would be trained in earnest. */
export function budgetCurve(
  { panel, fit, cost, outlook, place, isInside, predict }: FittedPanel,
  own: Observation[],
): BudgetCurve | undefined {
  const { direction } = fit;
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
  const all = enumerateCandidates(own, cost);
  const near = all.filter(({ layers, dim }) => layers <= topLayers && dim <= topDim && dim >= leastDim);
  const inside = near.filter(isInside);
  if (inside.length === 0) return undefined;
  const price = (one: Affordable) => one.flops ?? one.params;
  // Nobody has named a budget, so the answer stays inside the measured range; what lies beyond is named beside it.
  const { chosen, highest, options, sure, tolerance } = weigh([{ outlook, candidates: inside, place }], {
    direction,
    cost: price,
  });
  // Inside the measured range as far as its sizes go; beyond it only where it has none of that size.
  const largest = Math.max(...inside.map((one) => one.params));
  const curve = finer(near, cost);
  const value = (shape: Shape) => outlook.glance(place(shape)).value;
  const candidatesInside = bestOfEachSize([...curve.filter(isInside), ...inside], value, direction);
  const candidatesBeyond = bestOfEachSize(
    curve.filter((one) => one.params > largest && one.params <= CURVE_REACH * largest && !isInside(one)),
    value,
    direction,
  );
  const open = near.filter((one) => outlook.forecaster.isOpen(place(one)));
  const line = frontier(
    open.map((candidate) => {
      const at = place(candidate);
      return { candidate, of: 0, ...outlook.glance(at), expected: () => outlook.expect(at) };
    }),
    direction,
    price,
  ).flatMap(({ candidate }) =>
    candidate.flops === undefined ? [] : [{ ...dress(candidate), flops: candidate.flops }],
  );
  const best = open.length > 0 ? bestBy(direction, open, value) : highest.candidate;
  const beyond = !isInside(best) && isBetter(direction, value(best), highest.value) ? best : undefined;
  const rival = beyond ?? (highest === chosen ? undefined : highest.candidate);
  const next = nextTrial(outlook, all, place, {
    target: chosen.candidate,
    ...(rival ? { rival } : {}),
    slice: panel.slice,
    largest: { layers: topLayers / CURVE_REACH, dim: topDim / CURVE_REACH },
    noise: fit.sigma,
    cost: price,
    isMeasured: ({ layers, dim }) => own.some((one) => one.layers === layers && one.dim === dim),
  });
  return {
    slice: panel.slice,
    candidates: [...candidatesInside, ...candidatesBeyond].map(dress),
    optimum: dress(chosen.candidate),
    ...(line.length > 1 ? { frontier: line } : {}),
    smallest: dress(smallestAsGood(chosen, options, direction).candidate),
    odds: { ...chosen.odds!, tolerance, sure },
    calibrated: chosen.expected().forecast?.calibrated ?? true,
    ...(next ? { next } : {}),
    ...(beyond ? { beyond: dress(beyond) } : {}),
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
