/**
 * The view model: everything a report shows, as plain numbers and text. `gather.ts` fills it from records and laws; charts and
 * page read nothing else, so that a figure can be tested without a sweep and without a fit.
 */

import type { MeasureLine } from '../../law/data-term.js';
import type { Direction } from '../../law/points/direction.js';
import type { Tuning } from '../../law/points/tuned.js';
import type { NextTrial } from '../../law/predict/next-trial.js';
import type { QualityTest } from '../../law/quality-test.js';
import type { SliceMeans } from '../../law/slice-levels.js';
import type { DoneRecord, FailedRecord, SliceMeasures } from '../../sweep/store/record.js';

import type { GoalPath } from './goal-path.js';

/** A value with the interval it is believed to lie in. */
export interface Interval {
  value: number;
  low: number;
  high: number;
}

/** Where a law is best along one axis. */
export interface Peak {
  /** An optimum `inside` or `outside` the measured range; the law `rises` or `falls` and has none within reach; or the axis has no term. */
  place: 'inside' | 'outside' | 'rises' | 'falls' | 'not fitted';
  value?: number;
  /** The interval of `value`; an end beyond anything that can be given is absent. */
  low?: number;
  high?: number;
}

/** One measured configuration beside what the law says of it. */
export interface LawPoint {
  slice: string;
  layers: number;
  dim: number;
  seed?: number;
  /** Total parameters, where known. */
  params?: number;
  measured: number;
  /** The fitted value; its interval is that of one new run. */
  predicted: Interval;
}

export interface Coefficient {
  name: string;
  estimate: Interval | { value: number };
  /** What the number stands for, or why it is not to be trusted. */
  note?: string;
}

/** A form in the comparison. Numbers that could not be computed (too few points) are absent. */
export interface FormScore {
  name: string;
  parameters?: number;
  r2?: number;
  /** Leave-one-out R². */
  q2?: number;
  aicc?: number;
  /** Root mean square error on the withheld corners (largest layers, largest dim), in units of the metric. */
  heldOutError?: number;
  /** Why there is no fit, or no held-out error. */
  reason?: string;
  chosen: boolean;
}

/** A configuration the law speaks of: measured or not. */
export interface Candidate {
  layers: number;
  dim: number;
  params: number;
  predicted: Interval;
  /** Outside the measured range of layers or dim. */
  extrapolated: boolean;
}

/** The best configuration at each parameter budget. */
export interface BudgetCurve {
  slice: string;
  /** Ascending in params: the best configuration of about that many parameters. */
  candidates: Candidate[];
  /** What to train: the cheapest that is within tolerance of the best with 90 % probability, or while none is that is expected to be as good as the highest expected. */
  optimum: Candidate;
  /** The smallest inside the measured range that is expected within the interval of one new run of the optimum. */
  smallest?: Candidate;
  /** Outside the measured range and expected to be better than the optimum, though not surely. */
  beyond?: Candidate;
  /** The best expected of every cost, each dearer one expected to be better; absent where FLOPs are not known. */
  frontier?: (Candidate & { flops: number })[];
  /** How the optimum stands among all: probability of being the best, of being within `tolerance` of it, and the expected loss. */
  odds?: { best: number; within: number; regret: number; tolerance: number; sure: boolean };
  /** Whether it is known how far forecasts like that of the optimum go wrong. */
  calibrated?: boolean;
  /** The run that tells most for its price. */
  next?: NextTrial;
}

/** The data term of the law, one value a slice, against how much data the slice holds. */
export interface DataTermPoint {
  slice: string;
  tokens: number;
  apen: number;
  /** Fitted D, or the slice's constant c where D cannot be separated. */
  term: number;
  low?: number;
  high?: number;
}

/** The law of one slice. */
export interface LawPanel {
  slice: string;
  /** The form's name, `performance-law` or a rival. */
  form: string;
  /** The equation, as text. */
  equation: string;
  r2: number;
  q2?: number;
  /** Standard deviation of one run around the law, in units of the metric. */
  noise?: number;
  coefficients: Coefficient[];
  /** Sentences on what the data cannot tell. */
  cautions: string[];
  /** Where the law is best along each axis. */
  peak: { layers: Peak; dim: Peak };
  forms: FormScore[];
  /** On what ground the form was chosen among them. */
  because?: string;
}

