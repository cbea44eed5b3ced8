/**
 * How far beyond what was measured does a forecast hold? Of every panel of a folder of tables, from three levels of an axis on, all runs
 * above are predicted, not only those of the next level: `node test/bench/forecast/far.mjs [FOLDER]`. By how many times farther out
 * they lie: share inside nominal 90 % intervals, error over that of the nearest run, over all runs. Other slices tell nothing. Needs a build.
 */
import { fileURLToPath } from 'node:url';
import { carriedOver, stepsOf } from '../../../dist/law/forecast/axes.js';
import { makeForecaster } from '../../../dist/law/forecast/forecast.js';
import { formatTable } from '../../../dist/util/table.js';
import { AXES, FORMS, readTables } from './tables.mjs';

const folder = process.argv[2] ?? fileURLToPath(new URL('../../tables', import.meta.url));
const LEVEL = 0.9;
const KNOWN = 3;
/** Upper ends, a little above so that a step of exactly so many times belongs to it. */
const TIMES = [2.01, 4.01, 8.01, Number.POSITIVE_INFINITY];

const rows = new Map();
const rowOf = (name) => {
  if (!rows.has(name))
    rows.set(
      name,
      TIMES.map(() => ({ runs: 0, inside: 0, squares: 0, nearest: 0 })),
    );
  return rows.get(name);
};

for (const { family, metric, direction, words, points } of readTables(folder).panels)
  for (const axis of AXES)
    for (const [cut] of stepsOf(points, axis).slice(KNOWN)) {
      const lower = points.filter(({ x }) => x[axis] < cut);
      if (lower.length < KNOWN) continue;
      const forecaster = makeForecaster(lower, { metric, direction, forms: FORMS, axes: AXES });
      const end = Math.max(...lower.map(({ x }) => x[axis]));
      for (const point of points.filter(({ x }) => x[axis] >= cut)) {
        if (!forecaster.isOpen(point.x)) continue;
        const said = forecaster.at(point.x, LEVEL);
        const nearest = carriedOver(lower, point.x, AXES);
        const bin = TIMES.findIndex((times) => point.x[axis] / end <= times);
        for (const name of [`${family}, ${words[axis]}`, 'all']) {
          const cell = rowOf(name)[bin];
          for (const run of point.runs) {
            cell.runs++;
            if (run >= said.interval[0] && run <= said.interval[1]) cell.inside++;
            cell.squares += (said.value - run) ** 2;
            cell.nearest += (nearest - run) ** 2;
          }
        }
      }
    }

const cell = ({ runs, inside, squares, nearest }) =>
  runs === 0
    ? '-'
    : `${Math.round((100 * inside) / runs)} % of ${runs}, ${Math.sqrt(squares / nearest).toFixed(2)}`;
console.log(`inside ${100 * LEVEL} % of how many runs, error over that of the nearest run\n`);
console.log(
  formatTable(
    ['table, towards larger', 'up to 2 times', 'up to 4', 'up to 8', 'farther'],
    [...rows].map(([name, cells]) => [name, ...cells.map(cell)]),
  ),
);
