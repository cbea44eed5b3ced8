/** What the store's files hold, and the layout of a result's text. */

import type { DatasetReference } from '../../data/dataset.js';
import type { TrialConfig } from '../../train/config.js';
import type { TrainingProgress } from '../../train/hooks.js';
import type { TrialRecord } from './record.js';

export const STORE_SCHEMA = 1;

/** `plan.json`: what fit and report need to know of a sweep besides its results. */
export interface StoredPlan {
  schema: typeof STORE_SCHEMA;
  name: string;
  perflaw: string;
  numericVersion: number;
  updatedAt: string;
  data: { name: string; hash: string; numItems: number; reference: DatasetReference };
  workers: number;
  /** Who is ranked in every evaluation: what plans count of its time. Absent in plans of before it was counted. */
  ranked?: RankedUsers;
  /** Settings of which the best by validation stands for a configuration; absent where nothing is tuned. */
  tuned?: string[];
  /** What is decided where not all trials are made; absent for a whole grid. */
  goal?: StoredGoal;
  /** The sweep file as it was read. */
  file: string;
  text: string;
  trials: StoredTrial[];
}

/** Users of an evaluation, and the events of their histories together. */
export interface RankedUsers {
  users: number;
  events: number;
}

/** What was asked, as `plan.json` keeps it. */
export interface StoredGoal {
  /** Names the decisions: another goal, or another plan, begins anew. */
  key: string;
  params?: number;
  flops?: number;
  /** The metric that decides, as `fit` names it; of the validation set where settings are tuned. */
  metric: string;
  tolerance: number;
  confidence: number;
  hours?: number;
  round: number;
}

export interface StoredTrial {
  id: string;
  label: string;
  config: TrialConfig;
  parameters: number;
  /** Training events of one epoch, and FLOPs if every epoch is run. */
  tokens: number;
  flops: number;
}

/** `config.json` of a trial: everything its process needs. */
export interface TrialJob {
  schema: typeof STORE_SCHEMA;
  id: string;
  numericVersion: number;
  config: TrialConfig;
  data: DatasetReference;
  /** Its process ends after that epoch (successive halving). */
  untilEpoch?: number;
  /** Whether the best weights are kept beside the result; kept where absent. */
  keepWeights?: boolean;
}

/** What lies in a trial's folder. */
export type TrialState =
  | { state: 'absent' }
  | { state: 'done' | 'failed'; record: TrialRecord }
  | {
      state: 'damaged';
      path: string;
      /** In words that follow "this result". */
      reason: string;
      /** Of a whole result that another version of perflaw wrote: its schema. */
      schema?: number;
    };

/** `progress.json`: the last sign of a running trial. */
export interface StoredProgress extends Omit<TrainingProgress, 'finished'> {
  /** Time of writing, ISO 8601. */
  at: string;
}

/** Enough for everything that reads a plan: ids are folder names, so they are not taken on trust. */
export function isWholePlan(plan: StoredPlan): boolean {
  const isTrial = ({ id, label, config, parameters, tokens, flops }: StoredTrial) =>
    /^[0-9a-f]{10}$/.test(id) &&
    typeof label === 'string' &&
    [parameters, tokens, flops].every(Number.isFinite) &&
    [config?.data, config?.slice, config?.model, config?.training, config?.evaluation].every(
      (part) => typeof part === 'object' && part !== null,
    );
  return (
    typeof plan.name === 'string' &&
    Number.isFinite(plan.data?.numItems) &&
    (plan.tuned === undefined ||
      (Array.isArray(plan.tuned) && plan.tuned.every((name) => typeof name === 'string'))) &&
    (plan.goal === undefined || isGoal(plan.goal)) &&
    Array.isArray(plan.trials) &&
    plan.trials.every((trial) => typeof trial === 'object' && trial !== null && isTrial(trial))
  );
}

/** Its key is a folder's name too. */
const isGoal = (goal: StoredGoal | null) =>
  goal !== null &&
  /^[0-9a-f]+$/.test(goal.key) &&
  typeof goal.metric === 'string' &&
  [goal.tolerance, goal.confidence, goal.round].every(Number.isFinite);

const CURVE = '"curve": [';

/** Indented for people, except the curve: one line an epoch, so that 10,000 results are read in a second. */
export function recordText(record: TrialRecord): string {
  if (record.status === 'failed') return `${JSON.stringify(record, null, 2)}\n`;
  const { curve, ...result } = record.result;
  const text = JSON.stringify({ ...record, result: { ...result, curve: [] } }, null, 1);
  const lines = curve.map((epoch) => `   ${JSON.stringify(epoch)}`).join(',\n');
  const at = text.lastIndexOf(CURVE) + CURVE.length;
  return `${text.slice(0, at)}\n${lines}\n  ${text.slice(at)}\n`;
}

/** The same text with an empty curve, as `recordText` lays it out. */
export function withoutCurve(text: string): string {
  const begin = text.indexOf(CURVE);
  const end = text.lastIndexOf('\n  ]');
  return begin < 0 || end < begin ? text : text.slice(0, begin + CURVE.length) + text.slice(end + 3);
}
