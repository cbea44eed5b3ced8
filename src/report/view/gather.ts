/** From a sweep's records to the view model: which metric, which groups, one law a group. */
import { isAbsolute, relative } from 'node:path';
import { isOtherQuality } from '../../data/slice.js';
import type { FormName } from '../../law/forms/form.js';
import { namedForms } from '../../law/forms/own-form.js';
import { type Direction, directionOf } from '../../law/points/direction.js';
import { metricNames } from '../../law/points/points.js';
import { groupBySettings, settingNamed, withoutSettings } from '../../law/points/settings.js';
import { tunedEnvelope } from '../../law/points/tuned.js';
import { meansOfSlices } from '../../law/slice-levels.js';
import { observationOf, settingsOf } from '../../sweep/results/observations.js';
import {
  type DoneRecord,
  isHalved,
  type RankingMetrics,
  type SliceMeasures,
} from '../../sweep/store/record.js';
import { UserError } from '../../util/errors.js';
import { shellWord } from '../../util/shell.js';
import { workspace } from '../../util/workspace.js';
import { goalPath } from './goal-path.js';
import { groupLabel } from './label.js';
import { viewLaw } from './law-view.js';
import { lossAgreement } from './loss-agreement.js';
import type { SweepRecords } from './read.js';
import type { MetricChoice, ReportInput, TrialGroup } from './view.js';

export interface GatherOptions {
  /** `ndcg@10`, `validation:hr@10`, `unmasked:ndcg@10`; what the sweep selected on where it is absent. */
  metric?: string;
  form?: string;
  /** Which way the metric is better, where its name does not tell. */
  direction?: Direction;
  /** Settings to leave out: trials that differ in nothing else are repeats. */
  ignore?: readonly string[];
  /** Bootstrap replicates, 1,000. */
  resamples?: number;
  /** The time to print; now where it is absent. */
  now?: Date;
}

/**
 * Fits what the figures need and lays everything out for them. Groups with too few points keep the reason in the law's place.
 * @throws UserError for a metric or a form that does not exist.
 */
export async function gatherReport(records: SweepRecords, given: GatherOptions = {}): Promise<ReportInput> {
  const form = given.form === undefined ? undefined : (await namedForms(given.form))[0];
  const options = { ...given, form };
  const sweep = isLoss(given.metric) ? withLosses(records) : records;
  const choice = metricChoice(sweep, options.metric, options.direction);
  const slices = slicesOf(sweep.done);
  const groups: TrialGroup[] = [];
  const known = [...new Set(sweep.done.flatMap(({ config }) => Object.keys(settingsOf(config))))];
  const ignore = (given.ignore ?? []).map((name) => settingNamed(known, name, '--ignore'));
  const apart = [...(sweep.plan.tuned ?? []), ...ignore];
  const lawful = ({ config }: DoneRecord) =>
    Object.fromEntries(Object.entries(settingsOf(config)).filter(([name]) => !apart.includes(name)));
  for (const { settings, items } of groupBySettings(sweep.done, lawful))
    groups.push({
      label: groupLabel(settings),
      records: items,
      ...(await lawOf(items, sweep, choice, { ...options, ignore })),
    });
  const path = goalPath(sweep);
  const first = [...sweep.done, ...sweep.failed][0];
  return {
    title: sweep.name,
    metric: choice,
    groups,
    ...(path ? { path } : {}),
    losses: groups.flatMap(({ label, records: own }) => lossAgreement(label, own, choice)),
    done: sweep.done,
    failed: sweep.failed,
    pending: sweep.pending + sweep.damaged.length,
    slices,
    made: {
      at: (options.now ?? new Date()).toISOString(),
      perflaw: first?.environment.perflaw ?? sweep.plan.perflaw,
      command: command(sweep.name, { ...given, ignore }),
      // Within the workspace by its short path: reports are passed on, and say nothing of whose disk they come from.
      folder: shortPath(sweep.path),
    },
  };
}

const isLoss = (metric: string | undefined) => /^(validation:)?loss$/i.test(metric ?? '');

