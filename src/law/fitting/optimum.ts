/**
 * Where a law is best: largest, or for a loss smallest. For the performance law in closed form: H* = p^(1/|a|),
 * d* = p^(1/|a'|) for a < 0 and w > 0 (w < 0 for a loss); for a quadratic its vertex. Where that lies so far out that nobody could
 * build it, or is a minimum, the law rises or falls, and says so.
 */
import type { Point, Variable } from '../points/points.js';
import { evaluate, type LawModel, termParameters } from './design.js';
import type { LawFit } from './fit.js';
import { innerOf } from './inner.js';

export type Place = 'inside' | 'outside' | 'rises' | 'falls' | 'not fitted';

export interface OptimumAxis {
  /** Null where the law has no best value on this axis. */
  value: number | null;
  /**
   * `inside` or `outside` the measured range, but within eight times of it; `rises`, `falls`: the law does, from the smallest to
   * the largest that was measured, and has no optimum within reach; `not fitted`: the variable was dropped.
   */
  place: Place;
  /** How far outside: value over the nearest measured end, 1 inside. */
  beyond: number | null;
}

/** Where a law is best; null where it has no best value. */
export interface Optimum {
  layers: number | null;
  dim: number | null;
  /** The metric there; null where an axis has no optimum. */
  predicted: number | null;
  axes: Partial<Record<Variable, OptimumAxis>>;
}

/** No optimum is named that lies more than so many times beyond what was measured. */
export const REACH = 8;

/** Measured range of every variable, and how far out an optimum is still named. */
export type Ranges = Partial<Record<Variable, { measured: [number, number]; reach: [number, number] }>>;

export function rangesOf(model: LawModel, points: readonly Point[]): Ranges {
  const variables = new Set(model.places.flatMap(({ term }) => term.variables));
  return Object.fromEntries(
    [...variables].map((variable) => {
      const values = points.map((point) => point.x[variable]!);
      const [min, max] = [Math.min(...values), Math.max(...values)];
      // no model has less than one layer or one channel
      return [variable, { measured: [min, max], reach: [Math.max(1, min / REACH), max * REACH] }];
    }),
  );
}

/** Optimum by variable: a number within reach, or the way (`up`, `down` the axis) in which the law is better at the end of what was measured. */
export function peaks(
  model: LawModel,
  theta: ArrayLike<number>,
  beta: ArrayLike<number>,
  ranges: Ranges,
): Partial<Record<Variable, number | 'up' | 'down'>> {
  const out: Partial<Record<Variable, number | 'up' | 'down'>> = {};
  // the smallest value of a law is the largest of its negative, which has the same exponents and negative weights
  const sign = model.options.direction === 'minimize' ? -1 : 1;
  for (const place of model.places) {
    const { term } = place;
    const own = termParameters(place, theta, beta);
    const weights = own.beta.map((weight) => sign * weight);
    const value = (x: number[]) => {
      const columns: number[] = [];
      term.columns(x, own.theta, columns, 0);
      return weights.reduce((sum, weight, i) => sum + weight * columns[i]!, 0);
    };
    const spans = term.variables.map((variable) => ranges[variable]!);
    const found = term.peak(own.theta, weights);
    const isWithin = found.every(
      (peak, i) => typeof peak === 'number' && peak >= spans[i]!.reach[0] && peak <= spans[i]!.reach[1],
    );
    const best = isWithin
      ? found
      : bestMeasured(
          value,
          spans.map(({ measured }) => measured),
        );
    term.variables.forEach((variable, i) => {
      out[variable] = best[i]!;
    });
  }
  return out;
}

const STEPS = 32;

/**
 * Where a term of one or two variables is largest over the measured box, given that its stationary point is out of reach or no
 * maximum: so it is on the rim. Along an edge it may have a place of its own: a parabola through the best of a grid in the
 * logarithm, which is exact for a quadratic.
 */
function bestMeasured(
  value: (x: number[]) => number,
  box: readonly (readonly [number, number])[],
): (number | 'up' | 'down')[] {
  if (box.length === 1) return [value([box[0]![1]]) >= value([box[0]![0]]) ? 'up' : 'down'];
  const logs = box.map(([low, high]) => [Math.log(low), Math.log(high)] as const);
  let best: { value: number; at: (number | 'up' | 'down')[] } | undefined;
  for (const along of [0, 1])
    for (const end of [0, 1] as const) {
      const [from, to] = logs[along]!;
      const step = (to - from) / STEPS;
      const at = (i: number) => {
        const x = [0, 0];
        x[along] = Math.exp(from + i * step);
        x[1 - along] = box[1 - along]![end];
        return value(x);
      };
      let top = 0;
      for (let i = 1; i <= STEPS; i++) if (at(i) > at(top)) top = i;
      if (best && best.value >= at(top)) continue;
      const places: (number | 'up' | 'down')[] = [];
      places[1 - along] = end === 1 ? 'up' : 'down';
      if (top === 0 || top === STEPS) places[along] = top === 0 ? 'down' : 'up';
      else {
        const [a, b, c] = [at(top - 1), at(top), at(top + 1)];
        const shift = a + c < 2 * b ? (a - c) / (2 * (a - 2 * b + c)) : 0;
        places[along] = Math.exp(from + (top + shift) * step);
      }
      best = { value: at(top), at: places };
    }
  return best!.at;
}

/**
 * Where a fitted law is best (largest, for a loss smallest), axis by axis. Performance Law: H* = p^(1/|a|) and d* = p^(1/|a'|),
 * for a < 0 and w > 0 (for a loss w < 0); quadratic: exp(-b1 / (2 b2)) for b2 < 0 (b2 > 0). The other forms only rise or fall.
 * What lies more than eight times beyond the measured range, or below one layer or channel, is no optimum: the law rises or falls.
 */
export function optimum(fit: LawFit): Optimum {
  const { model, solution, points } = innerOf(fit);
  const ranges = rangesOf(model, points);
  const found = peaks(model, solution.theta, solution.beta, ranges);
  const axes: Partial<Record<Variable, OptimumAxis>> = {};
  for (const variable of new Set<Variable>([
    ...model.options.variables,
    ...(Object.keys(found) as Variable[]),
  ])) {
    if (variable === 'data') continue;
    const peak = found[variable];
    if (peak === undefined) {
      if (
        !model.form
          .needs({ first: model.options.variables[0], second: model.options.variables[1] })
          .includes(variable)
      )
        continue;
      axes[variable] = { value: null, place: 'not fitted', beyond: null };
      continue;
    }
    if (typeof peak === 'string') {
      const falls = (peak === 'down') !== (fit.direction === 'minimize');
      axes[variable] = { value: null, place: falls ? 'falls' : 'rises', beyond: null };
      continue;
    }
    const beyond = outside(peak, ...ranges[variable]!.measured);
    axes[variable] = { value: peak, place: beyond === 1 ? 'inside' : 'outside', beyond };
  }
  const layers = axes.layers?.value ?? null;
  const dim = axes.dim?.value ?? null;
  const complete = Object.keys(found).every(
    (variable) => variable === 'data' || axes[variable as Variable]?.value != null,
  );
  const x = Object.fromEntries(Object.entries(axes).map(([name, axis]) => [name, axis.value ?? undefined]));
  return {
    layers,
    dim,
    predicted:
      complete && model.groups.length === 1 && !model.options.data
        ? evaluate(model, solution.theta, solution.beta, x, 0)
        : null,
    axes,
  };
}

/** How many times a value lies beyond the range; 1 inside. */
export function outside(value: number, min: number, max: number): number {
  if (value > max) return value / max;
  return value < min ? min / value : 1;
}
