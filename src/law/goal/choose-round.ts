/**
 * The next runs of a sweep with a goal, or the reason to stop: a pure function of the runs that may be made, of what those made so
 * far said, and of the goal. It begins with cheap runs far apart (start.ts); then come those that narrow the decision at the goal most
 * for their cost (gain.ts), as the surrogate believes it (surrogate.ts).
 */

import { normalHalfWidth } from '../forecast/student.js';
import type { Direction } from '../points/direction.js';
import { type GoalQuestion, type Option, type Standing, weighOptions } from './decision.js';
import { type Gain, Gains } from './gain.js';
import { startOf } from './start.js';
import { fitSurrogate, type Place, type Scales, type Surrogate, scalesOf, type Told } from './surrogate.js';

/** A run of the pool. */
export interface PoolRun extends Place {
  id: string;
  seed: number;
  /** What it costs, in any unit; a fact of the plan, not a measurement. */
  cost: number;
}

export interface RoundQuestion extends GoalQuestion {
  pool: readonly PoolRun[];
  /** The metric of every run that was chosen so far; null for one that failed. */
  results: ReadonlyMap<string, number | null>;
  /** Runs of a round. */
  round: number;
  /** Whether the last round would have named with enough confidence, too. */
  wasSure: boolean;
  /** Whether what is left of the budget does for a run beside those chosen for the round. */
  fits?(run: PoolRun, chosen: readonly PoolRun[]): boolean;
}

/** Why a run is made. */
export type Purpose = 'start' | 'decide' | 'repeat';

export interface ChosenRun {
  id: string;
  purpose: Purpose;
  /** Share of the decision's variance that it is expected to take off; null at the start. */
  share: number | null;
  /** Its cost over that of the whole pool. */
  cost: number;
}

/** What would be named, and how sure that is. */
export interface Named extends Place {
  value: number;
  /** Where its metric is believed to lie, at the confidence of the goal; null before a run of its slice was made. */
  interval: [low: number, high: number] | null;
  /** Probability of being within tolerance of the best, and of being the best. */
  within: number;
  best: number;
  /** Expected loss against the best. */
  regret: number;
}

/**
 * - `known`: the one named is within tolerance with enough confidence, in two rounds after one another or where no run would help.
 * - `budget`: no run fits what is left of the hours.
 * - `no help`: no run that could be made would tell much of the decision.
 * - `all made`: every run of the pool was made.
 */
export type StopReason = 'known' | 'budget' | 'no help' | 'all made';

export interface RoundDecision {
  /** Runs that said something, those that failed, and the cost of both over that of the pool. */
  known: { runs: number; failed: number; spent: number };
  named: Named | null;
  sure: boolean;
  /** Deviation of one run, as a share of the metric. */
  noise: number;
  /** Others that may be the best, the likeliest first. */
  rivals: Named[];
  /** Runs that were looked at, and the next most telling ones that were not taken. */
  considered: { affordable: number; passedOver: ChosenRun[] };
  runs: ChosenRun[];
  stop: StopReason | null;
}

/** A run that takes less than this share off the decision's variance is no help. */
const HELPS = 0.02;
/** So many rivals and runs passed over are kept for the reader. */
const SHOWN = 3;

export function chooseRound(question: RoundQuestion): RoundDecision {
  const { pool, results, options, round, wasSure } = question;
  const scales = scalesOf(pool);
  const total = pool.reduce((sum, { cost }) => sum + cost, 0);
  const made = pool.filter(({ id }) => results.has(id));
  const known = {
    runs: made.filter(({ id }) => results.get(id) !== null).length,
    failed: made.filter(({ id }) => results.get(id) === null).length,
    spent: made.reduce((sum, { cost }) => sum + cost, 0) / total,
  };
  const left = pool.filter(({ id }) => !results.has(id));
  const start = startOf(oneOfEachPlace(pool), scales);
  const cost = (run: PoolRun) => run.cost / total;
  const fits = question.fits ?? (() => true);
  const missing = start.filter(({ id }) => !results.has(id));
  if (known.runs === 0 || (missing.length > 0 && made.every((run) => start.includes(run)))) {
    const runs = taken(missing.length > 0 ? missing : left.slice(0, round), fits);
    return {
      known,
      named: null,
      sure: false,
      noise: 0,
      rivals: [],
      considered: { affordable: left.length, passedOver: [] },
      runs: runs.map((run) => ({ id: run.id, purpose: 'start', share: null, cost: cost(run) })),
      stop: runs.length > 0 ? null : left.length > 0 ? 'budget' : 'all made',
    };
  }
  const { surrogate, standing } = believe(question, scales);
  const slices = new Set(made.filter(({ id }) => results.get(id) !== null).map(({ slice }) => slice));
  const name = (i: number) => namedOf(options[i]!, i, standing, question, slices);
  const rivals = [...options.keys()]
    .filter((i) => i !== standing.chosen && standing.odds[i]!.best > 0)
    .sort((a, b) => standing.odds[b]!.best - standing.odds[a]!.best || a - b)
    .slice(0, SHOWN)
    .map(name);
  const affordable = oneOfEachPlace(left.filter((run) => fits(run, [])));
  const answer = {
    known,
    named: name(standing.chosen),
    sure: standing.sure,
    noise: surrogate.noise,
    rivals,
  };
  const stopped = (stop: StopReason): RoundDecision => ({
    ...answer,
    considered: { affordable: affordable.length, passedOver: [] },
    runs: [],
    stop,
  });
  const isKnown = standing.sure && wasSure && answer.named.interval !== null;
  if (left.length === 0) return stopped(isKnown ? 'known' : 'all made');
  const seen = new Set(made.filter(({ id }) => results.get(id) !== null).map(placeKey));
  const isRepeat = (run: PoolRun) => seen.has(placeKey(run));
  const going = (gains: readonly Gain<PoolRun>[], passedOver: readonly Gain<PoolRun>[]): RoundDecision => {
    const asRun = ({ run, share }: Gain<PoolRun>): ChosenRun => ({
      id: run.id,
      purpose: isRepeat(run) ? 'repeat' : 'decide',
      share,
      cost: cost(run),
    });
    return {
      ...answer,
      considered: { affordable: affordable.length, passedOver: passedOver.slice(0, SHOWN).map(asRun) },
      runs: gains.map(asRun),
      stop: null,
    };
  };
  const gains = new Gains(surrogate, standing, options, affordable);
  const ranked = gains.ranked();
  const helps = ranked.some(({ share }) => share >= HELPS);
  if (isKnown || (affordable.length > 0 && !helps)) {
    // without a single repeat the noise of a run is a guess, on which all that is known rests: the cheapest repeats tell it
    const repeats =
      seen.size === known.runs ? affordable.filter(isRepeat).sort((a, b) => a.cost - b.cost) : [];
    const few = taken(repeats, fits).slice(0, round);
    if (few.length > 0)
      return going(
        few.map((run) => ({ run, share: ranked.find((one) => one.run === run)?.share ?? 0 })),
        ranked.filter(({ run }) => !few.includes(run)),
      );
    return stopped(standing.sure && answer.named.interval ? 'known' : 'no help');
  }
  if (affordable.length === 0) return stopped('budget');
  return going(...roundOf(gains, round, fits));
}

