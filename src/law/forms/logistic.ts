/** P = floor + span / (1 + exp(-k (ln C - m))): an S-curve in the logarithm of training compute C. */
import type { FormTerms, LawForm } from './form.js';
import { richest } from './form.js';
import { logisticTerm, logTerm } from './terms.js';

export const logistic: LawForm = {
  name: 'logistic',
  title: 'Logistic in log compute',
  equation: 'P = floor + span / (1 + exp(-k (ln C - m)))',
  fallingEquation: 'P = floor + span / (1 + exp(k (ln C - m)))',
  source: 'sigmoid in log compute',
  constant: 'floor',
  needs: () => ['flops'],
  terms(context) {
    const out: FormTerms = { terms: [], notes: [] };
    const values = context.values('flops');
    const low = Math.log(values[0]!);
    const span = Math.max(Math.log(values[values.length - 1]!) - low, 1e-6);
    richest(
      context,
      'flops',
      [
        {
          term: logisticTerm(
            'flops',
            { name: 'm', min: low - span, max: low + 2 * span },
            { name: 'k', min: 0.2 / span, max: 40 / span },
            'span',
            context.direction,
          ),
          needs: 4,
        },
        {
          term: logTerm('flops', 'span ln'),
          needs: 2,
          says: 'm and k are not identifiable, so the law is a straight line in ln C',
        },
      ],
      out,
    );
    if (context.data) richest(context, 'data', [{ term: logTerm('data', 'w3'), needs: 2 }], out);
    return out;
  },
};
