/**
 * Quadratic in the logarithms of layers and size, with and without their product: linear, as many numbers as the
 * performance law on one slice (one more with the cross term), and an honest rival to it.
 */

import type { Variable } from '../points/points.js';
import type { FormContext, FormTerms, LawForm } from './form.js';
import { richest } from './form.js';
import { crossedQuadraticTerm, logTerm, quadraticTerm } from './terms.js';

function add(
  context: FormContext,
  variable: Variable,
  names: [string, string],
  needs: number,
  out: FormTerms,
): void {
  richest(
    context,
    variable,
    [
      { term: quadraticTerm(variable, names), needs },
      { term: logTerm(variable, names[0]), needs: 2, says: 'its square is dropped' },
    ],
    out,
  );
}

export const quadraticLog: LawForm = {
  name: 'quadratic-log',
  title: 'Quadratic in logs',
  equation: 'P = b1 ln H + b2 ln^2 H + b3 ln d + b4 ln^2 d + c',
  source: 'second-order response surface',
  constant: 'c',
  needs: ({ first, second }) => [first, second],
  terms(context) {
    const out: FormTerms = { terms: [], notes: [] };
    add(context, context.first, ['b1', 'b2'], 3, out);
    add(context, context.second, ['b3', 'b4'], 3, out);
    if (context.data) add(context, 'data', ['b6', 'b7'], 4, out);
    return out;
  },
};

export const quadraticLogCross: LawForm = {
  name: 'quadratic-log-cross',
  title: 'Quadratic in logs with cross term',
  equation: 'P = b1 ln H + b2 ln^2 H + b3 ln d + b4 ln^2 d + b5 ln H ln d + c',
  source: 'second-order response surface',
  constant: 'c',
  needs: ({ first, second }) => [first, second],
  terms(context) {
    if (context.levels(context.first) < 3 || context.levels(context.second) < 3) {
      const plain = quadraticLog.terms(context);
      plain.notes.push('fewer than three values of a variable: the cross term is dropped with its square');
      return plain;
    }
    const out: FormTerms = {
      terms: [crossedQuadraticTerm([context.first, context.second], ['b1', 'b2', 'b3', 'b4', 'b5'])],
      notes: [],
    };
    if (context.data) add(context, 'data', ['b6', 'b7'], 4, out);
    return out;
  },
};
