/** How the best value of a tuned setting moves with the size: powers of layers and dim, by least squares on logarithms. */
import type { Settings } from '../settings.js';

/** A configuration with the best value of each numeric setting, as fine as the values tried allow. */
export interface TunedPlace {
  slice: string;
  group: Settings;
  layers: number;
  dim: number;
  between: Record<string, number>;
}

/** How the best value of one setting goes with the size. */
export interface TunedMove {
  setting: string;
  /** The best value goes as layers^power and dim^power; an axis with one value has none. */
  powers: Partial<Record<'layers' | 'dim', { power: number; standardError: number }>>;
  /** Configurations it follows from. */
  configurations: number;
}

/**
 * ln(best value) on ln(layers) and ln(dim), with a constant for every slice and group. None where a value is no number above 0 or
 * where configurations are too few.
 */
export function movesOf(setting: string, configurations: readonly TunedPlace[]): TunedMove[] {
  const values = configurations.map(({ between }) => between[setting]);
  if (values.some((value) => value === undefined)) return [];
  const groups = configurations.map(({ slice, group }) => JSON.stringify([slice, group]));
  const centred = (of: (one: TunedPlace, i: number) => number) => {
    const logs = configurations.map(of);
    return logs.map((value, i) => {
      const own = logs.filter((_, j) => groups[j] === groups[i]);
      return value - own.reduce((a, b) => a + b, 0) / own.length;
    });
  };
  const y = centred((_, i) => Math.log(values[i]!));
  const columns = (['layers', 'dim'] as const)
    .map((axis) => ({ axis, x: centred((one) => Math.log(one[axis])) }))
    .filter(({ x }) => dot(x, x) > 1e-9);
  const freedom = y.length - new Set(groups).size - columns.length;
  if (columns.length === 0 || freedom < 1) return [];
  const [first, second] = columns.map(({ x }) => x) as [number[], number[] | undefined];
  const [a, c, p] = [dot(first, first), second ? dot(second, second) : 1, dot(first, y)];
  const [b, q] = second ? [dot(first, second), dot(second, y)] : [0, 0];
  const determinant = a * c - b * b;
  if (!(determinant > 1e-9 * a * c)) return [];
  const powers = [(c * p - b * q) / determinant, (a * q - b * p) / determinant];
  const rest = y.map((value, i) => value - powers[0]! * first[i]! - powers[1]! * (second?.[i] ?? 0));
  const variance = dot(rest, rest) / freedom;
  const errors = [(variance * c) / determinant, (variance * a) / determinant].map(Math.sqrt);
  return [
    {
      setting,
      powers: Object.fromEntries(
        columns.map(({ axis }, i) => [axis, { power: powers[i]!, standardError: errors[i]! }]),
      ),
      configurations: configurations.length,
    },
  ];
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
