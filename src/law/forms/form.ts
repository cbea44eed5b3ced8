/**
 * What a law form declares. A new form is one small file: in forms/ with its line in forms.ts, or anywhere, named to
 * `--form` or given to `registerForm`.
 */
import type { Direction } from '../points/direction.js';
import type { Variable } from '../points/points.js';
import type { Term } from './terms.js';

/** The forms that come with perflaw; a form of one's own has any other name. */
export type FormName =
  | 'performance-law'
  | 'quadratic-log'
  | 'quadratic-log-cross'
  | 'saturating-power'
  | 'log-linear'
  | 'logistic'
  | (string & Record<never, never>);

/** What a form may look at before it says which terms the data can carry. */
export interface FormContext {
  /** The two size variables: layers and dim unless told otherwise. */
  first: Variable;
  second: Variable;
  /** Whether the data term is fitted (joint over slices); otherwise each slice has its own constant. */
  data: boolean;
  /** How many distinct values of a variable there are among the points. */
  levels(variable: Variable): number;
  /** Those values, smallest first. */
  values(variable: Variable): number[];
  /** p of the performance law. */
  p: number;
  /** Which way the metric is better: a weight that is positive for one that rises may be written with the other sign. */
  direction: Direction;
}

/** The terms of a form on given points; constants are added by the fitter, one a slice. */
export interface FormTerms {
  terms: Term[];
  /** What was left out or simplified, and why. */
  notes: string[];
}

/** A form: its equation in words, and its terms on given points. */
export interface LawForm {
  name: FormName;
  title: string;
  /** On one slice, in plain text: H layers, d embedding size, C compute. */
  equation: string;
  /** The same for a metric of which less is better, where terms are written with another sign then. */
  fallingEquation?: string;
  source: string;
  /** Name of the constant in the equation. */
  constant: string;
  /** Variables that every point must have, beyond the data term's. */
  needs(context: Pick<FormContext, 'first' | 'second'>): Variable[];
  terms(context: FormContext): FormTerms;
}

/** What people call a variable. */
export const VARIABLE_WORDS: Record<Variable, string> = {
  layers: 'layers',
  dim: 'dim',
  params: 'parameters',
  nonEmbeddingParams: 'non-embedding parameters',
  flops: 'training FLOPs',
  tokens: 'tokens',
  data: 'data',
};

/**
 * The farthest exponent worth searching: beyond it x^a only tells the first or the last of the sorted values from the rest, to
 * one part in 10^8, and the fit no longer changes. Numbers stay below 10^100.
 */
export function exponentLimit(values: readonly number[]): number {
  return Math.min(230 / Math.max(1, Math.log(values.at(-1)!)), flat(values));
}

/** The same of a column that counts x in units of its smallest value: only their ratio can grow beyond numbers, and the weight. */
export function powerLimit(values: readonly number[]): number {
  const [first, last] = [Math.log(values[0]!), Math.log(values.at(-1)!)];
  return Math.min(230 / Math.max(1, last - first), 600 / Math.max(1, Math.abs(first)), flat(values));
}

/** Where all but one of the values of x^a are equal to one part in 10^8. */
function flat(values: readonly number[]): number {
  const logs = values.map(Math.log);
  const last = logs.length - 1;
  return Math.max(2, 20 / Math.min(logs[1]! - logs[0]!, logs[last]! - logs[last - 1]!));
}

/**
 * Chooses, for one variable, the richest of `choices` (term, distinct values it needs) that the data can carry.
 * One value of the variable drops the term.
 */
export function richest(
  context: FormContext,
  variable: Variable,
  choices: { term: Term; needs: number; says?: string }[],
  out: FormTerms,
): void {
  const levels = context.levels(variable);
  const word = VARIABLE_WORDS[variable];
  if (levels < 2) {
    out.notes.push(`only one value of ${word}: its term is dropped`);
    return;
  }
  for (const { term, needs, says } of choices)
    if (levels >= needs) {
      if (says) out.notes.push(`only ${levels} values of ${word}: ${says}`);
      out.terms.push(term);
      return;
    }
}
