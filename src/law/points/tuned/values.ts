/**
 * What the values tried of a tuned setting say of the best: where it lies between them, which are as good, and whether it is an
 * end of what was tried, so that a better one may lie beyond.
 */
import type { Observation } from '../observation.js';
import type { Settings } from '../settings.js';

/** One setting of a configuration with its runs, and their mean by the metric that chooses. */
export interface Entry {
  settings: Settings;
  items: Observation[];
  chosenBy: number;
}

/** An end of the range tried that was best somewhere. */
export interface TunedEdge {
  setting: string;
  end: 'largest' | 'smallest';
  value: number;
  /** Configurations in which it was best, of all in which others were tried. */
  won: number;
  of: number;
}

/** The top of the parabola in ln(value) through the best and its neighbours, all else as in the best; the best itself at an end. */
export function betweenOf(entries: readonly Entry[], name: string, sign: 1 | -1): number | undefined {
  const best = entries[0]!;
  const at = best.settings[name];
  if (typeof at !== 'number' || !(at > 0)) return undefined;
  const line = entries
    .filter(({ settings }) =>
      Object.keys(settings).every((key) => key === name || settings[key] === best.settings[key]),
    )
    .flatMap(({ settings, chosenBy }) => {
      const value = settings[name];
      return typeof value === 'number' && value > 0 ? [{ x: Math.log(value), y: sign * chosenBy }] : [];
    })
    .sort((a, b) => a.x - b.x);
  const i = line.findIndex(({ x }) => x === Math.log(at));
  const [before, top, after] = [line[i - 1], line[i]!, line[i + 1]];
  if (!before || !after) return at;
  const [left, right] = [(top.y - before.y) / (top.x - before.x), (after.y - top.y) / (after.x - top.x)];
  if (!(left > right)) return at;
  // where the slope of the parabola, left at the one middle and right at the other, is 0
  const [from, to] = [(before.x + top.x) / 2, (top.x + after.x) / 2];
  return Math.exp(from + ((to - from) * left) / (left - right));
}

/** A difference of so many standard errors is one. */
const APART = 2;

/** Of each numeric setting the range of values within two standard errors of the best. @param deviation of one run. */
export function asGoodOf(
  entries: readonly Entry[],
  names: readonly string[],
  deviation: number,
): Record<string, [least: number, most: number]> {
  const best = entries[0]!;
  const near = entries.filter(
    ({ chosenBy, items }) =>
      Math.abs(best.chosenBy - chosenBy) <=
      APART * deviation * Math.sqrt(1 / best.items.length + 1 / items.length),
  );
  return Object.fromEntries(
    names.flatMap((name) => {
      const values = near.map(({ settings }) => settings[name]);
      const numbers = values.filter((value): value is number => typeof value === 'number');
      return numbers.length === values.length
        ? [[name, [Math.min(...numbers), Math.max(...numbers)] as [number, number]]]
        : [];
    }),
  );
}

/**
 * Ends of the range tried that were best, with the number of configurations.
 * @param triedIn the settings tried, configuration by configuration.
 */
export function edgesOf(
  setting: string,
  configurations: readonly { best: Settings }[],
  triedIn: readonly Settings[][],
): TunedEdge[] {
  const wins = new Map<string, TunedEdge>();
  let of = 0;
  configurations.forEach(({ best }, c) => {
    const tried = [...new Set(triedIn[c]!.map((settings) => settings[setting]))].filter(
      (value): value is number => typeof value === 'number',
    );
    if (tried.length < 2) return;
    of++;
    for (const [end, value] of [
      ['largest', Math.max(...tried)],
      ['smallest', Math.min(...tried)],
    ] as const) {
      // below 0 there is nothing to try
      if (best[setting] !== value || value === 0) continue;
      const edge = wins.get(`${end} ${value}`) ?? { setting, end, value, won: 0, of: 0 };
      edge.won++;
      wins.set(`${end} ${value}`, edge);
    }
  });
  return [...wins.values()].map((edge) => ({ ...edge, of }));
}

/** An end that won, in words. */
export function edgeWords({ setting, end, value, won, of }: TunedEdge): string {
  return `the best ${setting} is the ${end} tried, ${value}, in ${won} of ${of} configurations: try ${end === 'largest' ? 'larger' : 'smaller'} ones`;
}
