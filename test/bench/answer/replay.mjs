/** One goal replayed: runs are made in some order, the table answering with noise, and at every budget one configuration is named. */
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
  const results = new Map();
  const regrets = [];
  let spent = 0;
  let named;
  const regretOf = ({ layers, dim }) => {
    const { truth } = options.find((one) => one.layers === layers && one.dim === dim);
    return Math.abs(problem.best - truth) / unit;
  };
  const name = () => {
    named ??= regretOf(options[believe({ ...question, results }, scales).standing.chosen]);
    return named;
  };
  /** Everything up to a budget is named from what was made before the run that passes it. */
  const make = (run) => {
    const after = spent + run.cost / total;
    while (regrets.length < BUDGETS.length && after > BUDGETS[regrets.length] + 1e-9) regrets.push(name());
    spent = after;
    results.set(run.id, values.get(run.id));
    named = undefined;
  };
  let stop;
  if (order === 'goal') stop = playGoal(question, results, make, round, () => spent);
  else for (const run of ordered(problem, order, seed, values)) make(run);
  while (regrets.length < BUDGETS.length) regrets.push(name());
  return { regrets, ...(stop ? { stop: { ...stop, regret: regretOf(stop.named) } } : {}) };
}

/** Goes on after it would have stopped, so that every budget is spent. */
function playGoal(question, results, make, round, spent) {
  const runs = new Map(question.pool.map((run) => [run.id, run]));
  let stop;
  let wasSure = false;
  for (;;) {
    const decision = chooseRound({ ...question, results, round, wasSure });
    if (decision.stop && !stop) stop = { reason: decision.stop, named: decision.named, spent: spent() };
    if (decision.stop && (decision.stop !== 'known' || !wasSure)) {
      const left = question.pool.filter(({ id }) => !results.has(id)).sort((a, b) => a.cost - b.cost);
      for (const run of left) make(run);
      return stop;
    }
    wasSure = decision.stop ? false : decision.sure;
    for (const { id } of decision.runs) make(runs.get(id));
  }
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
