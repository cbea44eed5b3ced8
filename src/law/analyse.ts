/** Everything `perflaw fit` says of one panel: the forms side by side, and the chosen one with its intervals and limits. */

import { type ChooseOptions, chooseLaw } from './choose.js';
import { type Optimum, optimum } from './fitting/optimum.js';
import type { FormName } from './forms/form.js';
import type { Direction } from './points/direction.js';
import type { Panel, Variable } from './points/points.js';
import type { FormScore } from './trust/compare.js';
import { type CoefficientIdentifiability, identifiability } from './trust/identifiability.js';
import { outlierNote, stepNote } from './trust/outliers.js';
import {
  type Bootstrap,
  type BootstrapOptions,
  bootstrap,
  coefficientIntervals,
  type Interval,
  type OptimumInterval,
  optimumIntervals,
} from './trust/uncertainty.js';

export interface Coefficient extends CoefficientIdentifiability {
  /** The value at the optimum of the fit. Where `identifiable` is false it is one of many that fit as well. */
  value: number;
  /** Bootstrap interval; null without a bootstrap. */
  interval: Interval | null;
}

export interface FormAnalysis {
  form: FormName;
  equation: string;
  coefficients: Record<string, Coefficient>;
  conditionNumber: number;
  identifiable: boolean;
  r2: number;
  q2: number | null;
  aicc: number | null;
  rmse: number;
  sigma: number;
  heldOut: FormScore['heldOut'];
  rolling: FormScore['rolling'];
  optimum: Optimum & { intervals: Partial<Record<Variable, OptimumInterval>> };
  notes: string[];
}

/** Everything `perflaw fit --json` says of one slice. */
export interface PanelAnalysis extends FormAnalysis {
  slice: string;
  group: Record<string, string | number>;
  label: string;
  metric: string;
  /** Which way the metric is better. */
  direction: Direction;
  configurations: number;
  runs: number;
  /** Measured range of layers and dim. */
  range: { layers: [number, number]; dim: [number, number] };
  /** On what ground the form was chosen. */
  because: string;
  /** The forms side by side; a score without a fit says why. */
  scores: FormScore[];
  /** Every form that could be fitted, the chosen one among them. */
  forms: FormAnalysis[];
}

export interface AnalyseOptions extends Omit<ChooseOptions, 'form'>, BootstrapOptions {}

/** The analysis of a panel, and the replicates behind it. */
export interface Analysis {
  panel: PanelAnalysis;
  /** The fits and their replicates, for predictions; not for printing. */
  boots: Partial<Record<FormName, Bootstrap>>;
}

const spanOf = (values: number[]): [number, number] => [Math.min(...values), Math.max(...values)];

/**
 * Fits all forms (or those named) to one panel.
 * @throws UserError when none can be fitted.
 */
export async function analysePanel(panel: Panel, options: AnalyseOptions): Promise<Analysis> {
  const { points, notes, comparison, fit, because } = chooseLaw(panel, options);
  const boots: Partial<Record<FormName, Bootstrap>> = {};
  const forms: FormAnalysis[] = [];
  for (const score of comparison.scores) {
    const own = comparison.fits[score.form];
    if (!own) continue;
    const boot = await bootstrap(own, options);
    boots[score.form] = boot;
    forms.push(analyseForm(boot, score));
  }
  const chosen = forms.find(({ form }) => form === fit.form)!;
  const doubts = [outlierNote(fit), stepNote(points, fit)].filter((text) => text !== undefined);
  return {
    panel: {
      slice: panel.slice,
      group: panel.group,
      label: panel.label,
      metric: options.metric,
      direction: fit.direction,
      configurations: points.length,
      runs: points.reduce((sum, point) => sum + point.runs.length, 0),
      range: {
        layers: spanOf(points.map((point) => point.x.layers!)),
        dim: spanOf(points.map((point) => point.x.dim!)),
      },
      because,
      ...chosen,
      notes: [...notes, ...chosen.notes, ...doubts],
      scores: comparison.scores,
      forms,
    },
    boots,
  };
}

/** One fitted form: its coefficients and optimum with their intervals, and which of them the points fix. */
export function analyseForm(boot: Bootstrap, score?: FormScore): FormAnalysis {
  const { fit } = boot;
  const judged = identifiability(fit);
  const intervals = boot.draws.length > 0 ? coefficientIntervals(boot) : undefined;
  return {
    form: fit.form,
    equation: fit.equation,
    coefficients: Object.fromEntries(
      Object.entries(fit.coefficients).map(([name, value]) => [
        name,
        { value, interval: intervals?.[name] ?? null, ...judged.coefficients[name]! },
      ]),
    ),
    conditionNumber: judged.conditionNumber,
    identifiable: judged.identifiable,
    r2: fit.r2,
    q2: score?.q2 ?? null,
    aicc: score?.aicc ?? null,
    rmse: fit.rmse,
    sigma: fit.sigma,
    heldOut: score?.heldOut ?? null,
    rolling: score?.rolling ?? null,
    optimum: { ...optimum(fit), intervals: boot.draws.length > 0 ? optimumIntervals(boot) : {} },
    notes: fit.notes,
  };
}
