/** The laws in numbers: equation, coefficients with intervals, how well they fit, what the data cannot tell. */

import {
  type LawPanel,
  type LawView,
  type MetricChoice,
  mainPanel,
  metricLabel,
  type TrialGroup,
} from '../view/view.js';
import { count, difference, digits, percent, sliceWords } from '../words/words.js';
import { dataTable, type Html, html } from './html.js';

/** The law of the slice with the most data in the open, those of the other slices folded. */
export function lawSection(group: TrialGroup, choice: MetricChoice): Html {
  const { law, label } = group;
  if (!law) return html``;
  const suffix = label ? `, ${label}` : '';
  const main = mainPanel(law);
  const on = law.panels.length > 1 ? `, ${sliceWords(main.slice)}` : '';
  const others = law.panels.slice(0, -1).reverse();
  return html`<h3>Coefficients of ${main.form}${on}${suffix}</h3>
${numbers(main, law, choice)}
${others.map(
  (
    panel,
  ) => html`<details><summary>Coefficients of ${panel.form}, ${sliceWords(panel.slice)}${suffix}</summary>
${numbers(panel, law, choice)}</details>
`,
)}`;
}

function numbers(panel: LawPanel, law: LawView, choice: MetricChoice): Html {
  const rows = panel.coefficients.map(({ name, estimate, note }) => [
    name,
    digits(estimate.value),
    'low' in estimate ? digits(estimate.low) : '',
    'high' in estimate ? digits(estimate.high) : '',
    note ?? '',
  ]);
  const runs = law.points.filter((point) => point.slice === panel.slice).length;
  const facts = [
    `R² ${panel.r2.toFixed(4)}`,
    panel.q2 === undefined ? '' : `Q² ${panel.q2.toFixed(4)} (leave one out)`,
    panel.noise === undefined
      ? ''
      : `noise of one run ${difference(panel.noise)} ${metricLabel(choice.name)}`,
    count(runs, 'run'),
  ].filter((fact) => fact !== '');
  return html`<p class="equation">${panel.equation}</p>
<p class="quiet">${facts.join(' · ')}. Intervals: ${percent(law.level)}, ${law.method}.</p>
${dataTable(`Coefficients of ${panel.form} on ${panel.slice}`, ['coefficient', 'estimate', 'from', 'to', 'note'], rows)}
${panel.cautions.length ? html`<div class="warn" role="note"><p><strong>What the data cannot tell.</strong> ${panel.cautions.join(' ')}</p></div>` : ''}`;
}
