/** How well the law describes the runs: predicted against measured with intervals. */
import { type FigureOrAbsence, thin, thinned } from '../drawing/figure.js';
import {
  type LawPanel,
  type LawView,
  type MetricChoice,
  metricTitle,
  type TrialGroup,
} from '../view/view.js';
import { difference, percent } from '../words/words.js';
import { agreementPlot, agreementTable, runRows } from './parts/agreement-plot.js';
import { lawFigure } from './parts/law-figure.js';

export function agreementFigure(group: TrialGroup, choice: MetricChoice, id = 'predicted'): FigureOrAbsence {
  return lawFigure(group, id, `Predicted against measured ${metricTitle(choice)}`, (law, title) => {
    const data = runRows(law.points);
    const inside = data.filter((row) => row.measured >= row.low && row.measured <= row.high).length;
    const rmse = Math.sqrt(data.reduce((sum, row) => sum + row.residual ** 2, 0) / data.length);
    const sentence =
      `${fitWords(law, data.length)} ` +
      `The typical error is ${difference(rmse)}, and ${inside} of ${data.length} runs lie within their ${percent(law.level)} interval.${thinned(thin(data).length, data.length, 'runs')}`;
    return {
      sentence,
      table: agreementTable(data),
      spec: (canvas) => agreementPlot(canvas, data, law, choice.name.toUpperCase(), title),
    };
  });
}

/** R² and Q² as a sentence: of the one law, or of each slice's. */
function fitWords(law: LawView, runs: number): string {
  const scores = (panel: LawPanel) =>
    `R² ${panel.r2.toFixed(3)}${panel.q2 === undefined ? '' : `, Q² ${panel.q2.toFixed(3)}`}`;
  const [first] = law.panels;
  if (law.panels.length === 1)
    return `The law (${first!.form}) explains ${percent(Math.max(0, first!.r2))} of the variance of ${runs} runs (${scores(first!)}${first!.q2 === undefined ? '' : ' with each configuration predicted from the others'}).`;
  return `Each slice has its own law: ${law.panels.map((panel) => `${panel.slice} by ${panel.form} (${scores(panel)})`).join('; ')}.`;
}
