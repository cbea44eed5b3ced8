/**
 * Would constants of the intervals that were chosen on all tables but one serve that one? Every choice is made by the coverage and
 * the width of nominal 90 % intervals on the others, and judged on the table that was left out.
 */
import { CALIBRATION } from '../../../dist/law/forecast/spread.js';
import { formatTable } from '../../../dist/util/table.js';

/** What is chosen among. */
export const choices = [0.3, 0.45, 0.6, 0.75].flatMap((factor) =>
  [2, 3, 4].flatMap((levels) =>
    [0.5, 1].flatMap((wrong) => [1, 2, 3].map((noises) => ({ factor, levels, wrong, noises }))),
  ),
);
/** What is sought: a little inside the goals of 85 to 97 % and a median width of 4 RMSE, and within them near the middle. */
const SOUGHT = { least: 0.87, middle: 0.91, most: 0.96, width: 3.8 };

/** Which runs of a level lie inside, and how wide the intervals are, with these constants. */
export function spreadOf({ forecaster, points }, calibration, level) {
  const runs = points.flatMap(({ point }) => {
    const [low, high] = forecaster.at(point.x, level, calibration).interval;
    return point.runs.map((run) => ({ inside: run >= low && run <= high, width: high - low }));
  });
  return { inside: runs.map(({ inside }) => inside), widths: runs.map(({ width }) => width) };
}

const sum = (list) => list.reduce((a, b) => a + b, 0);
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/** Coverage and width of one table towards one axis with choice `i`. */
function found(own, i) {
  const inside = own.flatMap(({ tries }) => tries[i].inside.map(Number));
  const errors = own.flatMap(({ errors }) => errors);
  const rmse = Math.sqrt(sum(errors.map((error) => error ** 2)) / errors.length);
  return {
    inside: sum(inside) / inside.length,
    width: median(own.flatMap(({ tries }) => tries[i].widths)) / rmse,
  };
}

/** Per cent of coverage outside what is sought, a tenth of those from the middle, and ten for every RMSE too wide. */
const costOf = ({ inside, width }) =>
  100 * Math.max(0, SOUGHT.least - inside, inside - SOUGHT.most) +
  10 * Math.abs(inside - SOUGHT.middle) +
  10 * Math.max(0, width - SOUGHT.width);

/** @param cases levels with `tries`, one for each choice. @returns the table. */
export function leaveOut(cases) {
  const families = [...new Set(cases.map(({ family }) => family))];
  const axes = ['dim', 'layers'];
  const groups = families.flatMap((family) =>
    axes.flatMap((axis) => {
      const own = cases.filter((one) => one.family === family && one.axis === axis);
      return own.length > 0
        ? [{ family, axis: own[0].axisName, by: choices.map((_, i) => found(own, i)) }]
        : [];
    }),
  );
  const best = (some) => {
    const costs = choices.map((_, i) => sum(some.map(({ by }) => costOf(by[i]))));
    return costs.indexOf(Math.min(...costs));
  };
  const words = (i) =>
    Object.entries(choices[i])
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  const rows = families.flatMap((family) => {
    const chosen = best(groups.filter((one) => one.family !== family));
    return groups
      .filter((one) => one.family === family)
      .map(({ axis, by }) => [
        family,
        axis,
        words(chosen),
        `${Math.round(100 * by[chosen].inside)} %`,
        by[chosen].width.toFixed(2),
      ]);
  });
  return [
    '\nconstants chosen on all tables but the one that is judged\n',
    formatTable(['left out', 'towards larger', 'chosen on the others', 'inside', 'width/RMSE'], rows),
    `\nchosen on all: ${words(best(groups))}; as they are: ${words(
      choices.findIndex((one) => Object.keys(one).every((name) => one[name] === CALIBRATION[name])),
    )}`,
  ].join('\n');
}
