/** What `predict` is asked and what it answers. */

import type { Shape } from '../calibrate.js';
import type { ModelSource } from '../cost.js';
import type { FitOptions } from '../fitting/fit.js';
import type { Optimum } from '../fitting/optimum.js';
import type { FormName } from '../forms/form.js';
import type { Direction } from '../points/direction.js';
import type { Variable } from '../points/points.js';
import type { BootstrapOptions, OptimumInterval } from '../trust/uncertainty.js';
import type { Budget } from './candidates.js';
import type { Choice, MeasuredRange } from './choice.js';
import type { NextTrial } from './next-trial.js';
import type { WeighOptions } from './weigh.js';

/** The budget, and how to fit, to choose and to count. */
export interface PredictOptions extends FitOptions, BootstrapOptions, ModelSource {
  budget: Budget;
  /** The forms to choose among where no `form` is named; all by default. */
  forms?: readonly FormName[];
  /** Default: the slice with the most tokens. */
  slice?: string;
  /** Foretell a slice of so many tokens, or of so many times those of the slice, from all slices. */
  tokens?: number;
  times?: number;
  /** Configurations to say what is expected of, whether they fit the budget or not. */
  at?: readonly Shape[];
  /** How much worse than the best is as good; one in a hundred by default. */
  tolerance?: WeighOptions['tolerance'];
}

/** The answer of `predict`, and of `perflaw predict --json`. */
export interface PredictionReport {
  /** What is trained on: where a budget of FLOPs or hours may be spent on more or less data, what was chosen. */
  slice: string;
  /** Its tokens, or those that were asked for; null where they are not known. */
  tokens: number | null;
  /** Other slices that were measured. */
  otherSlices: string[];
  metric: string;
  /** Which way the metric is better. */
  direction: Direction;
  level: number;
  form: FormName;
  because: string;
  budget: Budget;
  budgetText: string;
  /** How many configurations were considered and how many fit. */
  considered: number;
  fitting: number;
  range: MeasuredRange;
  /**
   * What to train: the cheapest that is within tolerance of the best with 90 % probability; while none is, the
   * cheapest that is expected to be as good as the highest expected (within half of the tolerance).
   */
  best: Choice;
  /** The best expected of all that fits, wherever it lies: the highest, for a loss the lowest. */
  highest: Choice;
  /** The best within the measured ranges; null where none of them fits. */
  bestMeasuredRange: Choice | null;
  /** The best of those that use the budget up; null where the budget exceeds everything within reach. */
  budgetLine: Choice | null;
  /** The smallest expected within one interval of the best. */
  smallest: Choice;
  /** The configurations that were asked for, in their order. */
  asked: Choice[];
  /** The forms that were not chosen: what they expect of the best, and what each would take itself. */
  otherForms: OtherForm[];
  /** Optimum of the law whatever the cost. */
  optimum: Optimum & { intervals: Partial<Record<Variable, OptimumInterval>>; params: number | null };
  /** How the configurations stand that may be the best, the likeliest first. */
  decision: { tolerance: number; sure: boolean; options: (Choice & Standing)[] };
  /** The best expected of every cost, in FLOPs where they are known, else in parameters; within the budget. */
  frontier: Choice[];
  /** How well what lies beyond was predicted: levels tried by axis. */
  forecast: {
    tried: { layers: number; dim: number; data?: number };
    /** The same on other slices with the setting, which count half. */
    elsewhere: { layers: number; dim: number };
    calibrated: boolean;
    weights: Record<string, number> | null;
  };
  /** The run that tells most for its price. */
  next: NextTrial | null;
  /** The best of each further setting that the sweep varied. */
  groups: { group: Record<string, string | number>; best: Choice | null; reason?: string }[];
  parametersExact: boolean;
  notes: string[];
}

/** How a configuration may stand among all that fit. */
export interface Standing {
  /** Probability of being the best, and of being within tolerance of it. */
  best: number;
  within: number;
  /** Expected loss against the best. */
  regret: number;
}

/** What a form that was not chosen says: intervals hold only as far as the form does. */
export interface OtherForm {
  form: FormName;
  /** Of the configuration that the chosen form calls best. */
  predicted: number;
  /** The configuration that it would take itself, inside the measured range or outside as the best is. */
  best: { layers: number; dim: number; params: number; predicted: number };
}
