/** All figures of a report, in the order in which they are read. One file a figure lies in `charts/`. */
import { agreementFigure } from './charts/agreement.js';
import { baselineFigure } from './charts/baseline.js';
import { budgetFigure } from './charts/budget.js';
import { dataTermFigure } from './charts/data-term.js';
import { formsFigure } from './charts/forms.js';
import { frontierFigure } from './charts/frontier.js';
import { goalPathFigure } from './charts/goal-path.js';
import { heldOutFigure } from './charts/held-out.js';
import { learningFigure } from './charts/learning.js';
import { residualFigure } from './charts/residuals.js';
import { sliceMeansFigure } from './charts/slice-means.js';
import { slicesFigure } from './charts/slices.js';
import { surfaceFigure } from './charts/surface.js';
import { tuningFigure } from './charts/tuning.js';
import type { FigureOrAbsence, PlacedFigure } from './drawing/figure.js';
import type { ReportInput } from './view/view.js';

/** Figures that cannot be drawn from this input are there too, with the reason in their place. */
export function reportFigures(input: ReportInput): PlacedFigure[] {
  const several = input.groups.length > 1;
  const laws = input.groups.flatMap((group, g) => {
    const id = (name: string) => (several ? `${name}-${g + 1}` : name);
    const figures = [
      surfaceFigure(group, input.metric, id('surface')),
      budgetFigure(group, input.metric, id('budget')),
      frontierFigure(group, input.metric, id('frontier')),
      agreementFigure(group, input.metric, id('predicted')),
      heldOutFigure(group, input.metric, id('held-out')),
      residualFigure(group, input.metric, id('residuals')),
      formsFigure(group, input.metric, id('forms')),
      dataTermFigure(group, id('data-term')),
    ];
    const tuning = tuningFigure(group, input.metric, id('tuning'));
    // Without a law the same reason would stand eight times.
    const means = group.means ? [sliceMeansFigure(group, group.means, input.metric, id('slice-means'))] : [];
    return [...(group.law ? figures : figures.slice(0, 1)), ...means, ...(tuning ? [tuning] : [])];
  });
  const training = [learningFigure(input), slicesFigure(input), baselineFigure(input)];
  const place = (section: PlacedFigure['section']) => (figure: FigureOrAbsence) => ({ ...figure, section });
  const goal = input.path ? [goalPathFigure(input.path)] : [];
  return [...goal.map(place('goal')), ...laws.map(place('law')), ...training.map(place('training'))];
}
