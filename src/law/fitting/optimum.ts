/**
 * Where a law is best: largest, or for a loss smallest. For the performance law in closed form: H* = p^(1/|a|),
 * d* = p^(1/|a'|) for a < 0 and w > 0 (w < 0 for a loss); for a quadratic its vertex. A law that only rises, or only falls, has
 * no optimum, and says so.
 */
import type { Variable } from '../points/points.js';
import { evaluate, type LawModel, termParameters } from './design.js';
import type { LawFit } from './fit.js';
import { innerOf } from './inner.js';

export type Place = 'inside' | 'outside' | 'rises' | 'falls' | 'not fitted';

export interface OptimumAxis {
  /** Null where the law has no best value on this axis. */
  value: number | null;
  /** `inside` or `outside` the measured range; `rises`, `falls`: the law does, along this axis, without end; `not fitted`: the variable was dropped. */
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

/** Stationary optimum by variable: a number, or the way (`up`, `down` the axis) in which the law grows better without end. */
export function peaks(
  model: LawModel,
  theta: ArrayLike<number>,
  beta: ArrayLike<number>,
): Partial<Record<Variable, number | 'up' | 'down'>> {
  const out: Partial<Record<Variable, number | 'up' | 'down'>> = {};
  // the smallest value of a law is the largest of its negative, which has the same exponents and negative weights
  const sign = model.options.direction === 'minimize' ? -1 : 1;
  for (const place of model.places) {
    const own = termParameters(place, theta, beta);
    const values = place.term.peak(
      own.theta,
      own.beta.map((weight) => sign * weight),
    );
    place.term.variables.forEach((variable, i) => {
      out[variable] = values[i]!;
    });
  }
  return out;
}

/**
 * Where a fitted law is best (largest, for a loss smallest), axis by axis. Performance Law: H* = p^(1/|a|) and d* = p^(1/|a'|),
 * for a < 0 and w > 0 (for a loss w < 0); quadratic: exp(-b1 / (2 b2)) for b2 < 0 (b2 > 0). The other forms only rise or fall.
 */
export function optimum(fit: LawFit): Optimum {
  const { model, solution, points } = innerOf(fit);
  const found = peaks(model, solution.theta, solution.beta);
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
    if (typeof peak === 'string' || !Number.isFinite(peak)) {
      const falls = (peak === 'down') !== (fit.direction === 'minimize');
      axes[variable] = { value: null, place: falls ? 'falls' : 'rises', beyond: null };
      continue;
    }
    const measured = points.map((point) => point.x[variable]!);
    const beyond = outside(peak, Math.min(...measured), Math.max(...measured));
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
