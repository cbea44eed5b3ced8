/**
 * A sweep with a goal, round by round: decide, run, decide again, until a decision says stop. What a round starts from lies in the
 * store alone: the runs that earlier decisions chose and their results, and what was there before the first. So a command
 * that was killed goes on with the same decisions, and several commands on one goal share them.
 */
import { chooseRound, type PoolRun } from '../../../law/goal/choose-round.js';
import { UserError } from '../../../util/errors.js';
import { formatDuration } from '../../../util/format.js';
import { observationOf } from '../../results/observations.js';
import { decideOnce, readDecisions, type StoredDecision } from '../../store/decisions.js';
import type { StoredPlan, StoredTrial } from '../../store/layout.js';
import type { TrialRecord } from '../../store/record.js';
import type { SweepStore } from '../../store/store.js';
import {
  expectedSpeed,
  measuredShareOfEpochs,
  measuredSpeed,
  trialSeconds,
  wallSeconds,
  workOf,
} from '../estimate.js';
import type { RunSummary } from '../run-options.js';
import { type GoalProblem, goalProblem } from './problem.js';

/**
 * Runs a sweep to its goal.
 * @param run some trials of the plan, to their end; those with a result are kept.
 * @returns the summary of all rounds.
 */
export async function runRounds(
  store: SweepStore,
  stored: StoredPlan,
  run: (trials: readonly StoredTrial[]) => Promise<RunSummary>,
  onDecision?: (decision: StoredDecision, round: number) => void,
): Promise<RunSummary> {
  const problem = goalProblem(stored);
  const begun = performance.now();
  const found = readDecisions(store.path, problem.goal)[0]?.found ?? resultsOf(store, stored);
  const before = [...found];
  const trialsOf = (ids: readonly string[]) => stored.trials.filter(({ id }) => ids.includes(id));
  let whole = found.length > 0 ? await run(trialsOf(found)) : undefined;
  let wasSure = false;
  let seconds = 0;
  for (let round = 0; ; round++) {
    const decision = await decideOnce(store.path, problem.goal, round, () =>
      decide(store, stored, problem, { before, wasSure, seconds }, round === 0 ? found : undefined),
    );
    onDecision?.(decision, round);
    const trials = trialsOf(decision.runs.map(({ id }) => id));
    const summary = await run(trials);
    whole = whole ? added(whole, summary) : summary;
    if (decision.stop || summary.interrupted || summary.open > 0) break;
    before.push(...decision.runs.map(({ id }) => id));
    wasSure = decision.sure;
    seconds += wallSeconds([...summary.records.values()].map(trialSeconds), stored.workers);
  }
  return { ...whole, seconds: (performance.now() - begun) / 1000 };
}

/** Two rounds as one. */
function added(a: RunSummary, b: RunSummary): RunSummary {
  return {
    records: new Map([...a.records, ...b.records]),
    kept: a.kept + b.kept,
    done: a.done + b.done,
    failed: a.failed + b.failed,
    halved: a.halved + b.halved,
    open: a.open + b.open,
    overBudget: a.overBudget + b.overBudget,
    left: a.left + b.left,
    interrupted: b.interrupted,
    seconds: a.seconds + b.seconds,
  };
}

interface State {
  /** Trials that were there or chosen before, all with a result. */
  before: readonly string[];
  wasSure: boolean;
  /** Wall seconds so far. */
  seconds: number;
}

function decide(
  store: SweepStore,
  stored: StoredPlan,
  problem: GoalProblem,
  { before, wasSure, seconds }: State,
  found: readonly string[] | undefined,
): StoredDecision {
  const { goal } = problem;
  const trials = new Map(stored.trials.map((trial) => [trial.id, trial]));
  const records: TrialRecord[] = [];
  const results = new Map<string, number | null>();
  for (const id of before) {
    const trial = store.readTrial(id, stored.numericVersion, { curve: false });
    if (trial.state !== 'done' && trial.state !== 'failed') continue;
    records.push(trial.record);
    const { record } = trial;
    results.set(id, record.status === 'done' ? (observationOf(record).metrics[goal.metric] ?? null) : null);
  }
  const limit = goal.hours === undefined ? undefined : goal.hours * 3600;
  const secondsOf = limit === undefined ? undefined : estimator(store, stored, records);
  const fits = (run: PoolRun, others: readonly PoolRun[]) =>
    secondsOf === undefined ||
    seconds +
      wallSeconds(
        [...others, run].map(({ id }) => secondsOf(trials.get(id)!)),
        stored.workers,
      ) <=
      limit!;
  const decision = chooseRound({ ...problem, results, round: goal.round, wasSure, fits });
  return {
    ...decision,
    ...(found ? { found: [...found] } : {}),
    ...(limit === undefined ? {} : { seconds }),
  };
}

/** Seconds of a trial, by the speed and the share of epochs of those that finished; before any did, by what is assumed here. */
function estimator(
  store: SweepStore,
  stored: StoredPlan,
  records: readonly TrialRecord[],
): (trial: StoredTrial) => number {
  const speed = measuredSpeed(records) ?? expectedSpeed(store, stored).speed;
  const share = measuredShareOfEpochs(records);
  return (trial) => (share * workOf(trial)) / speed;
}

/** Trials of the plan that have a result, in its order. */
function resultsOf(store: SweepStore, { trials, numericVersion }: StoredPlan): string[] {
  return trials
    .filter(({ id }) => {
      const { state } = store.readTrial(id, numericVersion, { curve: false });
      return state === 'done' || state === 'failed';
    })
    .map(({ id }) => id);
}

/** What a sweep with a goal would begin with, and what all its runs would cost. */
export interface GoalStart {
  /** The runs of the first round, and seconds of them and of the whole grid, by the speed that is expected here. */
  runs: StoredTrial[];
  seconds: number;
  gridSeconds: number;
  /** FLOPs of the start over those of the grid. */
  share: number;
  problem: GoalProblem;
}

/**
 * The start of a sweep with a goal.
 * @throws UserError where no configuration fits the goal, or its hours do not do for the start.
 */
export function goalStart(
  store: SweepStore,
  stored: StoredPlan,
  placeOf: (path: string[]) => string,
): GoalStart {
  const problem = goalProblem(stored, placeOf);
  const { runs } = chooseRound({ ...problem, results: new Map(), round: problem.goal.round, wasSure: false });
  const chosen = stored.trials.filter(({ id }) => runs.some((one) => one.id === id));
  const { speed, from } = expectedSpeed(store, stored);
  const wall = (trials: readonly StoredTrial[]) =>
    wallSeconds(
      trials.map((trial) => workOf(trial) / speed),
      stored.workers,
    );
  const seconds = wall(chosen);
  const { hours } = problem.goal;
  const begun = readDecisions(store.path, problem.goal).length > 0;
  if (!begun && hours !== undefined && seconds > hours * 3600)
    throw new UserError(
      `the goal cannot be reached: its first ${chosen.length} runs alone take about ${formatDuration(seconds)} (at the speed ${from}), and it has ${formatDuration(hours * 3600)}`,
      {
        place: placeOf(['goal', 'hours']),
        remedy: 'Give it more hours, or put smaller models, fewer epochs or smaller slices into the file.',
      },
    );
  return {
    runs: chosen,
    seconds,
    gridSeconds: wall(stored.trials),
    share: runs.reduce((sum, { cost }) => sum + cost, 0),
    problem,
  };
}
