/**
 * One goal replayed: runs are made in some order, the table answering with noise, until a budget is spent, and one configuration is
 * named. A budget is known from the beginning, as a goal's hours are: what does not fit is passed over for what does.
 */
import { believe, chooseRound } from '../../../dist/law/goal/choose-round.js';
import { scalesOf } from '../../../dist/law/goal/surrogate.js';
import { createRandom } from '../../../dist/util/random.js';

export const ORDERS = ['goal', 'smallest first', 'halving', 'random'];
/** Shares of the whole grid's compute. */
export const BUDGETS = [0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1];
const CONFIDENCE = 0.9;
const ETA = 3;

/**
 * @returns regret in deviations of one run at every budget, and for `goal` where it stopped and why; every order names by the same belief.
 */
export function replay(problem, order, seed, { round }) {
  const { pool, options, direction, unit, total, noise } = problem;
  const random = createRandom('noise', seed, problem.family, problem.target);
  const values = new Map(pool.map((run) => [run.id, run.truth * Math.exp(noise * random.normal())]));
  const question = { pool, options, direction, tolerance: unit, confidence: CONFIDENCE };
  const scales = scalesOf(pool);
  const regretOf = ({ layers, dim }) => {
    const { truth } = options.find((one) => one.layers === layers && one.dim === dim);
    return Math.abs(problem.best - truth) / unit;
  };
  const cost = (runs) => runs.reduce((sum, run) => sum + run.cost, 0) / total;
  const resultsOf = (runs) => new Map(runs.map(({ id }) => [id, values.get(id)]));
  const name = (runs) =>
    regretOf(options[believe({ ...question, results: resultsOf(runs) }, scales).standing.chosen]);
  const within = (budget) => (runs) => cost(runs) <= budget + 1e-9;
  if (order !== 'goal') {
    const sorted = ordered(problem, order, seed, values);
    const madeBy = (fits) => {
      const made = [];
      for (const run of sorted) if (fits([...made, run])) made.push(run);
      return made;
    };
    return { regrets: BUDGETS.map((budget) => name(madeBy(within(budget)))) };
  }
  const steps = [...rounds(question, resultsOf, round)];
  const first = steps.find(({ stop }) => stop);
  const stop = { reason: first.stop, spent: cost(first.made), regret: regretOf(first.named) };
  // the same decisions up to the first round that does not fit as a whole; from there on what fits
  const regrets = BUDGETS.map((budget) => {
    const fits = within(budget);
    const begin = steps.findLast(({ made }) => fits(made)) ?? { made: [], wasSure: false };
    const last = [...rounds(question, resultsOf, round, begin, fits)].at(-1);
    return name(last.made.length > 0 ? last.made : begin.made);
  });
  return { regrets, stop };
}

/** What was made before every round of a goal. Goes on after it would have stopped, so that every budget is spent. */
function* rounds(question, resultsOf, round, begin = { made: [], wasSure: false }, fitsAll = () => true) {
  const runs = new Map(question.pool.map((run) => [run.id, run]));
  let { made, wasSure } = begin;
  for (;;) {
    const fits = (run, chosen) => fitsAll([...made, ...chosen, run]);
    const decision = chooseRound({ ...question, results: resultsOf(made), round, wasSure, fits });
    yield { made, wasSure, stop: decision.stop, named: decision.named };
    if (decision.stop && (decision.stop !== 'known' || !wasSure)) break;
    wasSure = decision.stop ? false : decision.sure;
    made = [...made, ...decision.runs.map(({ id }) => runs.get(id))];
  }
  for (const run of question.pool.filter((one) => !made.includes(one)).sort((a, b) => a.cost - b.cost))
    if (fitsAll([...made, run])) made = [...made, run];
  yield { made, wasSure: false };
}

function ordered({ pool, direction, family, target }, order, seed, values) {
  const sorted = [...pool].sort((a, b) => a.cost - b.cost);
  if (order === 'smallest first') return sorted;
  if (order === 'random') return createRandom('order', seed, family, target).shuffle(sorted);
  // halving: all sizes on the smallest slice, the best of every three on the next; what it left out comes last
  const sign = direction === 'minimize' ? -1 : 1;
  const slices = [...new Set(sorted.map(({ slice }) => slice))].sort(
    (a, b) =>
      (pool.find(({ slice }) => slice === a).tokens ?? 0) -
      (pool.find(({ slice }) => slice === b).tokens ?? 0),
  );
  const key = ({ layers, dim }) => `${layers}/${dim}`;
  const list = [];
  let kept;
  for (const name of slices) {
    const own = sorted.filter((run) => run.slice === name && (!kept || kept.has(key(run))));
    list.push(...own);
    const ranked = [...own].sort((a, b) => sign * (values.get(b.id) - values.get(a.id)));
    if (own.length > 0) kept = new Set(ranked.slice(0, Math.ceil(own.length / ETA)).map(key));
  }
  return [...list, ...sorted.filter((run) => !list.includes(run))];
}
