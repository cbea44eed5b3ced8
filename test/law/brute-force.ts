/** An independent, slow fitter of the performance law on one slice: a plain grid over exponents and normal equations. */
import type { Observation } from '../../src/law/observation.js';

const g = (x: number, a: number) => -1 / (2 * x ** a) - a * Math.log(x);

/** Least squares of y on the columns by Gaussian elimination with pivoting; the columns are centred and scaled first. */
function sumOfSquares(columns: number[][], y: number[]): number {
  const n = y.length;
  const centre = (values: number[]) => {
    const mean = values.reduce((a, b) => a + b, 0) / n;
    return values.map((value) => value - mean);
  };
  const target = centre(y);
  const unit = columns.map((column) => {
    const centred = centre(column);
    const size = Math.hypot(...centred) || 1;
    return centred.map((value) => value / size);
  });
  const inner = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const [u, v] = unit as [number[], number[]];
  const along = inner(u, v);
  const bu = inner(u, target);
  const bv = inner(v, target);
  const determinant = 1 - along * along;
  if (determinant < 1e-8) return inner(target, target) - Math.max(bu * bu, bv * bv);
  const wu = (bu - along * bv) / determinant;
  const wv = (bv - along * bu) / determinant;
  return target.reduce((sum, value, i) => sum + (value - wu * u[i]! - wv * v[i]!) ** 2, 0);
}

/** The least sum of squares over a product grid of exponents. */
export function bruteForce(
  observations: readonly Observation[],
  metric: string,
  grid: readonly number[],
): number {
  const y = observations.map((observation) => observation.metrics[metric]!);
  const columns = (name: 'layers' | 'dim') =>
    grid.map((a) => observations.map((observation) => g(observation[name], a)));
  const first = columns('layers');
  const second = columns('dim');
  let best = Number.POSITIVE_INFINITY;
  for (const u of first) for (const v of second) best = Math.min(best, sumOfSquares([u, v], y));
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
