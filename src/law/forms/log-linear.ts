/** P = w1 ln H + w2 ln d (+ w3 ln D) + c: the simplest law, and the one to beat. */
import type { FormTerms, LawForm } from './form.js';
import { richest } from './form.js';
import { logTerm } from './terms.js';

export const logLinear: LawForm = {
  name: 'log-linear',
  title: 'Linear in logs',
  equation: 'P = w1 ln H + w2 ln d + c',
  source: 'baseline',
  constant: 'c',
  needs: ({ first, second }) => [first, second],
  terms(context) {
    const out: FormTerms = { terms: [], notes: [] };
    richest(context, context.first, [{ term: logTerm(context.first, 'w1'), needs: 2 }], out);
    richest(context, context.second, [{ term: logTerm(context.second, 'w2'), needs: 2 }], out);
    if (context.data) richest(context, 'data', [{ term: logTerm('data', 'w3'), needs: 2 }], out);
    return out;
  },
};
