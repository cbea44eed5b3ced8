/**
 * The tuned envelope: where settings such as the learning rate were tuned, the best of them stands for a configuration. It is
 * chosen by the validation metric, over seeds by their mean, and read by the metric that is fitted; what the choice flatters goes
 * into the noise (tuned/optimism.ts). A law over sizes at one setting is a law of that setting too.
 */
import type { Direction } from './direction.js';
import type { Observation } from './observation.js';
import { absentSetting, groupBySettings, type Settings } from './settings.js';
import { movesOf, type TunedMove } from './tuned/moves.js';
import {
  type Candidates,
  type Optimism,
  optimismOf,
  type SelectionNoise,
  selectionNoise,
} from './tuned/optimism.js';
import { asGoodOf, betweenOf, type Entry, edgesOf, edgeWords, type TunedEdge } from './tuned/values.js';

/** What was tuned and how it came out, configuration by configuration. */
export interface Tuning {
  /** The settings tuned that took more than one value. */
  settings: string[];
  /** The metric that chose. */
  by: string;
  /** Whether it was measured on other targets than the metric that is fitted. */
  validated: boolean;
  configurations: TunedConfiguration[];
  /** Ends of the range tried that were best somewhere. */
  edges: TunedEdge[];
  /** How the best value goes with layers and dim, setting by setting, where it is a number above 0. */
  moves: TunedMove[];
  noise: SelectionNoise | null;
  notes: string[];
}

/** The best setting of one configuration, by how much it leads, and how it is read. */
export interface TunedConfiguration {
  slice: string;
  /** The other settings in which configurations differ. */
  group: Settings;
  layers: number;
  dim: number;
  best: Settings;
  /** Settings tried, and runs of the best one. */
  tried: number;
  runs: number;
  /** The metric that chose and the one that is fitted, of the best one, mean over its runs. */
  chosenBy: number;
  read: number;
  /** By how much the best one leads the next in the metric that chose; null where there was one only. */
  lead: number | null;
  /** What the choice is expected to have added to `read`; null where the noise of a run is not identifiable. */
  optimism: number | null;
  /** Best numeric values between those tried, by a parabola in their logarithm through the best and its neighbours. */
  between: Record<string, number>;
  /** Numeric values as good as the best: the range of those within two standard errors of it; none where no noise is known. */
  asGood: Record<string, [least: number, most: number]>;
}

/** What was tuned, which metric is fitted and which one chooses. */
export interface EnvelopeOptions {
  /** Names of the settings that were tuned. */
  tuned: readonly string[];
  /** The metric that is fitted. */
  metric: string;
  direction: Direction;
  /** The metric that chooses; its validation counterpart, or where there is none itself. */
  by?: string;
  /** Runs of settings that successive halving ended early: they were tried, and are never chosen. */
  dropped?: readonly Observation[];
}

