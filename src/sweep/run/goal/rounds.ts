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
import { longestFirst, occupiedSeconds } from '../estimate.js';
import { ASSUMED, evaluatedOf, expectedPace, measuredPace, type Pace, secondsAt } from '../pace/pace.js';
import type { RunSummary } from '../run-options.js';
import { wallSeconds } from '../share-cores.js';
import { type GoalProblem, goalProblem } from './problem.js';

/**
 * Runs a sweep to its goal.
 * @param run some trials of the plan, to their end; those with a result are kept.
 * @param here whether they run on this machine.
 * @returns the summary of all rounds.
 */
export async function runRounds(
  store: SweepStore,
  stored: StoredPlan,
  run: (trials: readonly StoredTrial[]) => Promise<RunSummary>,
  here: boolean,
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
  let pace: Pace | undefined;
  for (let round = 0; ; round++) {
    const decision = await decideOnce(store.path, problem.goal, round, () =>
      decide(
        store,
        stored,
        problem,
        { before, wasSure, seconds, pace, here },
        round === 0 ? found : undefined,
      ),
    );
    onDecision?.(decision, round);
    const trials = trialsOf(decision.runs.map(({ id }) => id));
    const summary = await run(trials);
    whole = whole ? added(whole, summary) : summary;
    if (decision.stop || summary.interrupted || summary.open > 0) break;
    before.push(...decision.runs.map(({ id }) => id));
    wasSure = decision.sure;
    const took = ({ id }: StoredTrial) => occupiedSeconds(summary.records.get(id)!);
    seconds += roundSeconds(trials, took, stored.workers);
    pace ??= decision.pace;
  }
  return { ...whole, seconds: (performance.now() - begun) / 1000 };
}

/** Wall seconds of a round in which workers take its trials, the longest first: from what the store says alone, on any machine the same. */
function roundSeconds(
  trials: readonly StoredTrial[],
  secondsOf: (trial: StoredTrial) => number,
  workers: number,
): number {
  const work = longestFirst(trials).map((trial) => ({ work: secondsOf(trial), most: 1 }));
  return wallSeconds(work, workers, workers);
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
  /** As the first decision took it, where no result tells. */
  pace?: Pace;
  here: boolean;
}

async function decide(
  store: SweepStore,
  stored: StoredPlan,
  problem: GoalProblem,
  { before, wasSure, seconds, pace: assumed, here }: State,
  found: readonly string[] | undefined,
): Promise<StoredDecision> {
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
  const evaluated = evaluatedOf(stored);
  const measured = measuredPace(records, evaluated, 'measured in this sweep') ?? assumed;
  const needed = limit !== undefined && !measured && !hasRoom(firstRuns(stored, problem), stored, limit);
  const pace = measured ?? (needed ? await expectedPace(store, stored, here) : undefined);
  const fits = (run: PoolRun, others: readonly PoolRun[]) => {
    if (limit === undefined || pace === undefined) return true;
    const chosen = [...others, run].map(({ id }) => trials.get(id)!);
    const took = roundSeconds(chosen, (trial) => secondsAt(pace, trial, evaluated), stored.workers);
    return seconds + took <= limit;
  };
  const decision = chooseRound({ ...problem, results, round: goal.round, wasSure, fits });
  return {
    ...decision,
    ...(found ? { found: [...found] } : {}),
    ...(limit === undefined ? {} : { seconds }),
    // what no result says is part of what was known
    ...(needed ? { pace } : {}),
  };
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
  /** The runs of the first round. */
  runs: StoredTrial[];
  /** FLOPs of the start over those of the grid. */
  share: number;
  problem: GoalProblem;
}

/**
 * The start of a sweep with a goal.
 * @param here whether its trials run on this machine.
 * @throws UserError where no configuration fits the goal, or its hours do not do for the start.
 */
export async function goalStart(
  store: SweepStore,
  stored: StoredPlan,
  placeOf: (path: string[]) => string,
  here = true,
): Promise<GoalStart> {
  const problem = goalProblem(stored, placeOf);
  const chosen = firstRuns(stored, problem);
  const { hours } = problem.goal;
  const isOpen = hours !== undefined && readDecisions(store.path, problem.goal).length === 0;
  if (isOpen && !hasRoom(chosen, stored, hours * 3600)) {
    const pace = await expectedPace(store, stored, here);
    const seconds = gridSeconds(chosen, stored, pace);
    if (seconds > hours * 3600)
      throw new UserError(
        `the goal cannot be reached: its first ${chosen.length} runs alone take about ${formatDuration(seconds)} (at the speed ${pace.from}), and it has ${formatDuration(hours * 3600)}`,
        {
          place: placeOf(['goal', 'hours']),
          remedy: 'Give it more hours, or put smaller models, fewer epochs or smaller slices into the file.',
        },
      );
  }
  const flops = (of: readonly StoredTrial[]) => of.reduce((sum, trial) => sum + trial.flops, 0);
  return { runs: chosen, share: flops(chosen) / flops(stored.trials), problem };
}

/** What a sweep with a goal begins with, where nothing is there. */
function firstRuns({ trials }: StoredPlan, problem: GoalProblem): StoredTrial[] {
  const { runs } = chooseRound({ ...problem, results: new Map(), round: problem.goal.round, wasSure: false });
  return trials.filter(({ id }) => runs.some((one) => one.id === id));
}

/** So many times slower than assumed no machine is. */
const SLOWEST = 10;

/** Whether some trials take so little that nothing need be measured first. */
function hasRoom(trials: readonly StoredTrial[], stored: StoredPlan, limit: number): boolean {
  return SLOWEST * gridSeconds(trials, stored, ASSUMED) <= limit;
}

/** Wall seconds of some trials of a plan by its workers. */
export function gridSeconds(trials: readonly StoredTrial[], stored: StoredPlan, pace: Pace): number {
  const evaluated = evaluatedOf(stored);
  return roundSeconds(trials, (trial) => secondsAt(pace, trial, evaluated), stored.workers);
}
