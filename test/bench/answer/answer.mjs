/**
 * How much of a grid's compute does an answer take? Finished tables are replayed as if they were not yet run: `npm run bench:answer
 * [-- TABLE.csv ...] [--seeds 10] [--round 2] [--json FILE]`. The goal's rounds against the smallest first, successive halving over
 * slices and random order; the table answers, with the noise of one run. Regret is the metric of the best configuration of the
 * slice less that of the one named, in deviations of one run. Needs a build.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatTable } from '../../../dist/util/table.js';
import { readProblems } from './problems.mjs';
import { BUDGETS, ORDERS, replay } from './replay.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '10' },
    round: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
});
const shipped = ['srt', 'gemstones', 'ml100k-law'].map((name) =>
  fileURLToPath(new URL(`../../tables/${name}.csv`, import.meta.url)),
);
const seeds = Number(values.seeds);
const round = Number(values.round);
const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const median = (list) => [...list].sort((a, b) => a - b)[(list.length - 1) >> 1];

const goals = readProblems(positionals.length > 0 ? positionals : shipped).map((problem) => {
  const orders = {};
  const stops = [];
  for (const order of ORDERS) {
    const runs = Array.from({ length: seeds }, (_, seed) => replay(problem, order, seed, { round }));
    orders[order] = BUDGETS.map((_, b) => mean(runs.map(({ regrets }) => regrets[b])));
    stops.push(...runs.flatMap(({ stop }) => stop ?? []));
  }
  // the last budget is the whole grid, the same in every order
  const full = mean(ORDERS.map((order) => orders[order].at(-1)));
  const reach = (order) =>
    BUDGETS.find((_, b) => orders[order].slice(b).every((regret) => regret <= full + 1)) ?? 1;
  const { family, target, pool, options, noise } = problem;
  return {
    family,
    target,
    runs: pool.length,
    configurations: options.length,
    noise,
    full,
    orders,
    reach: Object.fromEntries(ORDERS.map((order) => [order, reach(order)])),
    stop: {
      known: mean(stops.map(({ reason }) => Number(reason === 'known'))),
      spent: mean(stops.map(({ spent }) => spent)),
      regret: mean(stops.map(({ regret }) => regret)),
      within: mean(stops.map(({ regret }) => Number(regret <= 1))),
    },
  };
});

const percent = (share) => `${Number((100 * share).toPrecision(2))} %`;
const two = (value) => value.toFixed(2);
const families = [...new Set(goals.map(({ family }) => family))].map((family) => {
  const own = goals.filter((goal) => goal.family === family);
  return {
    family,
    goals: own.length,
    noise: median(own.map(({ noise }) => noise)),
    orders: Object.fromEntries(
      ORDERS.map((order) => [
        order,
        {
          regrets: BUDGETS.map((_, b) => mean(own.map(({ orders }) => orders[order][b]))),
          reach: median(own.map(({ reach }) => reach[order])),
          worst: Math.max(...own.map(({ reach }) => reach[order])),
        },
      ]),
    ),
    stop: Object.fromEntries(
      ['known', 'spent', 'regret', 'within'].map((name) => [name, mean(own.map(({ stop }) => stop[name]))]),
    ),
  };
});
console.log(
  `regret of what is named, in deviations of one run, by the share of the grid's compute; mean of ${seeds} seeds of noise and of the goals of a family\n`,
);
console.log(
  formatTable(
    ['table', 'order', ...BUDGETS.map(percent), "full grid's regret at", 'worst goal'],
    families.flatMap(({ family, goals: count, orders }) =>
      ORDERS.map((order, i) => [
        i === 0 ? `${family} (${count})` : '',
        order,
        ...orders[order].regrets.map(two),
        percent(orders[order].reach),
        percent(orders[order].worst),
      ]),
    ),
  ),
);
console.log('\nwhere the rounds of a goal stop by themselves, tolerance one deviation of a run\n');
console.log(
  formatTable(
    ['table', 'noise of a run', 'compute', 'regret', 'within tolerance', 'says it knows'],
    families.map(({ family, noise, stop }) => [
      family,
      percent(noise),
      percent(stop.spent),
      two(stop.regret),
      percent(stop.within),
      percent(stop.known),
    ]),
  ),
);
const ahead = BUDGETS.slice(0, -1).map(
  (_, b) =>
    families.filter(({ orders }) =>
      ORDERS.every((order) => orders.goal.regrets[b] <= orders[order].regrets[b] + 1e-9),
    ).length,
);
console.log(
  `\nno order is ahead of the goal's in ${ahead.map((count, b) => `${count} at ${percent(BUDGETS[b])}`).join(', ')} of ${families.length} families`,
);
if (values.json)
  writeFileSync(values.json, JSON.stringify({ budgets: BUDGETS, seeds, round, families, goals }, null, 1));
