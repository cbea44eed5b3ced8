/** The path of a sweep with a goal: what was named after every round, for which cost, and the runs in their order. */
import type { Named, Purpose, StopReason } from '../../law/goal/choose-round.js';
import { observationOf } from '../../sweep/results/observations.js';
import { readDecisions } from '../../sweep/store/decisions.js';
import type { StoredGoal } from '../../sweep/store/layout.js';
import type { SweepRecords } from './read.js';

/** One run in the order chosen. */
export interface PathRun {
  round: number;
  id: string;
  label: string;
  purpose: Purpose;
  /** Share of the decision's variance that it was expected to take off; null at the start. */
  share: number | null;
  /** Its FLOPs over those of the grid. */
  cost: number;
  /** The metric that decides; absent where the run failed or is open. */
  value?: number;
}

/** What was named when so much was known. */
export interface PathStep {
  runs: number;
  /** FLOPs spent over those of the grid. */
  spent: number;
  named: Named;
}

export interface GoalPath {
  goal: StoredGoal;
  /** Results that were there before the first round. */
  found: number;
  steps: PathStep[];
  runs: PathRun[];
  stop: StopReason | null;
  /** FLOPs of every run of the grid. */
  gridFlops: number;
  planned: number;
}

/** Undefined for a sweep without a goal, or before its first decision. */
export function goalPath({ path, plan, done }: SweepRecords): GoalPath | undefined {
  const { goal, trials } = plan;
  const decisions = goal ? readDecisions(path, goal) : [];
  if (!goal || decisions.length === 0) return undefined;
  const labels = new Map(trials.map(({ id, label }) => [id, label]));
  const values = new Map(done.map((record) => [record.id, observationOf(record).metrics[goal.metric]]));
  return {
    goal,
    found: decisions[0]!.found?.length ?? 0,
    steps: decisions.flatMap(({ known, named }) =>
      named ? [{ runs: known.runs, spent: known.spent, named }] : [],
    ),
    runs: decisions.flatMap(({ runs }, round) =>
      runs.map((run) => {
        const value = values.get(run.id);
        return {
          round: round + 1,
          label: labels.get(run.id) ?? run.id,
          ...run,
          ...(value === undefined ? {} : { value }),
        };
      }),
    ),
    stop: decisions.at(-1)!.stop,
    gridFlops: trials.reduce((sum, { flops }) => sum + flops, 0),
    planned: trials.length,
  };
}