/** The loss among the metrics of both histories, whose name it does not depend on, so that every figure finds it where it looks. */
function withLosses(sweep: SweepRecords): SweepRecords {
  const among = (rankings: RankingMetrics): RankingMetrics => {
    const { masked, unmasked, loss } = rankings;
    return loss === undefined
      ? rankings
      : { masked: { ...masked, loss }, unmasked: { ...unmasked, loss }, loss };
  };
  const both = <T extends { validation: RankingMetrics; test: RankingMetrics }>(of: T): T => ({
    ...of,
    validation: among(of.validation),
    test: among(of.test),
  });
  const done = sweep.done.map(({ result, popularity, ...record }) => ({
    ...record,
    popularity: both(popularity),
    result: {
      ...both(result),
      ...(result.standardErrors ? { standardErrors: both(result.standardErrors) } : {}),
      curve: result.curve.map((epoch) =>
        epoch.validation ? { ...epoch, validation: among(epoch.validation) } : epoch,
      ),
    },
  }));
  return { ...sweep, done };
}

function command(name: string, { metric, form, direction, ignore = [] }: GatherOptions): string {
  return [
    'perflaw report',
    shellWord(name),
    ...(metric ? [`--metric ${metric}`] : []),
    ...(form ? [`--form ${form}`] : []),
    ...(direction ? [`--${direction}`] : []),
    ...ignore.map((one) => `--ignore ${one}`),
  ].join(' ');
}

/** Slices by their tokens, each once; what was made of the data on purpose stands before what is the data. */
function slicesOf(records: DoneRecord[]): SliceMeasures[] {
  const slices = [...new Map(records.map((record) => [record.slice.label, record.slice])).values()];
  const rank = ({ label }: SliceMeasures) => (isOtherQuality(label) ? 0 : 1);
  return slices.sort((a, b) => rank(a) - rank(b) || a.tokens - b.tokens || (a.label < b.label ? -1 : 1));
}

/** Reads a metric's name as observations write it. @throws UserError when no record has it. */
export function metricChoice(sweep: SweepRecords, asked?: string, direction?: Direction): MetricChoice {
  const first = [...sweep.done, ...sweep.failed][0]!;
  const { select, history } = first.config.evaluation;
  const [, prefix, name] = /^(?:(validation|masked|unmasked):)?(.+)$/i.exec(asked?.toLowerCase() ?? select)!;
  const choice: MetricChoice = {
    name: name!,
    split: prefix === 'validation' ? 'validation' : 'test',
    history: prefix === 'masked' || prefix === 'unmasked' ? prefix : history,
    direction: directionOf(name!, direction),
  };
  if (asked !== undefined && sweep.done.length > 0) {
    const known = metricNames([observationOf(sweep.done[0]!)]);
    if (sweep.done[0]!.result[choice.split][choice.history][choice.name] === undefined)
      throw new UserError(`no trial has the metric "${asked}"`, {
        place: '--metric',
        remedy: `There are ${known.filter((one) => !one.includes(':')).join(', ')}; each also with validation: or unmasked: before it.`,
      });
  }
  return choice;
}

/** The metric under the name that an observation gives it: the selection's own history has no prefix. */
function observationMetric(choice: MetricChoice, record: DoneRecord): string {
  if (choice.split === 'validation') return `validation:${choice.name}`;
  return choice.history === record.config.evaluation.history
    ? choice.name
    : `${choice.history}:${choice.name}`;
}

async function lawOf(
  records: DoneRecord[],
  sweep: SweepRecords,
  choice: MetricChoice,
  { form, resamples, ignore = [] }: GatherOptions,
): Promise<Pick<TrialGroup, 'law' | 'lawMissing' | 'means' | 'tuning'>> {
  const metric = observationMetric(choice, records[0]!);
  const read = (some: DoneRecord[]) => withoutSettings(some.map(observationOf), ignore);
  const measured = read(records.filter((record) => !isHalved(record)));
  const tuned = (sweep.plan.tuned ?? []).filter((name) => !ignore.includes(name));
  const { observations, tuning } =
    tuned.length > 0
      ? tunedEnvelope(measured, {
          tuned,
          metric,
          direction: choice.direction,
          dropped: read(records.filter(isHalved)),
        })
      : { observations: measured };
  try {
    const law = await viewLaw(observations, {
      metric,
      direction: choice.direction,
      form: form as FormName | undefined,
      slices: slicesOf(records).map((slice) => slice.label),
      source: { models: [records[0]!.config.model], numItems: sweep.plan.data.numItems },
      resamples,
    });
    return { law, tuning };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const text = [error.message, error.remedy].filter((part) => part !== undefined).join('. ');
    const [means] = meansOfSlices(observations, metric);
    return { tuning, means, lawMissing: `No law was fitted: ${text}${text.endsWith('.') ? '' : '.'}` };
  }
}

function shortPath(path: string): string {
  const inside = relative(workspace().root, path);
  return inside.startsWith('..') || isAbsolute(inside) ? path : inside;
}
