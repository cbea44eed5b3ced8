/**
 * The honest trial of a law: part of what was measured is kept back, every form is fitted to the rest, and its predictions,
 * with their intervals, are set against the runs kept back. Which form would have been trusted is decided on the rest alone.
 */
import { UserError } from '../../util/errors.js';
import { carriedOver } from '../forecast/axes.js';
import type { FormName } from '../forms/form.js';
import { FORM_NAMES } from '../forms/forms.js';
import { type Panel, type Point, toPoints } from '../points/points.js';
import { type CompareOptions, compareForms } from './compare.js';
import { forecastForms, makeOutlook } from './outlook.js';
import { type RolledLevel, roll } from './rolling.js';
import {
  type Bootstrap,
  type BootstrapOptions,
  bootstrap,
  type Interval,
  predictWithInterval,
} from './uncertainty.js';
import { type HoldoutSplit, withholdBy } from './withhold.js';

/** One run that the law had not seen. */
export interface UnseenRun {
  layers: number;
  dim: number;
  measured: number;
  predicted: number;
  /** Where one new run was expected; null without replicates. */
  interval: Interval | null;
  inside: boolean | null;
}

/** What predicts beyond what was measured, beside the forms. */
export const FORECAST = 'forecast';

/** One form, or the forecast, against the runs that were withheld. */
export interface FormHoldout {
  form: FormName | typeof FORECAST;
  /** Chosen by what was not withheld. */
  chosen: boolean;
  /** Root mean square error over the runs withheld. */
  rmse: number | null;
  /** The same over their standard deviation: above 1, their own mean would have told more. Null where they do not vary. */
  relative: number | null;
  /** Mean of predicted less measured. */
  bias: number | null;
  /** Share of the runs inside their interval. */
  coverage: number | null;
  /** Mean width of the intervals. */
  width: number | null;
  runs: UnseenRun[];
  /** What the form had to leave out, for too few values were left. */
  notes: string[];
  /** Why there is no fit. */
  reason?: string;
}

/** Every form against the runs that were withheld of one panel. */
export interface PanelHoldout {
  slice: string;
  group: Record<string, string | number>;
  label: string;
  what: string;
  /** Configurations fitted to, and withheld. */
  trained: number;
  tested: number;
  chosen: FormName;
  because: string;
  forms: FormHoldout[];
  /** Without any law: each run predicted by the nearest configuration (in the logarithms of layers and dim) that was kept. */
  nearest: Pick<FormHoldout, 'rmse' | 'relative' | 'bias'>;
  /** Every level of the axes concerned, from the third on, predicted from the lower ones; empty for other splits. */
  rolling: RollingHoldout[];
}

/** One level predicted from the lower ones. */
export interface RollingHoldout {
  axis: 'layers' | 'dim';
  /** Values of the axis that were predicted together. */
  values: number[];
  trained: number;
  tested: number;
  /** Root mean square errors. */
  rmse: { nearest: number; forecast: number; forms: Partial<Record<FormName, number>> };
  /** Of the forecast's intervals. */
  coverage: number;
  width: number;
  /** How many times beyond what was fitted to, at most. */
  beyond: number;
  calibrated: boolean;
}

/** What to withhold, and how to fit and to bootstrap. */
export interface HoldoutOptions extends CompareOptions, BootstrapOptions {
  metric: string;
  split: HoldoutSplit;
  /** Points of other slices with the same setting: of what is withheld here they tell nothing either. */
  others?: readonly Point[];
  /** Predictions of the form alone that is chosen. */
  chosenOnly?: boolean;
}

/**
 * Withholds part of one panel and predicts it with every form.
 * @throws UserError when nothing can be withheld, or no form can be fitted to what is left.
 */
export async function holdOut(panel: Panel, options: HoldoutOptions): Promise<PanelHoldout> {
  const { metric, split } = options;
  const { points } = toPoints(panel.observations, metric, options.variables);
  const parted = withholdBy(points, split, options.variables);
  if (!parted)
    throw new UserError(
      `nothing can be withheld of ${panel.label}: without ${typeof split === 'string' ? wordsOf(split) : 'that share'} an axis would have one value only, or nothing would be left`,
      { place: '--holdout', remedy: 'Measure more values of layers and dim, or withhold something else.' },
    );
  const { kept, withheld, what } = parted;
  const comparison = compareForms(kept, metric, options);
  const forms: FormHoldout[] = [];
  let chosen: Bootstrap | undefined;
  for (const form of options.forms ?? FORM_NAMES) {
    if (options.chosenOnly && form !== comparison.chosen) continue;
    const fit = comparison.fits[form];
    if (!fit) {
      const reason = comparison.scores.find((score) => score.form === form)?.reason;
      forms.push({ ...EMPTY, form, chosen: false, reason });
      continue;
    }
    const boot = await bootstrap(fit, options);
    if (form === comparison.chosen) chosen = boot;
    const runs = withheld.flatMap((point) =>
      unseen(point, predictWithInterval(boot, { ...point.x, slice: point.slice }), boot.draws.length > 0),
    );
    forms.push({ form, chosen: form === comparison.chosen, ...summarise(runs), runs, notes: fit.notes });
  }
  if (chosen && !options.chosenOnly) {
    const placeOf = ({ x }: Point) => `${x.layers}/${x.dim}`;
    const unknown = new Set(withheld.map(placeOf));
    const others = options.others?.filter((point) => !unknown.has(placeOf(point)));
    const outlook = makeOutlook(kept, chosen, {
      metric,
      forms: options.forms,
      ...(others ? { others } : {}),
    });
    const runs = withheld.flatMap((point) => {
      const { value, interval, forecast } = outlook.expect({ ...point.x, slice: point.slice });
      return unseen(point, { value, interval }, forecast !== undefined || chosen!.draws.length > 0);
    });
    forms.push({ form: FORECAST, chosen: false, ...summarise(runs), runs, notes: [] });
  }
  return {
    slice: panel.slice,
    group: panel.group,
    label: panel.label,
    what,
    trained: kept.length,
    tested: withheld.length,
    chosen: comparison.chosen,
    because: comparison.because,
    forms,
    nearest: nearestOf(kept, withheld),
    rolling: options.chosenOnly ? [] : rolled(points, options),
  };
}

