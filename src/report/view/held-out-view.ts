/** What laws fitted without the largest models predict of them, for the figure that shows it. */
import type { FormName } from '../../law/forms/form.js';
import type { Observation } from '../../law/points/observation.js';
import { type Panel, toPoints } from '../../law/points/points.js';
import { type HoldoutOptions, holdOut } from '../../law/trust/holdout.js';
import { withholdBy } from '../../law/trust/withhold.js';
import { UserError } from '../../util/errors.js';
import type { LawView } from './view.js';

/** As much as leaves three values of every axis: curved terms need them. */
function splitFor(observations: readonly Observation[], metric: string) {
  const { points } = toPoints(observations, metric);
  const levels = (among: typeof points, axis: 'layers' | 'dim') =>
    new Set(among.map((point) => point.x[axis])).size;
  const isEnough = (axis: 'layers' | 'dim', kept: typeof points) =>
    levels(kept, axis) >= Math.min(3, levels(points, axis));
  return (['both', 'dim', 'layers', 'corner'] as const).find((split) => {
    const parted = withholdBy(points, split);
    return parted && isEnough('layers', parted.kept) && isEnough('dim', parted.kept);
  });
}

/** Slice by slice; those with too little to withhold are left out. */
export async function heldOutView(
  panels: readonly Panel[],
  { form, ...options }: Omit<HoldoutOptions, 'split'> & { form?: FormName },
): Promise<LawView['heldOut']> {
  const view: NonNullable<LawView['heldOut']> = { slices: [], points: [] };
  for (const panel of panels) {
    const { slice } = panel;
    const split = splitFor(panel.observations, options.metric);
    if (!split) continue;
    try {
      const forms = form === undefined ? {} : { forms: [form] };
      const found = await holdOut(panel, { ...options, split, chosenOnly: true, ...forms });
      view.slices.push({ slice, form: found.chosen, what: found.what });
      for (const { layers, dim, measured, predicted, interval } of found.forms[0]!.runs)
        view.points.push({
          slice,
          layers,
          dim,
          measured,
          predicted: {
            value: predicted,
            low: interval?.[0] ?? predicted,
            high: interval?.[1] ?? predicted,
          },
        });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  return view.points.length > 0 ? view : undefined;
}