/** The most telling for their cost, one after another, and what is left then. */
function roundOf(
  gains: Gains<PoolRun>,
  round: number,
  fits: (run: PoolRun, chosen: readonly PoolRun[]) => boolean,
): [chosen: Gain<PoolRun>[], passedOver: Gain<PoolRun>[]] {
  const chosen: Gain<PoolRun>[] = [];
  for (;;) {
    const ranked = gains.ranked();
    const runs = chosen.map(({ run }) => run);
    const next = chosen.length < round ? ranked.find(({ run }) => fits(run, runs)) : undefined;
    if (!next) return [chosen, ranked];
    chosen.push(next);
    gains.take(next.run);
  }
}

/** What is believed at the goal after some results: at least one. */
export function believe(
  question: GoalQuestion & { pool: readonly PoolRun[]; results: ReadonlyMap<string, number | null> },
  scales: Scales = scalesOf(question.pool),
): { surrogate: Surrogate; standing: Standing } {
  const told = new Map<string, { place: Place; values: number[] }>();
  for (const run of question.pool) {
    const value = question.results.get(run.id);
    if (value === undefined || value === null) continue;
    const key = placeKey(run);
    const one = told.get(key) ?? { place: run, values: [] };
    one.values.push(value);
    told.set(key, one);
  }
  const all: Told[] = [...told.values()];
  const surrogate = fitSurrogate(all, scales, signOf(question.direction));
  return { surrogate, standing: weighOptions(surrogate, question) };
}

const signOf = (direction: Direction) => (direction === 'minimize' ? -1 : 1);

/** Runs that differ in nothing but the seed have one key. */
export const placeKey = ({ layers, dim, slice, settings = {} }: Place) =>
  JSON.stringify([slice, layers, dim, Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1))]);

/** Seeds of one place tell the same: the smallest that is left stands for them. */
function oneOfEachPlace(runs: readonly PoolRun[]): PoolRun[] {
  const first = new Map<string, PoolRun>();
  for (const run of runs) {
    const key = placeKey(run);
    const known = first.get(key);
    if (!known || run.seed < known.seed) first.set(key, run);
  }
  return [...first.values()];
}

function taken(
  runs: readonly PoolRun[],
  fits: (run: PoolRun, chosen: readonly PoolRun[]) => boolean,
): PoolRun[] {
  const chosen: PoolRun[] = [];
  for (const run of runs) if (fits(run, chosen)) chosen.push(run);
  return chosen;
}

function namedOf(
  option: Option,
  i: number,
  standing: Standing,
  { confidence, most = Number.POSITIVE_INFINITY }: GoalQuestion,
  measured: ReadonlySet<string>,
): Named {
  const { within, best, regret } = standing.odds[i]!;
  const { layers, dim, slice, tokens, settings } = option;
  const value = Math.min(most, standing.values[i]!);
  const half = Math.exp(normalHalfWidth(confidence) * standing.deviations[i]!);
  return {
    layers,
    dim,
    slice,
    ...(tokens === undefined ? {} : { tokens }),
    ...(settings === undefined ? {} : { settings }),
    value,
    interval: measured.has(slice) ? [value / half, Math.min(most, value * half)] : null,
    within,
    best,
    regret,
  };
}
