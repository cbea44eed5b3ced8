/**
 * What the data of the slices explain of their levels: quantity, and quality beyond it. The levels are those of a joint law, or, where
 * too few sizes were trained for one, the plain means of what every slice has.
 */
import { compareDataMeasures, type MeasureLine, type SliceLevel } from './data-term.js';
import type { Observation } from './points/observation.js';
import { panelsBySetting, panelsOf, toPoints } from './points/points.js';
import type { Settings } from './points/settings.js';
import { type QualityTest, SLICES_TO_TEST, testQuality } from './quality-test.js';

/** Levels of slices against their data. */
export interface LevelsExplained {
  /** Measures of disorder that all slices have; none where tokens are missing, or below three slices. */
  names: string[];
  /** Straight lines on tokens and on tokens over each measure; empty below three slices. */
  measures: MeasureLine[];
  /** Whether quality adds to quantity; null below five slices. */
  quality: QualityTest | null;
}

/** Measures of disorder that every slice has and that are above 0 there; one of those that are equal everywhere. */
function sharedMeasures(observations: readonly Observation[]): string[] {
  const names = new Set(observations.flatMap(({ quality }) => Object.keys(quality ?? {})));
  const kept = new Map<string, string>();
  for (const name of names) {
    if (/share|count|mean|median/i.test(name)) continue;
    const values = observations.map(({ quality }) => quality?.[name] ?? 0);
    const key = values.join();
    if (values.every((value) => value > 0) && !kept.has(key)) kept.set(key, name);
  }
  return [...kept.values()];
}

/** The measures of a slice, of those that all have. */
function measuresOf(observations: readonly Observation[], slice: string, names: readonly string[]) {
  const { quality = {} } = observations.find((one) => one.slice === slice)!;
  return Object.fromEntries(names.map((name) => [name, quality[name]!]));
}

/** @param observations runs of the slices, for their measures. */
export function explainLevels(
  levels: readonly { slice: string; level: number; tokens: number | null }[],
  observations: readonly Observation[],
): LevelsExplained {
  if (levels.length < 3 || levels.some(({ tokens }) => tokens === null))
    return { names: [], measures: [], quality: null };
  const names = sharedMeasures(observations);
  const measured = levels.map(
    ({ slice, level, tokens }): SliceLevel => ({
      slice,
      level,
      tokens: tokens!,
      quality: measuresOf(observations, slice, names),
    }),
  );
  return { names, measures: compareDataMeasures(measured), quality: testQuality(measured) ?? null };
}

/** Slices side by side, of one setting of everything else, without a law. */
export interface SliceMeans extends Omit<LevelsExplained, 'names'> {
  group: Settings;
  /** What every slice was trained with; the levels are means over these, each a mean over its seeds. */
  configurations: { layers: number; dim: number }[];
  /** Fewest tokens first. `quality`: measures of disorder that all slices have. */
  levels: { slice: string; level: number; tokens: number; runs: number; quality: Record<string, number> }[];
}

/**
 * Means of the slices over the configurations that all of them have; for sweeps that vary the data and hardly the size.
 * @returns one entry a setting that has five slices or more with known tokens and a configuration in common.
 */
export function meansOfSlices(observations: readonly Observation[], metric: string): SliceMeans[] {
  return panelsBySetting(panelsOf(observations)).flatMap((panels): SliceMeans[] => {
    const own = panels.flatMap((panel) => panel.observations);
    const { points } = toPoints(own, metric);
    const slices = [...new Set(points.map(({ slice }) => slice))];
    const place = ({ layers, dim }: { layers?: number; dim?: number }) => `${layers}/${dim}`;
    const shared = points
      .filter(({ x }) =>
        slices.every((slice) => points.some((p) => p.slice === slice && place(p.x) === place(x))),
      )
      .filter(({ slice }) => slice === slices[0]);
    if (slices.length < SLICES_TO_TEST || shared.length === 0) return [];
    const common = new Set(shared.map(({ x }) => place(x)));
    const levels = slices.map((slice) => {
      const mine = points.filter((point) => point.slice === slice && common.has(place(point.x)));
      const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
      return {
        slice,
        level: mean(mine.map(({ runs }) => mean(runs))),
        tokens: own.find((one) => one.slice === slice)?.tokens ?? null,
        runs: mine.reduce((sum, { runs }) => sum + runs.length, 0),
      };
    });
    if (levels.some(({ tokens }) => tokens === null)) return [];
    const { names, measures, quality } = explainLevels(levels, own);
    const told = levels.map((one) => ({
      ...one,
      tokens: one.tokens!,
      quality: measuresOf(own, one.slice, names),
    }));
    return [
      {
        group: panels[0]!.group,
        configurations: shared.map(({ x }) => ({ layers: x.layers!, dim: x.dim! })),
        levels: told.sort((a, b) => a.tokens - b.tokens),
        measures,
        quality,
      },
    ];
  });
}
