/** The law in numbers: equation, coefficients with intervals, how well it fits, what the data cannot tell. */
import { dataTable, type Html, html } from './html.js';
import { type MetricChoice, metricLabel, type TrialGroup } from './model.js';
import { count, difference, digits, percent } from './words.js';

export function lawSection(group: TrialGroup, choice: MetricChoice): Html {
  const { law, label } = group;
  if (!law) return html``;
  const rows = law.coefficients.map(({ name, estimate, note }) => [
    name,
    digits(estimate.value),
    'low' in estimate ? digits(estimate.low) : '',
    'high' in estimate ? digits(estimate.high) : '',
    note ?? '',
  ]);
  const facts = [
    `R² ${law.r2.toFixed(4)}`,
    law.q2 === undefined ? '' : `Q² ${law.q2.toFixed(4)} (leave one out)`,
    law.noise === undefined ? '' : `noise of one run ${difference(law.noise)} ${metricLabel(choice.name)}`,
    count(law.points.length, 'run'),
  ].filter((fact) => fact !== '');
  return html`<h3>Coefficients of ${law.form}${label ? `, ${label}` : ''}</h3>
<p class="equation">${law.equation}</p>
<p class="quiet">${facts.join(' · ')}. Intervals: ${percent(law.level)}, ${law.method}.</p>
${dataTable(`Coefficients of ${law.form}`, ['coefficient', 'estimate', 'from', 'to', 'note'], rows)}
${law.cautions.length ? html`<div class="warn" role="note"><p><strong>What the data cannot tell.</strong> ${law.cautions.join(' ')}</p></div>` : ''}`;
}
