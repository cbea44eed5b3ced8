/** The law of a panel: every form fitted to its points, and one chosen to predict with. */
import { fitPoints, type LawFit } from './fitting/fit.js';
import type { FormName } from './forms/form.js';
import { type Panel, type Point, toPoints } from './points/points.js';
import { type CompareOptions, type Comparison, compareForms } from './trust/compare.js';

/** How to fit and to choose. */
export interface ChooseOptions extends CompareOptions {
  metric: string;
  /** The form to take whatever the comparison says. */
  form?: FormName;
}

/** A panel with the law that is believed of it. */
export interface ChosenLaw {
  panel: Panel;
  points: Point[];
  fit: LawFit;
  comparison: Comparison;
  /** On what ground the form was chosen. */
  because: string;
  /** What was noted of the points, not of the fit. */
  notes: string[];
}

/**
 * Compares the forms (all, or `forms`) on a panel and chooses one, or takes the one asked for.
 * @throws UserError when none can be fitted, and, in its own words, when the one asked for cannot.
 */
export function chooseLaw(panel: Panel, options: ChooseOptions): ChosenLaw {
  const { metric, form, ...fitOptions } = options;
  const { points, notes } = toPoints(panel.observations, metric, options.variables);
  const comparison = compareForms(points, metric, fitOptions);
  const used = form ?? comparison.chosen;
  const fit = comparison.fits[used] ?? fitPoints(points, metric, { ...fitOptions, form: used });
  const asked = form !== undefined || options.forms?.length === 1;
  return {
    panel,
    points,
    fit,
    comparison,
    notes,
    because: asked ? 'the form asked for' : comparison.because,
  };
}
