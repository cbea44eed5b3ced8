/** One configuration with all that is expected of it, and how far it lies outside what was measured. */
import type { Shape } from '../calibrate.js';
import { outside } from '../fitting/optimum.js';
import type { Panel, Point } from '../points/points.js';
import type { Expected } from '../trust/outlook.js';
import type { Interval } from '../trust/uncertainty.js';
import type { Candidate } from './candidates.js';

export interface Choice extends Candidate {
  predicted: number;
  /** Where one new run lies. */
  interval: Interval;
  /** Where what is expected lies, without the noise of a run. */
  law: Interval;
  /** How many times beyond the measured range, 1 inside. */
  beyond: { layers: number; dim: number };
  extrapolates: boolean;
  /** Beyond the measured range: whether enough levels were predicted to know how far such forecasts go wrong; true inside. */
  calibrated: boolean;
  /** Beyond: share of the rise that the law names which is believed; null inside, or where the law names none. */
  believed: number | null;
  /** Mean of the metric where this very configuration was measured. */
  measured: number | null;
  /** The slice it is trained on, and its share of the tokens of the largest that was measured; null where tokens are not known. */
  slice: string;
  share: number | null;
  /** Other settings of the configuration where the sweep varied them. */
  group: Record<string, string | number>;
}

/** Smallest and largest measured value of each axis. */
export interface MeasuredRange {
  layers: [number, number];
  dim: [number, number];
}

/** Whether a configuration lies within the measured ranges of layers and dim. */
export function insideRange(points: readonly Point[]) {
  const { layers: h, dim: d } = rangeOf(points);
  return ({ layers, dim }: Shape) => layers >= h[0] && layers <= h[1] && dim >= d[0] && dim <= d[1];
}

export function rangeOf(points: readonly Point[]): MeasuredRange {
  const range = (key: 'layers' | 'dim'): [number, number] => {
    const values = points.map((point) => point.x[key]!);
    return [Math.min(...values), Math.max(...values)];
  };
  return { layers: range('layers'), dim: range('dim') };
}

export const placeOf = ({ layers, dim, params, nonEmbeddingParams, flops }: Candidate, slice: string) => ({
  layers,
  dim,
  params,
  nonEmbeddingParams,
  flops,
  slice,
});

export function choice(
  candidate: Candidate,
  panel: Panel,
  points: readonly Point[],
  expected: Expected,
  share?: number,
): Choice {
  const { value, interval, law, forecast, believed } = expected;
  const range = rangeOf(points);
  const far = {
    layers: outside(candidate.layers, ...range.layers),
    dim: outside(candidate.dim, ...range.dim),
  };
  const same = points.find(({ x }) => x.layers === candidate.layers && x.dim === candidate.dim);
  return {
    ...candidate,
    predicted: value,
    interval,
    law,
    beyond: far,
    extrapolates: far.layers > 1 || far.dim > 1,
    calibrated: forecast?.calibrated ?? true,
    believed: believed ?? null,
    measured: same?.value ?? null,
    slice: panel.slice,
    share: share ?? null,
    group: panel.group,
  };
}
