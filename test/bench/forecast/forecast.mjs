/**
 * How well is a level predicted from the lower ones? Every table of a folder, every slice, metric and axis, every level from the
 * third on: `npm run bench:forecast [-- FOLDER] [--json FILE] [--figure SVG] [--largest] [--forms] [--slices] [--alone] [--leave-out]`. Error over that of the nearest run (geometric mean of
 * the levels), share of levels on which it is below, worst level; share of runs inside nominal 90 % intervals, and their median
 * width over the forecast's RMSE. `--largest` takes the largest level of each axis alone; `--forms` leaves the old rule out, which takes
 * most of the time; with `--slices`
 * every level was measured on the other slices of a table, else they tell of the lower levels only, and with `--alone` of nothing.
 * Towards more data (from the fourth slice of a data set on) the forecast alone is tried, as `predict --tokens` has it.
 * `--leave-out` chooses the constants of the intervals anew on all tables but one, for each. Needs a build.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { roll } from '../../../dist/law/trust/rolling.js';
import { formatTable } from '../../../dist/util/table.js';
import { dataCases } from './data-axis.mjs';
import { choices, leaveOut, spreadOf } from './leave-out.mjs';
import { AXES, FORMS, readTables } from './tables.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    figure: { type: 'string' },
    largest: { type: 'boolean', default: false },
    forms: { type: 'boolean', default: false },
    slices: { type: 'boolean', default: false },
    alone: { type: 'boolean', default: false },
    'leave-out': { type: 'boolean', default: false },
  },
});
const folder = positionals[0] ?? fileURLToPath(new URL('../../tables', import.meta.url));
const LEVEL = 0.9;
const WAYS = [...FORMS, 'old rule', 'forecast'];

const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

const { panels, left } = readTables(folder);
const othersOf = ({ family, metric, slice }) =>
  panels
    .filter((one) => one.family === family && one.metric === metric && one.slice !== slice)
    .flatMap(({ points }) => points);
const cases = [];
for (const panel of panels)
  for (const axis of AXES) {
    const levels = roll(panel.points, axis, {
      metric: panel.metric,
      direction: panel.direction,
      forms: FORMS,
      axes: AXES,
      level: LEVEL,
      compare: !values.forms,
      ...(values.alone ? {} : { others: othersOf(panel) }),
      known: values.slices,
    });
    for (const level of values.largest ? levels.slice(-1) : levels) cases.push(judge(panel, axis, level));
  }

if (!values.largest) cases.push(...dataCases(panels, LEVEL));

function judge({ family, slice, metric, words }, axis, level) {
  const runs = level.points.flatMap((one) => one.point.runs.map((measured) => ({ ...one, measured })));
  const rmse = (say) => Math.sqrt(mean(runs.map((one) => (say(one) - one.measured) ** 2)));
  const says = {
    ...Object.fromEntries(FORMS.map((form) => [form, ({ forms }) => forms[form]])),
    'old rule': ({ forms }) => forms[level.chosen],
    forecast: ({ forecast }) => forecast.value,
  };
  const nearest = rmse((one) => one.nearest);
  return {
    family,
    slice,
    metric,
    axis,
    axisName: words[axis],
    level: level.values[0],
    configurations: level.points.length,
    nearest,
    ratios: Object.fromEntries(WAYS.map((way) => [way, rmse(says[way]) / nearest])),
    calibrated: level.points.every(({ forecast }) => forecast.calibrated),
    ...(values['leave-out'] ? { tries: choices.map((one) => spreadOf(level, one, LEVEL)) } : {}),
    errors: runs.map(({ forecast, measured }) => forecast.value - measured),
    widths: runs.map(({ forecast }) => forecast.interval[1] - forecast.interval[0]),
    inside: runs.map(
      ({ forecast, measured }) => measured >= forecast.interval[0] && measured <= forecast.interval[1],
    ),
  };
}

const rows = [];
for (const family of new Set(cases.map((one) => one.family)))
  for (const axis of ['dim', 'layers', 'data']) {
    const own = cases.filter((one) => one.family === family && one.axis === axis && one.nearest > 0);
    if (own.length === 0) continue;
    const ways = Object.fromEntries(
      WAYS.map((way) => {
        const ratios = own.map(({ ratios }) => ratios[way]).filter(Number.isFinite);
        return [
          way,
          {
            cases: ratios.length,
            error: Math.exp(mean(ratios.map((ratio) => Math.log(Math.max(ratio, 1e-9))))),
            wins: mean(ratios.map((ratio) => (ratio < 1 ? 1 : 0))),
            worst: Math.max(...ratios),
          },
        ];
      }),
    );
    const coverage = (list) => {
      if (list.length === 0) return null;
      const rmse = Math.sqrt(mean(list.flatMap(({ errors }) => errors.map((error) => error ** 2))));
      return {
        runs: list.flatMap(({ inside }) => inside).length,
        inside: mean(list.flatMap(({ inside }) => inside.map(Number))),
        width: median(list.flatMap(({ widths }) => widths)) / rmse,
      };
    };
    rows.push({
      family,
      axis: own[0].axisName,
      levels: own.length,
      ways,
      intervals: { all: coverage(own), calibrated: coverage(own.filter(({ calibrated }) => calibrated)) },
    });
  }

const two = (value) =>
  Number.isFinite(value) ? (value >= 100 ? value.toExponential(0) : value.toFixed(2)) : '-';
const percent = (value) => (Number.isFinite(value) ? `${Math.round(100 * value)} %` : '-');
console.log(
  `error over that of the nearest run, geometric mean${values.largest ? ', largest level only' : ''}\n`,
);
console.log(
  formatTable(
    ['table', 'towards larger', 'levels', ...WAYS],
    rows.map(({ family, axis, levels, ways }) => [
      family,
      axis,
      String(levels),
      ...WAYS.map((way) => two(ways[way].error)),
    ]),
  ),
);
console.log(
  `\nthe forecast: levels better than the nearest run, worst level, nominal ${100 * LEVEL} % intervals\n`,
);
const intervals = (one) => (one ? [percent(one.inside), two(one.width)] : ['-', '-']);
console.log(
  formatTable(
    [
      'table',
      'towards larger',
      'wins',
      'worst',
      'old rule: wins',
      'worst',
      'inside',
      'width/RMSE',
      'calibrated: inside',
      'width/RMSE',
    ],
    rows.map(({ family, axis, ways, intervals: { all, calibrated } }) => [
      family,
      axis,
      percent(ways.forecast.wins),
      two(ways.forecast.worst),
      percent(ways['old rule'].wins),
      two(ways['old rule'].worst),
      ...intervals(all),
      ...intervals(calibrated),
    ]),
  ),
);
for (const { file, reason } of left) console.log(`left out: ${file}, ${reason}`);
if (values['leave-out'])
  console.log(leaveOut(cases.filter(({ nearest, axis }) => nearest > 0 && axis !== 'data')));
if (values.json)
  writeFileSync(
    values.json,
    JSON.stringify(
      { folder: folder.split('/').at(-1), level: LEVEL, rows, cases: cases.map(({ tries, ...one }) => one) },
      null,
      1,
    ),
  );
if (values.figure) await (await import('./figure.mjs')).writeFigure(rows, values.figure);
