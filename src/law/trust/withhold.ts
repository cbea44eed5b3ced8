/**
 * What is kept back to judge a law by: the largest layers, the largest dim, both, or a random share. Shared by the comparison
 * of forms and by `fit --holdout`.
 */
import { UserError } from '../../util/errors.js';
import { createRandom } from '../../util/random.js';
import type { Point, Variable } from '../points/points.js';

/**
 * `dim`, `layers`: the largest value of one axis; `both`: every configuration with the largest of either; `corner`: only those
 * with the largest of both; a share: so many configurations at random.
 */
export type HoldoutSplit = 'dim' | 'layers' | 'both' | 'corner' | { share: number; seed: number };

export interface Withholding {
  kept: Point[];
  withheld: Point[];
  /** In words: `the largest dim`. */
  what: string;
}

const levels = (points: readonly Point[], variable: Variable) =>
  new Set(points.map((point) => point.x[variable])).size;

function largest(points: readonly Point[], variable: Variable): (point: Point) => boolean {
  const top = Math.max(...points.map((point) => point.x[variable]!));
  const several = levels(points, variable) > 1;
  return (point) => several && point.x[variable] === top;
}

/**
 * Parts the points.
 * @returns undefined where nothing would be withheld, or where an axis that has several values would be left with one.
 */
export function withholdBy(
  points: readonly Point[],
  split: HoldoutSplit,
  [first, second]: [Variable, Variable] = ['layers', 'dim'],
): Withholding | undefined {
  const [isDeep, isWide] = [largest(points, first), largest(points, second)];
  const both = levels(points, first) > 1 && levels(points, second) > 1;
  let isHeld: (point: Point) => boolean;
  let what: string;
  if (split === 'dim') [isHeld, what] = [isWide, `the largest ${second}`];
  else if (split === 'layers') [isHeld, what] = [isDeep, `the largest ${first}`];
  else if (split === 'corner')
    [isHeld, what] = [
      (point) => isDeep(point) && isWide(point),
      `the corner of largest ${first} and ${second}`,
    ];
  else if (split === 'both')
    [isHeld, what] = [
      (point) => both && (isDeep(point) || isWide(point)),
      `the largest ${first} and the largest ${second}`,
    ];
  else {
    const chosen = atRandom(points, split);
    [isHeld, what] = [
      (point) => chosen.has(point),
      `${Number((100 * split.share).toPrecision(3))} % at random`,
    ];
  }
  const withheld = points.filter(isHeld);
  const kept = points.filter((point) => !isHeld(point));
  if (withheld.length === 0 || kept.length === 0) return undefined;
  const flat = [first, second].some((axis) => levels(points, axis) > 1 && levels(kept, axis) < 2);
  return flat ? undefined : { kept, withheld, what };
}

/** So many points at random, the same for the same seed. */
function atRandom(points: readonly Point[], { share, seed }: { share: number; seed: number }): Set<Point> {
  const order = createRandom('holdout', seed).shuffle([...points]);
  return new Set(order.slice(0, Math.max(1, Math.round(share * points.length))));
}

const NAMES = ['dim', 'layers', 'both', 'corner'] as const;

/** Reads `dim`, `layers`, `both`, `corner` or `20%`. @throws UserError for anything else. */
export function parseSplit(text: string, seed: number): HoldoutSplit {
  const name = NAMES.find((one) => one === text.trim().toLowerCase());
  if (name) return name;
  const share = /^\s*([0-9.]+)\s*%\s*$/.exec(text)?.[1];
  const value = Number(share) / 100;
  if (share !== undefined && value > 0 && value < 1) return { share: value, seed };
  throw new UserError(`"${text}" does not say what to withhold`, {
    place: '--holdout',
    remedy:
      'Give dim or layers (the largest), both (all with the largest of either), corner (the largest of both), or a share at random such as 20%.',
  });
}