/** Every level of the axes that a split is about. */
function rolled(points: readonly Point[], { split, level, ...options }: HoldoutOptions): RollingHoldout[] {
  const axes =
    split === 'both' ? (['layers', 'dim'] as const) : split === 'dim' || split === 'layers' ? [split] : [];
  const { metric, direction, huber, p, bounds, link, forms, others } = options;
  return axes.flatMap((axis) =>
    roll(points, axis, {
      metric,
      direction,
      huber,
      p,
      bounds,
      link,
      level,
      forms: forecastForms(forms),
      ...(others ? { others } : {}),
      axes: ['layers', 'dim'],
      compare: false,
    }).map((one) => summariseLevel(axis, one)),
  );
}

function summariseLevel(axis: 'layers' | 'dim', { values, trained, points }: RolledLevel): RollingHoldout {
  const runs = points.flatMap((one) => one.point.runs.map((measured) => ({ ...one, measured })));
  const rmse = (say: (one: (typeof runs)[number]) => number) =>
    Math.sqrt(mean(runs.map((one) => (say(one) - one.measured) ** 2)));
  const names = Object.keys(points[0]!.forms);
  return {
    axis,
    values,
    trained,
    tested: points.length,
    rmse: {
      nearest: rmse(({ nearest }) => nearest),
      forecast: rmse(({ forecast }) => forecast.value),
      forms: Object.fromEntries(names.map((name) => [name, rmse(({ forms }) => forms[name]!)])),
    },
    coverage: mean(
      runs.map(({ forecast: { interval }, measured }) =>
        measured >= interval[0] && measured <= interval[1] ? 1 : 0,
      ),
    ),
    width: mean(points.map(({ forecast: { interval } }) => interval[1] - interval[0])),
    beyond: Math.exp(Math.max(...points.map(({ forecast }) => forecast.beyond.reduce((a, b) => a + b, 0)))),
    calibrated: points.every(({ forecast }) => forecast.calibrated),
  };
}

function nearestOf(kept: readonly Point[], withheld: readonly Point[]): PanelHoldout['nearest'] {
  const runs = withheld.flatMap((point) =>
    unseen(point, { value: carriedOver(kept, point.x, ['layers', 'dim']), interval: [null, null] }, false),
  );
  const { rmse, relative, bias } = summarise(runs);
  return { rmse, relative, bias };
}

const wordsOf = (split: string) =>
  ({ both: 'the largest of both', corner: 'their largest corner' })[split] ?? `the largest ${split}`;

const EMPTY = { rmse: null, relative: null, bias: null, coverage: null, width: null, runs: [], notes: [] };

function unseen(
  { x, runs }: Point,
  { value, interval }: { value: number; interval: Interval },
  hasInterval: boolean,
): UnseenRun[] {
  return runs.map((measured) => ({
    layers: x.layers!,
    dim: x.dim!,
    measured,
    predicted: value,
    interval: hasInterval ? interval : null,
    inside: hasInterval ? measured >= (interval[0] ?? 0) && measured <= (interval[1] ?? Infinity) : null,
  }));
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** Errors and coverage of predictions of unseen runs. */
export function summarise(
  runs: readonly UnseenRun[],
): Pick<FormHoldout, 'rmse' | 'relative' | 'bias' | 'coverage' | 'width'> {
  if (runs.length === 0) return { rmse: null, relative: null, bias: null, coverage: null, width: null };
  const errors = runs.map(({ predicted, measured }) => predicted - measured);
  const rmse = Math.sqrt(mean(errors.map((error) => error * error)));
  const centre = mean(runs.map(({ measured }) => measured));
  const spread = Math.sqrt(mean(runs.map(({ measured }) => (measured - centre) ** 2)));
  const judged = runs.filter(({ interval }) => interval !== null);
  return {
    rmse,
    relative: spread > 0 ? rmse / spread : null,
    bias: mean(errors),
    coverage: judged.length > 0 ? mean(judged.map(({ inside }) => (inside ? 1 : 0))) : null,
    width: judged.length > 0 ? mean(judged.map(({ interval }) => interval![1]! - interval![0]!)) : null,
  };
}
