/** `perflaw fit --holdout`: every form fitted without part of the runs, and its predictions set against them. */
import type { FormName } from '../../law/forms/form.js';
import { alike, type Panel, type Point, pointsOf } from '../../law/points/points.js';
import {
  FORECAST,
  type FormHoldout,
  type HoldoutOptions,
  holdOut,
  type PanelHoldout,
  summarise,
  type UnseenRun,
} from '../../law/trust/holdout.js';
import { UserError } from '../../util/errors.js';
import { formatTable } from '../../util/table.js';
import { digits, intervalText } from './fit-text.js';

export interface HoldoutSummary extends ReturnType<typeof summarise> {
  /**
   * A form; `chosen`: in every slice the form that the rest of the runs speaks for; `nearest`: without any law, the nearest
   * configuration that was kept.
   */
  form: FormName | 'forecast' | 'chosen' | 'nearest';
  slices: number;
  runs: number;
}

export interface Holdout {
  slices: PanelHoldout[];
  /** All slices together. */
  summary: HoldoutSummary[];
  refused: { slice: string; reason: string }[];
}

/** Points of the other slices with the panel's setting. */
function othersOf(panel: Panel, panels: readonly Panel[], metric: string): Point[] {
  return alike(panel, panels).flatMap(({ observations }) => pointsOf(observations, metric));
}

/** @throws UserError when no slice can be judged. */
export async function holdOutAll(panels: readonly Panel[], options: HoldoutOptions): Promise<Holdout> {
  const slices: PanelHoldout[] = [];
  const refused: Holdout['refused'] = [];
  let refusal: UserError | undefined;
  for (const panel of panels)
    try {
      slices.push(await holdOut(panel, { ...options, others: othersOf(panel, panels, options.metric) }));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refusal ??= error;
      refused.push({ slice: panel.label, reason: error.message });
    }
  if (slices.length === 0) throw refusal!;
  const together = (
    form: HoldoutSummary['form'],
    pick: (one: FormHoldout) => boolean,
  ): HoldoutSummary | undefined => {
    const own = slices.flatMap(({ forms }) => forms.filter((one) => pick(one) && one.runs.length > 0));
    const runs = own.flatMap((one) => one.runs);
    return runs.length > 0 ? { form, slices: own.length, runs: runs.length, ...summarise(runs) } : undefined;
  };
  const names = [...new Set(slices.flatMap(({ forms }) => forms.map(({ form }) => form)))];
  const summary = [
    ...names.map((name) => together(name, ({ form }) => form === name)),
    ...(names.length > 2 ? [together('chosen', ({ chosen }) => chosen)] : []),
    nearestOf(slices),
  ].filter((one) => one !== undefined);
  return { slices, summary, refused };
}

function nearestOf(slices: readonly PanelHoldout[]): HoldoutSummary {
  const counts = slices.map(({ forms }) => forms.find(({ chosen }) => chosen)!.runs.length);
  const runs = counts.reduce((a, b) => a + b, 0);
  const mean = (value: (panel: PanelHoldout) => number) =>
    slices.reduce((sum, panel, i) => sum + counts[i]! * value(panel), 0) / runs;
  return {
    form: 'nearest',
    slices: slices.length,
    runs,
    rmse: Math.sqrt(mean(({ nearest }) => nearest.rmse! ** 2)),
    relative: null,
    bias: mean(({ nearest }) => nearest.bias!),
    coverage: null,
    width: null,
  };
}

const NEAREST = 'nearest, no law';

const percent = (share: number | null) => (share === null ? '-' : `${Math.round(100 * share)} %`);

/** Forms side by side, slice by slice, then the runs under the form that would have been trusted. */
export function holdoutText({ slices, summary }: Holdout, metric: string, level: number): string {
  const within = `within ${Number((100 * level).toPrecision(3))} %`;
  const header = ['', 'form', 'runs', 'RMSE', 'relative', 'bias', within, 'width'];
  const row = (mark: string, name: string, one: Omit<HoldoutSummary, 'form' | 'slices'>) => [
    mark,
    name,
    String(one.runs),
    digits(one.rmse, 3),
    digits(one.relative, 3),
    digits(one.bias, 2),
    percent(one.coverage),
    digits(one.width, 3),
  ];
  const parts = slices.map((panel) => {
    const chosen = panel.forms.find((one) => one.chosen)!;
    const lines = [
      `${panel.label}: ${metric}, ${panel.what} withheld: ${panel.tested} configurations, ${panel.trained} fitted to`,
      '',
      formatTable(header, [
        ...panel.forms
          .filter((one) => one.runs.length > 0)
          .map((one) => row(one.chosen ? '*' : '', one.form, { ...one, runs: one.runs.length })),
        row('', NEAREST, {
          ...panel.nearest,
          runs: chosen.runs.length,
          coverage: null,
          width: null,
        }),
      ]),
      `* chosen without what is withheld: ${panel.because}; below, the forecast run by run`,
      '',
      runsTable(panel.forms.find(({ form }) => form === FORECAST)?.runs ?? chosen.runs, level),
      ...rollingTable(panel),
    ];
    for (const one of panel.forms) {
      if (one.reason) lines.push(`${one.form}: ${one.reason}`);
      for (const text of one.notes) lines.push(`note: ${one.form}: ${text}`);
    }
    return lines.join('\n');
  });
  if (slices.length > 1)
    parts.push(
      [
        `All ${slices.length} slices together`,
        '',
        formatTable(
          header,
          summary.map((one) =>
            row(one.form === 'chosen' ? '*' : '', one.form === 'nearest' ? NEAREST : one.form, one),
          ),
        ),
      ].join('\n'),
    );
  parts.push(
    'relative: RMSE over the standard deviation of what was withheld (above 1, its own mean would tell more); bias: predicted less measured; width: of the intervals, on average.',
  );
  return parts.join('\n\n');
}

/** Level by level: what each way of predicting errs, and whether the intervals grow as they should. */
function rollingTable({ rolling }: PanelHoldout): string[] {
  if (rolling.length === 0) return [];
  const forms = [...new Set(rolling.flatMap(({ rmse }) => Object.keys(rmse.forms)))];
  return [
    '',
    'Rolling: every level predicted from the lower ones, RMSE',
    '',
    formatTable(
      ['towards', 'times beyond', 'runs', 'nearest', FORECAST, ...forms, 'within', 'width'],
      rolling.map((one) => [
        `${one.axis} ${[...new Set([Math.min(...one.values), Math.max(...one.values)])].join(' to ')}`,
        digits(one.beyond, 2),
        String(one.tested),
        digits(one.rmse.nearest, 3),
        digits(one.rmse.forecast, 3),
        ...forms.map((form) => digits(one.rmse.forms[form], 3)),
        percent(one.coverage) + (one.calibrated ? '' : ' *'),
        digits(one.width, 3),
      ]),
      { spare: forms },
    ),
    ...(rolling.every(({ calibrated }) => calibrated)
      ? []
      : ['* not calibrated: fewer than two levels below it were predicted before']),
  ];
}

function runsTable(runs: readonly UnseenRun[], level: number): string {
  return formatTable(
    ['layers', 'dim', 'measured', 'predicted', `${Number((100 * level).toPrecision(3))} % interval`, ''],
    runs.map(({ layers, dim, measured, predicted, interval, inside }) => [
      String(layers),
      String(dim),
      digits(measured),
      digits(predicted),
      intervalText(interval),
      inside === false ? 'outside' : '',
    ]),
  );
}
