/** An independent, slow fitter of the performance law on one slice: a plain grid over exponents and normal equations. */
import type { Observation } from '../../src/law/points/observation.js';

const g = (x: number, a: number) => -1 / (2 * x ** a) - a * Math.log(x);
/** The same up to scale and a constant, and regular at a = 0, where it is a straight line in the logarithm. */
const shape = (x: number, a: number) => (Math.abs(a) < 1e-7 ? Math.log(x) : (g(x, a) + 0.5) / a);

const inner = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

function centred(values: number[]): number[] {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.map((value) => value - mean);
}

/** A column without its mean, of length 1. */
function unit(column: number[]): number[] {
  const rest = centred(column);
  const size = Math.hypot(...rest) || 1;
  return rest.map((value) => value / size);
}

/** Least squares of a centred target on a constant and two unit columns, by the 2 x 2 normal equations. */
function sumOfSquares(u: number[], v: number[], target: number[]): number {
  const along = inner(u, v);
  const bu = inner(u, target);
  const bv = inner(v, target);
  const determinant = 1 - along * along;
  if (determinant < 1e-8) return inner(target, target) - Math.max(bu * bu, bv * bv);
  const wu = (bu - along * bv) / determinant;
  const wv = (bv - along * bu) / determinant;
  let sum = 0;
  for (let i = 0; i < target.length; i++) sum += (target[i]! - wu * u[i]! - wv * v[i]!) ** 2;
  return sum;
}

/** The least sum of squares over a product grid of exponents. */
export function bruteForce(
  observations: readonly Observation[],
  metric: string,
  grid: readonly number[],
): number {
  const y = centred(observations.map((observation) => observation.metrics[metric]!));
  const columns = (name: 'layers' | 'dim') =>
    grid.map((a) => unit(observations.map((observation) => g(observation[name], a))));
  const first = columns('layers');
  const second = columns('dim');
  let best = Number.POSITIVE_INFINITY;
  for (const u of first) for (const v of second) best = Math.min(best, sumOfSquares(u, v, y));
  return best;
}

/** Exponents dense where peaks lie (p^(1/|a|) from 1.5 to 5,000), coarser elsewhere; 0 itself is left out. */
export function exponentGrid(count: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < count; i++) {
    const peak = Math.log(1.5) + ((Math.log(5000) - Math.log(1.5)) * i) / (count - 1);
    out.push(-Math.LN2 / peak);
  }
  for (let a = -5; a <= 3; a += 0.25) if (Math.abs(a) > 0.01) out.push(a);
  return out;
}

/** Exponents from -40 to 40, dense about 0, with 0 itself. */
export function wideGrid(count: number): number[] {
  const sizes = Array.from({ length: count }, (_, i) => 0.003 * (40 / 0.003) ** (i / (count - 1)));
  return [...sizes.map((size) => -size).reverse(), 0, ...sizes];
}

/** The least sum of squares over the wide grid, with the best dips of it walked down to the bottom in ever smaller steps. */
export function bruteForceOptimum(observations: readonly Observation[], metric: string, count = 90): number {
  const y = centred(observations.map((observation) => observation.metrics[metric]!));
  const grid = wideGrid(count);
  const column = (name: 'layers' | 'dim', a: number) =>
    unit(observations.map((observation) => shape(observation[name], a)));
  const first = grid.map((a) => column('layers', a));
  const second = grid.map((a) => column('dim', a));
  const sse = first.map((u) => second.map((v) => sumOfSquares(u, v, y)));
  const dips: [number, number, number][] = [];
  sse.forEach((row, i) => {
    row.forEach((here, j) => {
      const around = [sse[i - 1]?.[j], sse[i + 1]?.[j], row[j - 1], row[j + 1]];
      if (around.every((other) => !(other! < here))) dips.push([here, grid[i]!, grid[j]!]);
    });
  });
  dips.sort((a, b) => a[0] - b[0]);
  const bottom = ([start, a, b]: [number, number, number]) => {
    let best = start;
    const steps = [a, b].map((value) => Math.max(0.02 * Math.abs(value), 1e-3));
    for (let round = 0; round < 300 && Math.max(...steps) > 1e-9; round++) {
      const moves = [-1, 0, 1].flatMap((p) => [-1, 0, 1].map((q) => [p * steps[0]!, q * steps[1]!] as const));
      const better = moves
        .map(([p, q]) => [a + p, b + q] as const)
        .filter((at) => at.every((value) => Math.abs(value) <= 40))
        .map(([p, q]) => [p, q, sumOfSquares(column('layers', p), column('dim', q), y)] as const)
        .find(([, , found]) => found < best);
      if (better) [a, b, best] = better;
      steps.forEach((step, k) => {
        steps[k] = step * (better ? 1.3 : 0.5);
      });
    }
    return best;
  };
  return Math.min(...dips.slice(0, 5).map(bottom));
}
