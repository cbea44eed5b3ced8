/**
 * Saturating power law: P = E - A / N^a - B / d^b (- C / D^c), the form of neural scaling laws (Hoffmann et al. 2022,
 * arXiv 2203.15556) turned upside down for a metric that rises; of a loss it is E + A / N^a + B / d^b as published. N is the
 * number of layers unless other variables are named.
 */

import type { Variable } from '../points/points.js';
import type { FormContext, FormTerms, LawForm } from './form.js';
import { powerLimit, richest } from './form.js';
import { logTerm, powerTerm } from './terms.js';

function add(
  context: FormContext,
  variable: Variable,
  exponent: string,
  weight: string,
  needs: number,
  out: FormTerms,
) {
  richest(
    context,
    variable,
    [
      {
        term: powerTerm(
          variable,
          { exponent, weight },
          powerLimit(context.values(variable)),
          context.direction,
          context.values(variable)[0],
        ),
        needs,
      },
      {
        term: logTerm(variable, `${weight} ln`),
        needs: 2,
        says: `${exponent} is not identifiable, so its term is a straight line in the logarithm`,
      },
    ],
    out,
  );
}

export const saturatingPower: LawForm = {
  name: 'saturating-power',
  title: 'Saturating power law',
  equation: 'P = E - A / H^a - B / d^b',
  fallingEquation: 'P = E + A / H^a + B / d^b',
  source: 'arXiv 2203.15556',
  constant: 'E',
  needs: ({ first, second }) => [first, second],
  terms(context) {
    const out: FormTerms = { terms: [], notes: [] };
    add(context, context.first, 'a', 'A', 3, out);
    add(context, context.second, 'b', 'B', 3, out);
    if (context.data) add(context, 'data', 'c', 'C', 4, out);
    return out;
  },
};
