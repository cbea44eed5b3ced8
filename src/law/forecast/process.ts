/**
 * A Gaussian process over the logarithms of the axes (Rasmussen and Williams 2006, ch. 2 and 5): a plane, one smooth curve an
 * axis, and one smooth surface (Matern 5/2), with the noise of a run. Length scales, amplitudes and noise are the most probable
 * ones under priors that keep a curve smooth over what was measured: without them a few points are explained by anything.
 */
import { backward, cholesky, forward } from '../fitting/cholesky.js';
import { descend } from '../fitting/descend.js';
import type { Point, Variable } from '../points/points.js';
import type { Place } from './axes.js';

export interface Process {
  /** What is expected at a place. */
  at(x: Place): number;
  /** Deviation of one run. */
  noise: number;
}

/** ln of: length scale over the range of the axes, amplitude of the curves, of the surface, noise; in deviations of the values. */
type Hyper = [length: number, curve: number, surface: number, noise: number];

const PRIOR: { mean: number; deviation: number }[] = [
  { mean: 0, deviation: 0.5 },
  { mean: Math.log(0.7), deviation: 0.7 },
  { mean: Math.log(0.2), deviation: 0.7 },
  { mean: Math.log(0.05), deviation: 1.5 },
];
/**
 * Over three axes searched from twice, with as much noise as expected and with much more: a surface that follows the noise of many points
 * is a local optimum. Over two, where the constants of the intervals were chosen, real tables speak as much against it as for it
 * (docs/log.md).
 */
const NOISY = Math.log(0.4);
/** Prior variance of the level, and of the rise over the whole range of an axis, in variances of the values. */
const LEVEL = 9;
const RISE = 4;
const JITTER = 1e-8;

const matern = (distance: number) => {
  const s = Math.sqrt(5) * distance;
  return (1 + s + (s * s) / 3) * Math.exp(-s);
};

/** Most points that are looked at: the largest, since what lies beyond them is asked for. */
const MOST = 80;

/** @returns undefined below five points, or where no axis or the values do not vary. */
export function fitProcess(all: readonly Point[], axes: readonly Variable[]): Process | undefined {
  const size = ({ x }: Point) => axes.reduce((sum, axis) => sum + Math.log(x[axis]!), 0);
  const points = all.length <= MOST ? all : [...all].sort((a, b) => size(b) - size(a)).slice(0, MOST);
  const n = points.length;
  const varying = axes.filter((axis) => new Set(points.map(({ x }) => x[axis])).size > 1);
  if (n < 5 || varying.length === 0) return undefined;
  const scale = varying.map((axis) => {
    const logs = points.map(({ x }) => Math.log(x[axis]!));
    const [low, high] = [Math.min(...logs), Math.max(...logs)];
    return { axis, middle: (low + high) / 2, range: high - low };
  });
  const spot = (x: Place) => scale.map(({ axis, middle, range }) => (Math.log(x[axis]!) - middle) / range);
  const spots = points.map(({ x }) => spot(x));
  const mean = points.reduce((sum, { value }) => sum + value, 0) / n;
  const spread = Math.sqrt(points.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / n);
  if (!(spread > 0)) return undefined;
  const target = points.map(({ value }) => (value - mean) / spread);

  const kernel = (a: number[], b: number[], [length, curve, surface]: Hyper) => {
    const l = Math.exp(length);
    let sum = LEVEL;
    let square = 0;
    for (let i = 0; i < a.length; i++) {
      const gap = Math.abs(a[i]! - b[i]!) / l;
      sum += RISE * a[i]! * b[i]! + Math.exp(2 * curve) * matern(gap);
      square += gap * gap;
    }
    return a.length > 1 ? sum + Math.exp(2 * surface) * matern(Math.sqrt(square)) : sum;
  };
  const solve = (hyper: Hyper) => {
    const noise = Math.exp(2 * hyper[3]);
    const k = spots.map((a, i) =>
      spots.map((b, j) =>
        j <= i ? kernel(a, b, hyper) + (i === j ? noise / points[i]!.runs.length + JITTER : 0) : 0,
      ),
    );
    const factor = cholesky(k);
    if (!factor) return undefined;
    const half = forward(factor, target);
    let minusLog = 0;
    for (let i = 0; i < n; i++) minusLog += 0.5 * half[i]! ** 2 + Math.log(factor[i]![i]!);
    hyper.forEach((value, i) => {
      minusLog += 0.5 * ((value - PRIOR[i]!.mean) / PRIOR[i]!.deviation) ** 2;
    });
    return { factor, half, minusLog };
  };
  const minusLog = (one: Hyper) => solve(one)?.minusLog ?? Number.POSITIVE_INFINITY;
  const [length, curve, surface, noise] = PRIOR.map(({ mean }) => mean) as Hyper;
  const hyper = (varying.length > 2 ? [noise, NOISY] : [noise])
    .map((start) => descend(minusLog, [length, curve, surface, start] as Hyper))
    .reduce((a, b) => (minusLog(b) < minusLog(a) ? b : a));
  const solved = solve(hyper);
  if (!solved) return undefined;
  const weights = backward(solved.factor, solved.half);
  return {
    noise: spread * Math.exp(hyper[3]),
    at(x) {
      const here = spot(x);
      const across = spots.map((one) => kernel(here, one, hyper));
      return mean + spread * across.reduce((sum, one, i) => sum + one * weights[i]!, 0);
    },
  };
}
