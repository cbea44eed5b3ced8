/**
 * What in the points speaks against any smooth law of them: runs that lie far off, and models of one layer that are another
 * architecture. Both bend a law as a whole, and neither shows in R^2.
 */
import type { LawFit } from '../fitting/fit.js';
import { innerOf } from '../fitting/inner.js';
import { project, residualAt } from '../fitting/projection.js';
import type { Point } from '../points/points.js';
import { leverages } from './draws.js';
import { fCumulative } from './quantiles.js';

/** A configuration is named where so large a deviation would be met once in a thousand tables. */
const RARE = 1e-3;
/** A training collapsed where a model no larger reaches so many times its metric: no law of size falls so. */
const COLLAPSED = 3;
/** And a step where one so far to the worse side would be met once in fifty. */
const STEP = 0.02;

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const words = ({ x }: Point) => `layers ${x.layers}, dim ${x.dim}`;

/**
 * Configurations that lie off the law by more than chance: runs with a metric of 0 among others far from it, and deleted residuals
 * (of each configuration, from the law and the noise of the others; Cook & Weisberg 1982) with Bonferroni's correction.
 * @returns a sentence; undefined where there are none, or the fit is robust already.
 */
export function outlierNote(fit: LawFit): string | undefined {
  const { points, problem, solution, model, settings } = innerOf(fit);
  if (settings.huber !== undefined) return undefined;
  const zeros = points.filter(({ runs }) => runs.includes(0));
  const middle = median(points.map(({ value }) => value));
  if (zeros.length > 0 && zeros.length <= points.length / 4 && middle > 0)
    return `${zeros.map(words).join('; ')}: ${fit.metric} is 0 in a run, where half of the configurations have ${middle.toPrecision(3)} or more; leave such a run out if it failed, or give --robust`;
  const collapsed = collapsedNote(points, fit);
  if (collapsed) return collapsed;
  const freedom = problem.n - model.size - 1;
  if (settings.link === 'log' || freedom < 3) return undefined;
  const h = leverages(problem, solution.theta, solution.beta);
  const residual = residualAt(problem, solution.theta, solution.beta).map((r, i) => r * problem.root[i]!);
  const sse = residual.reduce((sum, r) => sum + r * r, 0);
  // an exact law has rounding for residuals
  if (!(sse > 1e-18 * problem.n * middle ** 2)) return undefined;
  const off = points.filter((_, i) => {
    const own = residual[i]! ** 2 / (1 - h[i]!);
    const f = (own * freedom) / Math.max(sse - own, 1e-12 * sse);
    return (1 - fCumulative(f, 1, freedom)) * problem.n < RARE;
  });
  if (off.length === 0) return undefined;
  const list = off.map(
    (point) =>
      `${words(point)} (${point.value.toPrecision(3)}, the law says ${fit.predict({ ...point.x, slice: point.slice }).toPrecision(3)})`,
  );
  return `${list.join('; ')}: far from what the others say; check ${off.length === 1 ? 'the run' : 'the runs'}, or give --robust`;
}

function collapsedNote(points: readonly Point[], { metric, direction }: LawFit): string | undefined {
  if (direction === 'minimize') return undefined;
  const found = points.flatMap((point) => {
    const smaller = points.filter(
      ({ slice, x }) => slice === point.slice && x.layers! <= point.x.layers! && x.dim! <= point.x.dim!,
    );
    const best = Math.max(...smaller.map(({ value }) => value));
    return point.value > 0 && best >= COLLAPSED * point.value ? [{ point, best }] : [];
  });
  if (found.length === 0) return undefined;
  const list = found.map(
    ({ point, best }) =>
      `${words(point)} (${point.value.toPrecision(3)}, a smaller one ${best.toPrecision(3)})`,
  );
  const most = Math.max(...found.map(({ point }) => point.value));
  const floor = Number((1.5 * most).toPrecision(1));
  return `${list.join('; ')}: no law of size falls so, the training collapsed (a lower rate or a longer warm-up may mend it); leave ${found.length === 1 ? 'it' : 'them'} out with --where "${metric}>${floor}", or give --robust`;
}

/**
 * Whether models of one layer lie off the curve of the deeper ones: the published Mamba4Rec and TiM4Rec have no residual
 * connection in a model of one layer and one in every deeper model, so one layer is another architecture. A quadratic in the
 * logarithms is fitted with and without a step of its own for one layer, from four values of layers on.
 * @returns a sentence where one layer is worse by a step that an F test finds (one-sided, p < 0.02) and that is larger than all
 * that depth changes beyond it.
 */
export function stepNote(
  points: readonly Point[],
  { metric, direction }: Pick<LawFit, 'metric' | 'direction'>,
): string | undefined {
  const values = [...new Set(points.map(({ x }) => x.layers!))].sort((a, b) => a - b);
  if (values[0] !== 1 || values.length < 4) return undefined;
  const root = points.map(({ runs }) => Math.sqrt(runs.length));
  const weighted = (of: (point: Point) => number) =>
    Float64Array.from(points, (point, i) => of(point) * root[i]!);
  const slices = [...new Set(points.map(({ slice }) => slice))];
  const smooth = [
    ...slices.map((slice) => weighted((point) => (point.slice === slice ? 1 : 0))),
    ...(['layers', 'dim'] as const).flatMap((axis) => [
      weighted(({ x }) => Math.log(x[axis]!)),
      weighted(({ x }) => Math.log(x[axis]!) ** 2),
    ]),
  ];
  const target = weighted(({ value }) => value);
  const step = weighted(({ x }) => (x.layers === 1 ? 1 : 0));
  const without = project(smooth, target);
  const both = project([...smooth, step], target);
  const size = (direction === 'maximize' ? -1 : 1) * both.beta.at(-1)!;
  const freedom = points.length - both.kept.length;
  if (size <= 0 || freedom < 3 || !both.kept.includes(smooth.length)) return undefined;
  const f = ((without.sse - both.sse) * freedom) / Math.max(both.sse, 1e-12 * without.sse);
  // half of the two-sided share: only the worse side was looked at
  if (!((1 - fCumulative(f, 1, freedom)) / 2 < STEP)) return undefined;
  const at = slices.length;
  const curve = values.slice(1).map((layers) => {
    const log = Math.log(layers);
    return both.beta[at]! * log + both.beta[at + 1]! * log * log;
  });
  if (size <= Math.max(...curve) - Math.min(...curve)) return undefined;
  return `${metric} of models of one layer lies ${size.toPrecision(2)} on the worse side of the curve of the deeper ones, more than all layers beyond change. Either depth pays in the second layer alone, or one layer is another architecture (the published Mamba4Rec and TiM4Rec have no residual connection there, and one in every deeper model); --where "layers>1" fits the deeper ones`;
}
