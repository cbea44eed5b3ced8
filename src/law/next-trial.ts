/**
 * The next run to make: among what is affordable, the one whose result is expected to narrow the prediction of the best most.
 * To first order a run at x takes Cov(f(x), f(best))^2 / (Var f(x) + s^2) off the variance of f(best) (MacKay 1992); the
 * covariances are those of the bootstrap replicates.
 */
import type { Candidate } from './candidates.js';
import { innerOf } from './fitting/inner.js';
import { type At, type Bootstrap, drawnValues } from './trust/uncertainty.js';

export interface NextTrial {
  layers: number;
  dim: number;
  params: number;
  /** Standard deviation of the law at the best now, and as expected after that run. */
  before: number;
  after: number;
  /** A further seed of a configuration that was measured. */
  repeat: boolean;
}

/** Trials lie within so many times of the measured range: farther out the law that chooses them is not to be trusted. */
const NEAR = 1.5;

export function nextTrial(
  boot: Bootstrap,
  candidates: readonly Candidate[],
  best: At,
  place: (candidate: Candidate) => At,
): NextTrial | null {
  if (boot.draws.length < 20) return null;
  const { points } = innerOf(boot.fit);
  const top = (key: 'layers' | 'dim') => NEAR * Math.max(...points.map((point) => point.x[key]!));
  const low = (key: 'layers' | 'dim') => Math.min(...points.map((point) => point.x[key]!)) / NEAR;
  const near = candidates.filter(
    ({ layers, dim }) =>
      layers <= top('layers') && dim <= top('dim') && layers >= low('layers') && dim >= low('dim'),
  );
  const target = trimmed(drawnValues(boot, best));
  const variance = covariance(target, target);
  if (!(variance > 0)) return null;
  let chosen: { candidate: Candidate; gain: number } | undefined;
  for (const candidate of near) {
    const values = trimmed(drawnValues(boot, place(candidate)));
    const shared = covariance(values, target);
    const gain = (shared * shared) / (covariance(values, values) + boot.sigma ** 2);
    // of runs that tell equally much the cheaper
    if (
      !chosen ||
      gain > chosen.gain * 1.02 ||
      (gain > chosen.gain * 0.98 && candidate.params < chosen.candidate.params)
    )
      chosen = { candidate, gain };
  }
  if (!chosen) return null;
  const { layers, dim, params } = chosen.candidate;
  return {
    layers,
    dim,
    params,
    before: Math.sqrt(variance),
    after: Math.sqrt(Math.max(0, variance - chosen.gain)),
    repeat: points.some(({ x }) => x.layers === layers && x.dim === dim),
  };
}

/** Replicates that ran away are brought back to the 1st and 99th percentile: they say nothing of a variance. */
function trimmed(values: number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[Math.floor(0.01 * sorted.length)]!;
  const high = sorted[Math.ceil(0.99 * sorted.length) - 1]!;
  return values.map((value) => Math.min(high, Math.max(low, value)));
}

function covariance(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((x, y) => x + y, 0) / values.length;
  const ma = mean(a);
  const mb = mean(b);
  return a.reduce((sum, value, i) => sum + (value - ma) * (b[i]! - mb), 0) / (a.length - 1);
}
