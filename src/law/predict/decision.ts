/**
 * What to train: not the highest point of a curve but a decision under what is not known. Configurations are drawn together in
 * many worlds; each has a probability of being the best, or within a tolerance of it, and an expected regret. To train is the
 * cheapest that is within tolerance with nine in ten; while none is, the cheapest that is expected to be as good as the highest
 * expected, of those that have a fair chance. The likeliest alone would often be the one farthest out, of which least is known: in half of
 * the worlds it is above everything.
 */
import type { Direction } from '../points/direction.js';

/** Chance of being within tolerance from which the cheaper is enough. */
export const ENOUGH = 0.9;
/** Of the tolerance, what is given away for a cheaper one while nothing is sure; the rest is for what expectations err. */
const GIVEN = 0.5;
/** A fair chance of being within tolerance: this share of the likeliest one's. What a flat and wide forecast raises a little has none. */
const FAIR = 0.5;

/** How one configuration may stand among all. */
export interface Odds {
  /** Probability of being the best. */
  best: number;
  /** Probability of being within tolerance of the best. */
  within: number;
  /** Expected loss against the best, 0 or more, in units of the metric. */
  regret: number;
}

export interface Decision {
  /** Of every option, in their order. */
  odds: Odds[];
  /** Index of what to train. */
  chosen: number;
  /** Index of the option that is expected to lose least. */
  least: number;
  /** Whether the chosen one is within tolerance with the probability that is enough. */
  sure: boolean;
}

/**
 * @param worlds `worlds[k][i]`: the metric of option i in world k.
 * @param cost of each option, in any unit. @param values what each is expected to reach.
 * @param confidence chance of being within tolerance from which the cheaper is enough.
 * @param fair share of the likeliest one's chance below which an option is not named while nothing is sure.
 */
export function decide(
  worlds: readonly ArrayLike<number>[],
  cost: readonly number[],
  values: readonly number[],
  tolerance: number,
  direction: Direction,
  confidence = ENOUGH,
  fair = FAIR,
): Decision {
  const sign = direction === 'minimize' ? -1 : 1;
  const odds: Odds[] = cost.map(() => ({ best: 0, within: 0, regret: 0 }));
  for (const world of worlds) {
    let top = 0;
    for (let i = 1; i < cost.length; i++) if (sign * world[i]! > sign * world[top]!) top = i;
    odds[top]!.best++;
    for (let i = 0; i < cost.length; i++) {
      const loss = sign * (world[top]! - world[i]!);
      odds[i]!.regret += loss;
      if (loss <= tolerance) odds[i]!.within++;
    }
  }
  for (const one of odds) {
    one.best /= worlds.length;
    one.within /= worlds.length;
    one.regret /= worlds.length;
  }
  const indices = cost.map((_, i) => i);
  const least = indices.reduce((a, b) => (odds[b]!.regret < odds[a]!.regret ? b : a));
  const cheapest = (among: readonly number[]) =>
    among.reduce((a, b) =>
      cost[b]! < cost[a]! || (cost[b] === cost[a] && odds[b]!.regret < odds[a]!.regret) ? b : a,
    );
  const enough = indices.filter((i) => odds[i]!.within >= confidence);
  if (enough.length > 0) return { odds, chosen: cheapest(enough), least, sure: true };
  const most = Math.max(...odds.map(({ within }) => within));
  const likely = indices.filter((i) => odds[i]!.within >= fair * most);
  const highest = Math.max(...likely.map((i) => sign * values[i]!));
  const asGood = likely.filter((i) => highest - sign * values[i]! <= GIVEN * tolerance);
  return { odds, chosen: cheapest(asGood), least, sure: false };
}
