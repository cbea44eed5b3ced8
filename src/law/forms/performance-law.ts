/**
 * The Performance Law (arXiv 2412.00430; NeurIPS 2025, "P-Law"):
 *   P = w1 g(H; a) + w2 g(d; a') + g(D; a'') + b,   g(x; a) = -1/(p x^a) - a ln x,  p = 2.
 * On one slice the terms of D and b are one constant c. Across slices the data term is fitted with a weight of its own,
 * w3 g(D; a''), which takes the place of the free unit of D': as many numbers, and the scale of the metric no longer
 * fixes the unit in which data are counted.
 */

import type { Variable } from '../points/points.js';
import type { FormContext, FormTerms, LawForm } from './form.js';
import { exponentLimit, richest } from './form.js';
import { logTerm, performanceTerm } from './terms.js';

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
        term: performanceTerm(
          variable,
          { exponent, weight },
          exponentLimit(context.values(variable)),
          context.p,
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

export const performanceLaw: LawForm = {
  name: 'performance-law',
  title: 'Performance Law',
  equation: "P = w1 g(H; a) + w2 g(d; a') + c,  g(x; a) = -1/(p x^a) - a ln x,  p = 2",
  source: 'arXiv 2412.00430',
  constant: 'c',
  needs: ({ first, second }) => [first, second],
  terms(context) {
    const out: FormTerms = { terms: [], notes: [] };
    add(context, context.first, 'a', 'w1', 3, out);
    add(context, context.second, "a'", 'w2', 3, out);
    if (context.data) add(context, 'data', "a''", 'w3', 4, out);
    return out;
  },
};