/** The validation metric that chooses among settings: that of the selection if the runs name it, else the fitted metric's own. */
export function selectingMetric(observations: readonly Observation[], metric: string): string | undefined {
  const names = [...new Set(observations.flatMap((one) => Object.keys(one.metrics)))];
  const own = names.find((name) => name.toLowerCase() === metric.toLowerCase());
  if (own !== undefined && VALIDATION.test(own)) return own;
  const selected = observations.find((one) => one.config?.['select'] !== undefined)?.config?.['select'];
  const bare = metric.replace(/^(test|masked|unmasked)[:_/. -]+/i, '').toLowerCase();
  for (const wanted of [String(selected ?? '').toLowerCase(), bare]) {
    const found = names.find(
      (name) => VALIDATION.test(name) && name.replace(VALIDATION, '').toLowerCase() === wanted,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}
const VALIDATION = /^(validation|valid|val|dev|eval)[:_/. -]+/i;

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** Observations of the best setting of every configuration, without the tuned settings, and how they were chosen. */
export function tunedEnvelope(
  observations: readonly Observation[],
  { tuned, metric, direction, by: asked, dropped = [] }: EnvelopeOptions,
): { observations: Observation[]; tuning: Tuning } {
  const validation = asked ?? selectingMetric(observations, metric);
  const by = validation ?? metric;
  const usable = observations.filter(
    (one) => one.metrics[by] !== undefined && one.metrics[metric] !== undefined,
  );
  const notes: string[] = [];
  if (validation === undefined)
    notes.push(
      `there is no validation value of ${metric}: the best settings are chosen by the very values that are fitted, which flatters them`,
    );
  if (usable.length < observations.length)
    notes.push(
      `${observations.length - usable.length} of ${observations.length} runs lack ${by} or ${metric} and cannot be chosen`,
    );
  const without = (config: Settings = {}) =>
    Object.fromEntries(Object.entries(config).filter(([name]) => !tuned.includes(name)));
  const configOf = (one: Observation) => without(one.config);
  const within = (one: Observation) =>
    Object.fromEntries(tuned.map((name) => [name, one.config?.[name] ?? absentSetting(name)]));
  const sign = direction === 'minimize' ? -1 : 1;
  const names = tuned.filter(
    (name) => new Set([...usable, ...dropped].map((one) => within(one)[name])).size > 1,
  );
  // settings that halving ended early, by the configuration they were tried for
  const placeOf = (one: Observation) =>
    JSON.stringify([one.slice, one.layers, one.dim, canonical(configOf(one))]);
  const endedIn = new Map(
    gather(dropped, placeOf).map((runs) => [
      placeOf(runs[0]!),
      gather(runs, (one) => JSON.stringify(within(one))).map((own) => within(own[0]!)),
    ]),
  );
  if (dropped.length > 0)
    notes.push(
      `${[...endedIn.values()].flat().length} settings ended early by successive halving are tried ones that were not chosen; what their race has flattered is not in the noise`,
    );
  const found: Observation[] = [];
  const configurations: TunedConfiguration[] = [];
  const triedIn: Settings[][] = [];
  let uneven = 0;
  const noises: SelectionNoise[] = [];
  for (const { settings: group, items } of groupBySettings(usable, configOf))
    for (const slice of new Set(items.map((one) => one.slice))) {
      const own = items.filter((one) => one.slice === slice);
      const sized = gather(own, ({ layers, dim }) => `${layers} ${dim}`).map((runs) =>
        entriesOf(runs, within, by, sign),
      );
      const candidates = sized.map(
        (entries): Candidates => ({
          layers: entries[0]!.items[0]!.layers,
          dim: entries[0]!.items[0]!.dim,
          settings: entries.map(({ settings }) => JSON.stringify(settings)),
          candidates: entries.map((entry) => ({
            chosenBy: entry.items.map((one) => one.metrics[by]!),
            read: entry.items.map((one) => one.metrics[metric]!),
          })),
        }),
      );
      const noise = selectionNoise(candidates);
      if (noise) noises.push(noise);
      sized.forEach((entries, c) => {
        const best = entries[0]!;
        const { layers, dim } = best.items[0]!;
        const optimism =
          noise && optimismOf(candidates[c]!, noise, sign, JSON.stringify([slice, group, layers, dim]));
        if (new Set(entries.map(({ items: runs }) => runs.length)).size > 1) uneven++;
        for (const one of best.items)
          found.push({ ...one, config: configOf(one), ...(optimism ? { optimism } : {}) });
        const tried = [
          ...entries.map(({ settings }) => settings),
          ...(endedIn.get(placeOf(best.items[0]!)) ?? []),
        ];
        triedIn.push(tried);
        const place = { slice, group, layers, dim };
        configurations.push({
          ...place,
          ...choiceOf(entries, { names, metric, sign, noise, optimism }),
          tried: tried.length,
        });
      });
    }
  if (uneven > 0)
    notes.push(
      `in ${uneven} configurations some settings have more runs than others: their means are compared as they are`,
    );
  const expected = configurations.flatMap(({ optimism }) => (optimism === null ? [] : [optimism]));
  if (names.length > 0)
    notes.push(
      expected.length === 0
        ? 'seeds, or more sizes, would tell how much choosing the best of several settings flatters it; nothing is added to the noise'
        : `choosing the best of several settings is expected to flatter a run by ${Number(Math.abs(mean(expected)).toPrecision(2))} on average: that is in the noise of a run, not taken from the values`,
    );
  const edges = names.flatMap((name) => edgesOf(name, configurations, triedIn));
  return {
    observations: found,
    tuning: {
      settings: names,
      by,
      validated: validation !== undefined && by !== metric,
      configurations,
      edges,
      moves: names.flatMap((name) => movesOf(name, configurations)),
      noise: noises.length > 0 ? noises.reduce((a, b) => (b.deviation > a.deviation ? b : a)) : null,
      notes: [...notes, ...edges.map(edgeWords)],
    },
  };
}

/** What is said of the best of the settings of one configuration. */
function choiceOf(
  entries: readonly Entry[],
  {
    names,
    metric,
    sign,
    noise,
    optimism,
  }: {
    names: readonly string[];
    metric: string;
    sign: 1 | -1;
    noise: SelectionNoise | undefined;
    optimism: Optimism | undefined;
  },
): Omit<TunedConfiguration, 'slice' | 'group' | 'layers' | 'dim' | 'tried'> {
  const [best, next] = entries as [Entry, Entry | undefined];
  return {
    best: pick(best.settings, names),
    runs: best.items.length,
    chosenBy: best.chosenBy,
    read: mean(best.items.map((one) => one.metrics[metric]!)),
    lead: next ? sign * (best.chosenBy - next.chosenBy) : null,
    optimism: optimism?.mean ?? null,
    between: Object.fromEntries(
      names.flatMap((name) => {
        const value = betweenOf(entries, name, sign);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    asGood: noise ? asGoodOf(entries, names, noise.deviation) : {},
  };
}

/** The settings of one configuration, best first; equal ones in the order met. */
function entriesOf(
  runs: readonly Observation[],
  settingsOf: (one: Observation) => Settings,
  by: string,
  sign: 1 | -1,
): Entry[] {
  return gather(runs, (one) => JSON.stringify(settingsOf(one)))
    .map((items) => ({
      settings: settingsOf(items[0]!),
      items,
      chosenBy: mean(items.map((one) => one.metrics[by]!)),
    }))
    .sort((a, b) => sign * (b.chosenBy - a.chosenBy));
}

/** Equal settings as equal texts, whatever the order of their names. */
const canonical = (settings: Settings) => Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));

const pick = (settings: Settings, names: readonly string[]): Settings =>
  Object.fromEntries(names.map((name) => [name, settings[name]!]));

function gather<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(item);
  }
  return [...groups.values()];
}

/** The tuned configuration of a slice whose size is nearest, in logarithms of layers and dim. */
export function nearestTuned(
  { configurations, settings }: Tuning,
  slice: string,
  { layers, dim, group }: { layers: number; dim: number; group?: Settings },
): TunedConfiguration | undefined {
  const distance = (one: TunedConfiguration) =>
    Math.abs(Math.log(one.layers / layers)) + Math.abs(Math.log(one.dim / dim));
  return configurations
    .filter(
      (one) =>
        settings.length > 0 &&
        one.slice === slice &&
        Object.entries(group ?? {}).every(([name, value]) => one.group[name] === value),
    )
    .reduce<TunedConfiguration | undefined>((a, b) => (a && distance(a) <= distance(b) ? a : b), undefined);
}

/** Settings in words: `learningRate 0.002, dropout 0.4`. */
export const settingWords = (settings: Settings) =>
  Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