/** The laws of one group of trials (one model and everything else that is neither layers, dim nor slice): one a slice. */
export interface LawView {
  /** At least one; by the tokens of their slices, so that the last is the one to train on in earnest. */
  panels: LawPanel[];
  /** Slices without a law, and why. */
  missing: { slice: string; reason: string }[];
  points: LawPoint[];
  /** The fitted value, without interval: called on a fine grid. */
  surface(slice: string, layers: number, dim: number): number;
  /** How wide the intervals are, e.g. .9, and by which method. */
  level: number;
  method: string;
  /** What the laws, fitted without some of the runs, predicted of them; absent where too few would be left. */
  heldOut?: { slices: { slice: string; form: string; what: string }[]; points: LawPoint[] };
  /** Of the last panel. */
  budget?: BudgetCurve;
  dataTerm?: {
    name: 'D' | 'c';
    points: DataTermPoint[];
    /** Straight lines of the slices' levels on tokens and on tokens over each measure; empty below three slices. */
    measures: MeasureLine[];
    /** Whether quality adds to quantity; null below five slices. */
    quality: QualityTest | null;
  };
}

/** The law on the slice with the most data. */
export function mainPanel(law: LawView): LawPanel {
  return law.panels[law.panels.length - 1]!;
}

export function lawSlices(law: LawView): string[] {
  return law.panels.map((panel) => panel.slice);
}

/** Trials that differ only in layers, dim, slice and seed. */
export interface TrialGroup {
  /** What tells the group from the others, e.g. `tim4rec, dState=16`; empty where there is one group. */
  label: string;
  records: DoneRecord[];
  law?: LawView;
  /** Why there is no law, as a sentence, where there is none. */
  lawMissing?: string;
  /** The slices side by side, where only a size or two was trained and there is no law. */
  means?: SliceMeans;
  /** How the best of the tuned settings was chosen for each configuration; absent where nothing was tuned. */
  tuning?: Tuning;
}

/** How the report's metric was measured. */
export interface MetricChoice {
  /** `ndcg@10`. */
  name: string;
  split: 'validation' | 'test';
  history: 'masked' | 'unmasked';
  /** Which way the metric is better. */
  direction: Direction;
}

/** Which size is best by the report's metric and by the loss, among the configurations measured on one slice. */
export interface LossAgreement {
  /** Of the group of trials; empty where there is one. */
  label: string;
  slice: string;
  configurations: number;
  /** Best by the mean over seeds of the test metric, and of the test loss. */
  byMetric: SizeValue;
  byLoss: SizeValue;
  /** Spearman's correlation of the two over the configurations, 1 where they order all sizes alike; undefined below three. */
  correlation?: number;
}

export interface SizeValue {
  layers: number;
  dim: number;
  metric: number;
  loss: number;
}

export interface ReportInput {
  /** The sweep's name. */
  title: string;
  /** A sentence of the sweep file on what it is for, where it has one. */
  description?: string;
  metric: MetricChoice;
  groups: TrialGroup[];
  /** How a goal was come to; absent where the whole grid is run. */
  path?: GoalPath;
  /** A line a group and slice whose trials recorded their loss. */
  losses: LossAgreement[];
  done: DoneRecord[];
  failed: FailedRecord[];
  /** Trials planned but not yet run, where the plan is known. */
  pending?: number;
  /** One entry a slice, in the order of their tokens. */
  slices: SliceMeasures[];
  made: {
    /** ISO time. */
    at: string;
    perflaw: string;
    /** The command that writes this report again. */
    command: string;
    /** Where the records lie. */
    folder: string;
  };
}

/** Reads the metric of a record as the report's choice says; undefined where the record does not hold it. */
export function metricOf(record: DoneRecord, choice: MetricChoice): number | undefined {
  return record.result[choice.split][choice.history][choice.name];
}

/** The popularity baseline's value of the same metric. */
export function baselineOf(record: DoneRecord, choice: MetricChoice): number | undefined {
  return record.popularity[choice.split][choice.history][choice.name];
}

/** `NDCG@10`. */
export function metricLabel(name: string): string {
  return name === 'loss' ? 'loss' : name.toUpperCase();
}

/** `test NDCG@10 (history masked)`. */
export function metricTitle(choice: MetricChoice): string {
  if (choice.name === 'loss')
    return `${choice.split} loss (cross-entropy over all items, nats; lower is better)`;
  return `${choice.split} ${metricLabel(choice.name)} (history ${choice.history})`;
}

/** The same at the beginning of a title. */
export function metricHeading(choice: MetricChoice): string {
  const text = metricTitle(choice);
  return text[0]!.toUpperCase() + text.slice(1);
}
