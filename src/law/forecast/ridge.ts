/**
 * One size: layers and dim count together as u = ln d + alpha ln H, and the metric is a parabola in u (a single-index model,
 * Ichimura 1993). Where few values of one axis were measured, its curve follows from that of the other and from how the two go
 * together, as it must where size as a whole is what counts.
 */
import { Matrix, solve } from 'ml-matrix';
import type { Point, Variable } from '../points/points.js';
import type { Place } from './axes.js';

/** Directions that are tried, over half a turn. */
const DIRECTIONS = 90;
/** Fewest configurations for four numbers. */
const FEWEST = 6;

/** @returns undefined where there are too few configurations, or one axis has a single value. */
export function fitRidge(
  points: readonly Point[],
  axes: readonly [Variable, Variable],
): ((x: Place) => number) | undefined {
  if (points.length < FEWEST) return undefined;
  const scales = axes.map((axis) => {
    const logs = points.map(({ x }) => Math.log(x[axis]!));
    const [low, high] = [Math.min(...logs), Math.max(...logs)];
    return { axis, middle: (low + high) / 2, range: high - low };
  });
  if (scales.some(({ range }) => range === 0)) return undefined;
  const spot = (x: Place) => scales.map(({ axis, middle, range }) => (Math.log(x[axis]!) - middle) / range);
  const spots = points.map(({ x }) => spot(x));
  let best: { sse: number; along: number[]; beta: number[] } | undefined;
  for (let i = 0; i < DIRECTIONS; i++) {
    const turn = (Math.PI * i) / DIRECTIONS;
    const along = [Math.cos(turn), Math.sin(turn)];
    const u = spots.map((one) => dot(one, along));
    const beta = parabola(u, points);
    if (!beta) continue;
    const sse = points.reduce(
      (sum, { value, runs }, n) => sum + runs.length * (value - at(beta, u[n]!)) ** 2,
      0,
    );
    if (!best || sse < best.sse) best = { sse, along, beta };
  }
  if (!best) return undefined;
  const { along, beta } = best;
  return (x) => at(beta, dot(spot(x), along));
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const at = ([c, b, a]: readonly number[], u: number) => c! + u * (b! + u * a!);

/** c + b u + a u^2 by least squares, weighted by the runs. */
function parabola(u: readonly number[], points: readonly Point[]): number[] | undefined {
  const moments = [0, 0, 0, 0, 0];
  const target = [0, 0, 0];
  u.forEach((value, n) => {
    const { runs, value: y } = points[n]!;
    let power = runs.length;
    for (let i = 0; i < 5; i++) {
      moments[i]! += power;
      if (i < 3) target[i]! += power * y;
      power *= value;
    }
  });
  const normal = new Matrix(
    [0, 1, 2].map((i) => [0, 1, 2].map((j) => moments[i + j]! + (i === j ? 1e-9 : 0))),
  );
  const beta = solve(normal, Matrix.columnVector(target)).to1DArray();
  return beta.every(Number.isFinite) ? beta : undefined;
}
