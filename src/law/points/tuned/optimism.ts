/**
 * What choosing the best of several settings adds to what is read of it. The best of k noisy values is better than its own
 * mean (Cawley & Talbot 2010, JMLR 11:2079-2107; the winner's curse). Chosen on validation and read on test, only the noise that
 * both share (the seed's) is left of it. It is estimated here, and goes into the noise of a run, never into a value.
 *
 * The noise of a run is that of repeats, or, where no setting was repeated, what a configuration and a setting with slopes of
 * its own in ln layers and ln dim leave unexplained. The true settings lie closer together than the noisy ones: they are shrunk
 * towards their mean by empirical Bayes (Efron & Morris 1975), and the choice among them is drawn anew.
 */
import { createRandom } from '../../../util/random.js';

/** One setting of one configuration: the selecting metric and the fitted one of each of its runs. */
export interface Candidate {
  chosenBy: number[];
  read: number[];
}

/** A configuration and its settings; `settings` names each across configurations. */
export interface Candidates {
  layers: number;
  dim: number;
  settings: string[];
  candidates: Candidate[];
}

/** How much better than its mean the chosen setting is read: what to expect, and what spread of a run the choice has hidden. */
export interface Optimism {
  mean: number;
  spread: number;
}

/** Noise of one run in the selecting metric, and how much of it comes back in the fitted one. */
export interface SelectionNoise {
  deviation: number;
  /** Slope of the fitted metric's noise on the selecting one's; 1 where they are the same. */
  shared: number;
  /** From repeats, or from a layout without them. */
  from: 'repeats' | 'layout';
}

/** Fewer degrees of freedom tell nothing of a noise. */
const LEAST_FREEDOM = 3;
const DRAWS = 400;
/** A setting so many deviations below the best is not chosen by luck. */
const OUT_OF_REACH = 4;

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/** Undefined where there is too little to tell it by. */
export function selectionNoise(configurations: readonly Candidates[]): SelectionNoise | undefined {
  return fromRepeats(configurations) ?? fromLayout(configurations);
}

function fromRepeats(configurations: readonly Candidates[]): SelectionNoise | undefined {
  const [chosenBy, read]: [number[], number[]] = [[], []];
  let freedom = 0;
  for (const { candidates } of configurations)
    for (const one of candidates) {
      if (one.read.length < 2) continue;
      freedom += one.read.length - 1;
      chosenBy.push(...one.chosenBy.map((value) => value - mean(one.chosenBy)));
      read.push(...one.read.map((value) => value - mean(one.read)));
    }
  if (freedom < LEAST_FREEDOM) return undefined;
  return noiseOf(chosenBy, read, Math.sqrt(dot(chosenBy, chosenBy) / freedom), 'repeats');
}

function fromLayout(configurations: readonly Candidates[]): SelectionNoise | undefined {
  const rows = configurations.flatMap(({ settings, candidates, layers, dim }, c) =>
    candidates.map((one, j) => ({ c, setting: settings[j]!, layers, dim, one })),
  );
  const names = [...new Set(rows.map(({ setting }) => setting))];
  const slopes = (['layers', 'dim'] as const).filter(
    (axis) => new Set(configurations.map((one) => one[axis])).size > 2,
  );
  const perSetting = 1 + slopes.length;
  // settings of which each was tried once, as a random search leaves them, tell no noise
  if (names.length * perSetting >= rows.length) return undefined;
  // the configurations' own columns are taken out by centring (Frisch and Waugh 1933)
  const centred = (values: readonly number[]) => {
    const sums = configurations.map(() => 0);
    rows.forEach(({ c }, i) => {
      sums[c]! += values[i]!;
    });
    return values.map(
      (value, i) => value - sums[rows[i]!.c]! / configurations[rows[i]!.c]!.candidates.length,
    );
  };
  const basis = orthonormal(
    names.flatMap((name) =>
      [() => 1, ...slopes.map((axis) => (row: (typeof rows)[number]) => Math.log(row[axis]))].map((value) =>
        centred(rows.map((row) => (row.setting === name ? value(row) : 0))),
      ),
    ),
  );
  const freedom = rows.length - configurations.length - basis.length;
  if (freedom < LEAST_FREEDOM) return undefined;
  const left = (values: number[]) => without(centred(values), basis);
  const chosenBy = left(rows.map(({ one }) => mean(one.chosenBy)));
  const read = left(rows.map(({ one }) => mean(one.read)));
  // By the median: a rate that diverges is far from any plane, and tells nothing of the noise.
  const sorted = chosenBy.map(Math.abs).sort((a, b) => a - b);
  const deviation = 1.4826 * sorted[sorted.length >> 1]! * Math.sqrt(rows.length / freedom);
  const usual = chosenBy.map((value) => Math.abs(value) <= 3 * deviation);
  return noiseOf(
    chosenBy.filter((_, i) => usual[i]),
    read.filter((_, i) => usual[i]),
    deviation,
    'layout',
  );
}

