/**
 * A form made concrete for a set of points: which terms it has there, how its parameters are numbered, and its columns.
 * Linear parameters: one constant a slice (or one in all where a data term is fitted), then the weights term by term.
 */
import { UserError } from '../../util/errors.js';
import type { LawForm } from '../forms/form.js';
import { VARIABLE_WORDS } from '../forms/form.js';
import type { Exponent, Named, Term } from '../forms/terms.js';
import type { Direction } from '../points/direction.js';
import type { Point, Variable } from '../points/points.js';

export interface ModelOptions {
  /** Fit the data term across slices instead of a constant a slice. */
  data?: boolean;
  variables?: [Variable, Variable];
  p?: number;
  /** `maximize` by default. */
  direction?: Direction;
}

export interface TermPlace {
  term: Term;
  /** First of its exponents in theta, and of its weights in beta. */
  theta: number;
  beta: number;
}

export interface LawModel {
  form: LawForm;
  options: Required<ModelOptions>;
  places: TermPlace[];
  exponents: Exponent[];
  /** The slices that have a constant each; one entry, '', where all share one. */
  groups: string[];
  /** Linear parameters: groups.length constants and the weights. */
  linear: number;
  /** All free numbers. */
  size: number;
  notes: string[];
}

export function modelOptions(options: ModelOptions): Required<ModelOptions> {
  return {
    data: options.data ?? false,
    variables: options.variables ?? ['layers', 'dim'],
    p: options.p ?? 2,
    direction: options.direction ?? 'maximize',
  };
}

/**
 * @throws UserError when points lack a variable, or are too few for the form (it says how many it needs).
 */
export function buildModel(form: LawForm, points: readonly Point[], given: ModelOptions = {}): LawModel {
  const options = modelOptions(given);
  const [first, second] = options.variables;
  const needs = [...form.needs({ first, second }), ...(options.data ? (['data'] as Variable[]) : [])];
  for (const variable of needs)
    for (const point of points)
      if (point.x[variable] === undefined)
        throw new UserError(`${form.name} needs ${VARIABLE_WORDS[variable]} for every configuration`, {
          place: `slice ${point.slice}, layers ${point.x.layers}, dim ${point.x.dim}`,
          remedy: `Add the column ${variable === 'data' ? 'tokens' : variable}, or choose another form.`,
        });
  const model = assembleModel(form, points, options);
  if (model.places.length === 0)
    throw new UserError(`${form.name} has no term left: every variable has one value only`, {
      remedy: `It needs at least two values of ${needs.map((name) => VARIABLE_WORDS[name]).join(' or of ')}.`,
    });
  if (points.length <= model.size)
    throw new UserError(
      `${form.name} has ${model.size} free numbers here and needs at least ${model.size + 1} configurations; there are ${points.length}`,
      { remedy: 'Measure more configurations, or choose a form with fewer numbers, such as log-linear.' },
    );
  return model;
}

/** The model without the checks. */
export function assembleModel(
  form: LawForm,
  points: readonly Point[],
  options: Required<ModelOptions>,
): LawModel {
  const [first, second] = options.variables;
  const values = (variable: Variable) =>
    [...new Set(points.map((point) => point.x[variable]!))].sort((a, b) => a - b);
  const { terms, notes } = form.terms({
    first,
    second,
    data: options.data,
    p: options.p,
    direction: options.direction,
    levels: (variable) => values(variable).length,
    values,
  });
  const groups = options.data ? [''] : [...new Set(points.map((point) => point.slice))];
  if (groups.length === 1) groups[0] = '';
  return assemble(form, options, terms, groups, notes);
}

function assemble(
  form: LawForm,
  options: Required<ModelOptions>,
  terms: Term[],
  groups: string[],
  notes: string[],
): LawModel {
  const places: TermPlace[] = [];
  const exponents: Exponent[] = [];
  let linear = groups.length;
  for (const term of terms) {
    places.push({ term, theta: exponents.length, beta: linear });
    exponents.push(...term.exponents);
    linear += term.weights.length;
  }
  return { form, options, places, exponents, groups, linear, size: linear + exponents.length, notes };
}

const at = (term: Term, x: Partial<Record<Variable, number>>) => term.variables.map((name) => x[name]!);

/** Value of the law with those parameters at `x`, on the slice `group` (index into groups). */
export function evaluate(
  model: LawModel,
  theta: ArrayLike<number>,
  beta: ArrayLike<number>,
  x: Partial<Record<Variable, number>>,
  group = 0,
): number {
  return evaluator(model, x, group)(theta, beta);
}

/** The same for many parameters at one place. */
export function evaluator(
  model: LawModel,
  x: Partial<Record<Variable, number>>,
  group = 0,
): (theta: ArrayLike<number>, beta: ArrayLike<number>) => number {
  const places = model.places.map((place) => ({ ...place, x: at(place.term, x) }));
  const out = new Float64Array(Math.max(1, ...places.map(({ term }) => term.weights.length)));
  return (theta, beta) => {
    let value = beta[group]!;
    for (const { term, theta: from, beta: weight, x: own } of places) {
      term.columns(own, slice(theta, from, term.exponents.length), out, 0);
      for (let i = 0; i < term.weights.length; i++) value += beta[weight + i]! * out[i]!;
    }
    return value;
  };
}

function slice(values: ArrayLike<number>, from: number, count: number): number[] {
  const own: number[] = [];
  for (let i = 0; i < count; i++) own.push(values[from + i]!);
  return own;
}

/** Parameters of one term. */
export function termParameters(place: TermPlace, theta: ArrayLike<number>, beta: ArrayLike<number>) {
  return {
    theta: slice(theta, place.theta, place.term.exponents.length),
    beta: slice(beta, place.beta, place.term.weights.length),
  };
}

/** The textbook coefficients: terms in order, then the constant(s), `c` or `c[slice]`. */
export function namedCoefficients(
  model: LawModel,
  theta: ArrayLike<number>,
  beta: ArrayLike<number>,
): Named[] {
  const named: Named[] = [];
  let shift = 0;
  for (const place of model.places) {
    const own = termParameters(place, theta, beta);
    const part = place.term.coefficients(own.theta, own.beta);
    named.push(...part.named);
    shift += part.constant;
  }
  model.groups.forEach((group, i) => {
    named.push([group === '' ? model.form.constant : `${model.form.constant}[${group}]`, beta[i]! + shift]);
  });
  return named;
}
