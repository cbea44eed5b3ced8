/** The law's honest trial: runs withheld from the fit, against what it predicted of them. */
import { type FigureOrAbsence, thin, thinned } from '../drawing/figure.js';
import { type MetricChoice, metricTitle, type TrialGroup } from '../view/view.js';
import { count, difference, percent } from '../words/words.js';
import { agreementPlot, agreementTable, runRows } from './parts/agreement-plot.js';
import { lawFigure } from './parts/law-figure.js';

export function heldOutFigure(group: TrialGroup, choice: MetricChoice, id = 'held-out'): FigureOrAbsence {
  return lawFigure(
    group,
    id,
    `Predicted against measured ${metricTitle(choice)} on runs withheld`,
    (law, title) => {
      const { heldOut } = law;
      if (!heldOut)
        return {
          absent: 'Too few configurations to withhold some and still fit a law to the rest.',
        };
      const data = runRows(heldOut.points);
      const inside = data.filter((row) => row.measured >= row.low && row.measured <= row.high).length;
      const rmse = Math.sqrt(data.reduce((sum, row) => sum + row.residual ** 2, 0) / data.length);
      const bias = -data.reduce((sum, row) => sum + row.residual, 0) / data.length;
      const forms = heldOut.slices.map(({ slice, form, what }) =>
        heldOut.slices.length > 1 ? `${slice} by ${form} without ${what}` : `${form} without ${what}`,
      );
      const sentence =
        `Fitted without them: ${forms.join('; ')}, the form chosen without them too. ` +
        `The typical error is ${difference(rmse)} (${difference(Math.abs(bias))} too ${bias >= 0 ? 'high' : 'low'} on average), and ${inside} of ${count(data.length, 'run')} ${inside === 1 ? 'lies' : 'lie'} within ${data.length === 1 ? 'its' : 'their'} ${percent(law.level)} interval.${thinned(thin(data).length, data.length, 'runs')}`;
      return {
        sentence,
        table: agreementTable(data),
        spec: (canvas) => agreementPlot(canvas, data, law, choice.name.toUpperCase(), title),
      };
    },
  );
}
