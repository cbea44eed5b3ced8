/** What `perflaw sweep` says of a goal: the start, every round's decision, and the end. */
import type { Named } from '../../law/goal/choose-round.js';
import { placeWords, stopWords } from '../../report/words/goal-words.js';
import type { GoalStart } from '../../sweep/run/goal/rounds.js';
import type { StoredDecision } from '../../sweep/store/decisions.js';
import type { StoredGoal, StoredPlan, StoredTrial } from '../../sweep/store/layout.js';
import { formatCount, formatDuration } from '../../util/format.js';

const number = (value: number) => value.toFixed(4).replace(/^0\./, '.');
const percent = (share: number) => {
  const value = 100 * share;
  return `${value >= 10 || value === 0 ? Math.round(value) : Number(value.toPrecision(1))} %`;
};

function namedWords(named: Named, { metric, tolerance }: StoredGoal): string {
  const { interval, within } = named;
  const where = interval ? `, ${metric} in [${interval.map(number).join(', ')}]` : '';
  return `${placeWords(named)}${where}, within ${tolerance} of the best with ${percent(within)}`;
}

/** A round in a line. */
export function decisionLine(decision: StoredDecision, round: number, goal: StoredGoal): string {
  const { runs, named, known, stop } = decision;
  const spent = `${known.runs === 1 ? '1 run' : `${known.runs} runs`} known for ${percent(known.spent)} of the grid's FLOPs`;
  const belief = named ? `${spent}: ${namedWords(named, goal)}` : 'nothing is known yet';
  if (stop) return `Stop: ${belief}.`;
  const repeats = runs.filter(({ purpose }) => purpose === 'repeat').length;
  return `Round ${round + 1}: ${belief}. ${runs.length === 1 ? 'Next 1 run' : `Next ${runs.length} runs`}${round === 0 ? ', cheap and far apart' : ''}${repeats > 0 ? `, ${repeats} of them further seeds` : ''}.`;
}

/** What a sweep with a goal came to. */
export function goalEnd(decisions: readonly StoredDecision[], goal: StoredGoal): string {
  const last = decisions.at(-1)!;
  if (!last.stop) return `The goal is still open after ${decisions.length} rounds: the same command goes on.`;
  const cost = `${percent(last.known.spent)} of what the whole grid costs`;
  const answer = last.named ? `To train: ${namedWords(last.named, goal)}.\n` : '';
  return `${answer}It stopped because ${stopWords(last.stop, goal)}, after ${last.known.runs} runs and ${cost}.`;
}

/** What would be begun with, for `--dry-run`. */
export function startWords(
  { runs, share, problem }: GoalStart,
  { trials }: StoredPlan,
  secondsOf: (trials: StoredTrial[]) => number,
): string {
  const { goal, options } = problem;
  const limits = [
    ...(goal.params === undefined ? [] : [`${formatCount(goal.params)} parameters`]),
    ...(goal.flops === undefined ? [] : [`${formatCount(goal.flops)} training FLOPs`]),
    ...(goal.hours === undefined ? [] : [`${formatDuration(3600 * goal.hours)} of the sweep`]),
  ];
  return [
    `Goal: the cheapest configuration within ${goal.tolerance} of the best ${goal.metric}, with ${percent(goal.confidence)}${limits.length > 0 ? `, within ${limits.join(' and ')}` : ''}; ${options.length} configurations are weighed.`,
    `It begins with ${runs.length} of ${trials.length} runs (${percent(share)} of the grid's FLOPs, about ${formatDuration(secondsOf(runs))}); then ${goal.round} a round, until it is known, the hours are spent or no run would help. The whole grid would take about ${formatDuration(secondsOf(trials))}.`,
  ].join('\n');
}
