/** The runs that a sweep with a goal begins with: cheap ones, as far apart as can be in size, slice and settings. */
import type { Affordable } from './gain.js';
import type { Scales, Spot } from './surrogate.js';

/** So many runs are begun with: fewer cannot tell a slope from noise. */
const RUNS = 6;
/**
 * Each takes at most such a share of what all runs together would; where hardly any do, at most the larger one: the cheapest of a small
 * grid are all alike, and say nothing of the others. Where that leaves too few, the cheapest are taken.
 */
const CHEAP = 0.003;
const CHEAP_OF_FEW = 0.025;
/** Runs that there should be to choose from. */
const CHOICE = 12;

/** Far apart on the axes of the pool, its ends being 1 apart. */
function gap(a: Spot, b: Spot, tokens: number): number {
  const of = (x: number | string, y: number | string) =>
    typeof x === 'number' && typeof y === 'number' ? x - y : Number(x !== y);
  return Math.hypot(
    a.u[0] - b.u[0],
    a.u[1] - b.u[1],
    a.tokens === undefined || b.tokens === undefined
      ? Number(a.slice !== b.slice)
      : (a.tokens - b.tokens) / tokens,
    ...a.settings.map((x, i) => of(x, b.settings[i]!)),
  );
}

/** Farthest first from the cheapest on (Gonzalez 1985); equal distances by cost, then by place in the pool. */
export function startOf<R extends Affordable>(pool: readonly R[], scales: Scales, most = RUNS): R[] {
  const sorted = [...pool].sort((a, b) => a.cost - b.cost);
  const total = pool.reduce((sum, { cost }) => sum + cost, 0);
  const within = (share: number) => sorted.filter(({ cost }, i) => i < RUNS || cost <= share * total);
  const cheapest = within(CHEAP);
  const cheap = cheapest.length < CHOICE ? within(CHEAP_OF_FEW) : cheapest;
  const spots = new Map(cheap.map((run) => [run, scales.spot(run)]));
  const logs = cheap.flatMap(({ tokens }) => (tokens === undefined ? [] : [Math.log(tokens)]));
  const tokens = Math.max(1e-9, Math.max(...logs) - Math.min(...logs));
  const chosen: R[] = [];
  const distance = new Map(cheap.map((run) => [run, Number.POSITIVE_INFINITY]));
  while (chosen.length < Math.min(most, cheap.length)) {
    const next = cheap.reduce((a, b) => (distance.get(b)! > distance.get(a)! + 1e-9 ? b : a));
    if (!(distance.get(next)! > 0)) break; // only further seeds are left
    chosen.push(next);
    for (const run of cheap)
      distance.set(run, Math.min(distance.get(run)!, gap(spots.get(run)!, spots.get(next)!, tokens)));
  }
  return chosen.sort((a, b) => a.cost - b.cost);
}
