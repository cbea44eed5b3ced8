/** The loss beside the report's metric: which size each calls best, and what choosing by the loss would cost. */
import type { ReportInput } from '../view/view.js';
import { metricLabel } from '../view/view.js';
import { difference, shape, share } from '../words/words.js';
import { dataTable, type Html, html } from './html.js';

export function lossSection({ losses, metric, done }: ReportInput): Html {
  if (losses.length === 0) return html``;
  const name = metricLabel(metric.name === 'loss' ? done[0]!.config.evaluation.select : metric.name);
  const agree = losses.filter(
    ({ byMetric, byLoss }) => byMetric.layers === byLoss.layers && byMetric.dim === byLoss.dim,
  ).length;
  const verdict =
    agree === losses.length
      ? 'They agree on which measured size is best.'
      : agree === 0
        ? 'They do not agree on which measured size is best: choose by the one that you are paid for.'
        : `They agree on which measured size is best in ${agree} of ${losses.length} cases: choose by the one that you are paid for.`;
  return html`<h3>Loss beside ${name}</h3>
<p>${verdict} Means over seeds on the test items; the loss is the cross-entropy over all items, in nats.</p>
${dataTable(
  `The best measured size by ${name} and by loss`,
  [
    'trials',
    'slice',
    'sizes',
    `best by ${name}`,
    `its ${name}`,
    'its loss',
    'best by loss',
    `its ${name}`,
    'its loss',
    `${name} given up`,
    'rank correlation',
  ],
  losses.map(({ label, slice, configurations, byMetric, byLoss, correlation }) => [
    label || 'all',
    slice,
    configurations,
    shape(byMetric),
    share(byMetric.metric),
    share(byMetric.loss),
    shape(byLoss),
    share(byLoss.metric),
    share(byLoss.loss),
    difference(Math.abs(byMetric.metric - byLoss.metric)),
    correlation === undefined ? '' : correlation.toFixed(2),
  ]),
)}`;
}
