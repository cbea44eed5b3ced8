/**
 * How well is a slice predicted from the smaller ones of its data set? Every size from the fourth on, at the configurations within what
 * was measured on the smaller ones: as `predict --tokens` would have said it before.
 */
import { makeDataOutlook } from '../../../dist/law/trust/outlook.js';
import { seriesOf } from '../series.mjs';

/** Sizes that the product asks for. */
const SIZES = 3;

/** @param panels of tables.mjs. @returns a case for every size, as forecast.mjs has them of levels. */
export function dataCases(panels, level) {
  const groups = new Map();
  for (const panel of panels) {
    const key = `${panel.family}/${panel.metric}`;
    groups.set(key, [...(groups.get(key) ?? []), panel]);
  }
  return [...groups.values()].flatMap((own) =>
    seriesOf(new Map(own.map(({ slice, tokens }) => [slice, tokens]))).flatMap((names) => {
      const sizes = own.filter(({ slice }) => names.includes(slice)).sort((a, b) => a.tokens - b.tokens);
      return sizes.slice(SIZES).flatMap((panel, i) => caseOf(panel, sizes.slice(0, SIZES + i), level) ?? []);
    }),
  );
}

function caseOf({ family, slice, metric, direction, tokens, points }, smaller, level) {
  const known = smaller.flatMap((panel) =>
    panel.points.map((point) => ({ ...point, x: { ...point.x, data: panel.tokens } })),
  );
  const most = (axis) => Math.max(...known.map(({ x }) => x[axis]));
  const [layers, dim] = [most('layers'), most('dim')];
  const asked = points.filter(({ x }) => x.layers <= layers && x.dim <= dim);
  if (asked.length === 0) return undefined;
  const outlook = makeDataOutlook(known, tokens, { metric, direction, level });
  const runs = asked.flatMap(({ x, runs }) => {
    const { forecast } = outlook.expect(x);
    return runs.map((measured) => ({ measured, forecast }));
  });
  const rmse = (say) =>
    Math.sqrt(runs.reduce((sum, one) => sum + (say(one) - one.measured) ** 2, 0) / runs.length);
  const nearest = rmse(({ forecast }) => forecast.nearest);
  return {
    family,
    slice,
    metric,
    axis: 'data',
    axisName: 'data',
    level: tokens,
    times: tokens / smaller.at(-1).tokens,
    configurations: asked.length,
    nearest,
    ratios: { forecast: rmse(({ forecast }) => forecast.value) / nearest },
    calibrated: runs.every(({ forecast }) => forecast.calibrated),
    errors: runs.map(({ forecast, measured }) => forecast.value - measured),
    widths: runs.map(({ forecast }) => forecast.interval[1] - forecast.interval[0]),
    inside: runs.map(
      ({ forecast, measured }) => measured >= forecast.interval[0] && measured <= forecast.interval[1],
    ),
  };
}