function noiseOf(
  chosenBy: readonly number[],
  read: readonly number[],
  deviation: number,
  from: SelectionNoise['from'],
): SelectionNoise | undefined {
  if (!(deviation > 0)) return undefined;
  return { deviation, shared: Math.max(0, dot(chosenBy, read) / dot(chosenBy, chosenBy)), from };
}

/** An orthonormal basis of the columns; those that depend on others add nothing (modified Gram-Schmidt). */
function orthonormal(columns: readonly number[][]): number[][] {
  const basis: number[][] = [];
  for (const column of columns) {
    const rest = without(without(column, basis), basis);
    const size = Math.sqrt(dot(rest, rest));
    if (size > 1e-9 * Math.max(1, Math.sqrt(dot(column, column)))) basis.push(rest.map((x) => x / size));
  }
  return basis;
}

function without(values: readonly number[], basis: readonly number[][]): number[] {
  let rest = [...values];
  for (const direction of basis) {
    const along = dot(rest, direction);
    rest = rest.map((x, i) => x - along * direction[i]!);
  }
  return rest;
}

/**
 * Draws the choice among the settings of one configuration anew.
 * @param sign 1 where more of the metric is better, -1 where less is. @param key of the random stream.
 */
export function optimismOf(
  { candidates }: Candidates,
  { deviation, shared }: SelectionNoise,
  sign: 1 | -1,
  key: string,
): Optimism {
  const all = candidates.map(({ chosenBy }) => ({
    value: sign * mean(chosenBy),
    deviation: deviation / Math.sqrt(chosenBy.length),
  }));
  const best = Math.max(...all.map(({ value }) => value));
  const near = all.filter((one) => one.value >= best - OUT_OF_REACH * one.deviation);
  if (near.length < 2) return { mean: 0, spread: 0 };
  const middle = mean(near.map(({ value }) => value));
  const noise = mean(near.map((one) => one.deviation ** 2));
  const seen = near.reduce((sum, { value }) => sum + (value - middle) ** 2, 0) / (near.length - 1);
  const kept = Math.max(0, 1 - noise / seen);
  const truth = near.map(({ value }) => middle + kept * (value - middle));
  const random = createRandom('optimism', key);
  const luck = Array.from({ length: DRAWS }, () => {
    const errors = near.map((one) => one.deviation * random.normal());
    let won = 0;
    for (let j = 1; j < near.length; j++) if (truth[j]! + errors[j]! > truth[won]! + errors[won]!) won = j;
    return errors[won]!;
  });
  const expected = Math.max(0, mean(luck));
  const variance = luck.reduce((sum, value) => sum + (value - expected) ** 2, 0) / DRAWS;
  // With repeats the runs themselves show their whole spread.
  const repeated = candidates.some(({ chosenBy }) => chosenBy.length > 1);
  return {
    mean: sign * shared * expected,
    spread: repeated ? 0 : shared * Math.sqrt(Math.max(0, noise - variance)),
  };
}
