/**
 * Configurations of several laws weighed together: what each is expected to reach, its odds, and what to train. `perflaw predict`
 * and the report share it.
 */

import { bestBy, type Direction, isBetter } from '../points/direction.js';
import type { Expected, Outlook } from '../trust/outlook.js';
import type { At } from '../trust/uncertainty.js';
import type { Candidate } from './candidates.js';
import { type Decision, decide, type Odds } from './decision.js';

/** A law's configurations. */
export interface Contender {
  outlook: Outlook;
  candidates: readonly Candidate[];
  place(candidate: Candidate): At;
}

export interface Option {
  candidate: Candidate;
  /** Index of its contender. */
  of: number;
  value: number;
  /** Roughly the deviation of `value`. */
  deviation: number;
  /** With intervals; made when it is asked for. */
  expected(): Expected;
  /** Absent for one that cannot be the answer: far below the best, or beyond an axis on which nothing was tried. */
  odds?: Odds;
}

export interface Weighed {
  options: Option[];
  /** Those that may be chosen: beyond an axis only where a level of it was predicted from the lower ones, and below none. */
  open: Option[];
  tolerance: number;
  /** What to train. */
  chosen: Option;
  /** The one that is expected to be best, of those that may be chosen. */
  highest: Option;
  /** Whether the chosen one is within tolerance of the best with the probability that is enough. */
  sure: boolean;
}

export interface WeighOptions {
  direction: Direction;
  /** In units of the metric; a share of the best expected value where it is `relative`. */
  tolerance?: { value: number; relative: boolean };
  seed?: number;
  /** What is saved by the cheaper; parameters by default. */
  cost?(candidate: Candidate): number;
}

/** One in a hundred: less no one would pay for. */
export const TOLERANCE = { value: 0.01, relative: true };
const WORLDS = 400;
/** Options that are drawn. */
const MOST = 2000;
/** An option this many deviations short of the best is not it. */
const HOPELESS = 3;

/** @param contenders with at least one candidate in all. */
export function weigh(contenders: readonly Contender[], options: WeighOptions): Weighed {
  const { direction, seed = 0, cost = ({ params }) => params } = options;
  const all = contenders.flatMap(({ outlook, candidates, place }, of): Option[] =>
    candidates.map((candidate) => {
      const { value, deviation } = outlook.glance(place(candidate));
      let known: Expected | undefined;
      return {
        candidate,
        of,
        value,
        deviation,
        expected: () => {
          known ??= outlook.expect(place(candidate));
          return known;
        },
      };
    }),
  );
  const isOpen = ({ of, candidate }: Option) => {
    const { outlook, place } = contenders[of]!;
    return outlook.forecaster.isOpen(place(candidate));
  };
  const open = all.filter(isOpen);
  const allowed = open.length > 0 ? open : all;
  const highest = bestBy(direction, allowed, ({ value }) => value);
  const asked = options.tolerance ?? TOLERANCE;
  const tolerance = asked.relative ? asked.value * Math.abs(highest.value) : asked.value;
  const sign = direction === 'minimize' ? -1 : 1;
  const serious = thinned(
    allowed.filter(
      ({ value, deviation }) => sign * value + HOPELESS * deviation + tolerance >= sign * highest.value,
    ),
    highest,
    cost,
  );
  const decision = decideAmong(serious, contenders, cost, tolerance, direction, seed);
  serious.forEach((option, i) => {
    option.odds = decision.odds[i]!;
  });
  return {
    options: all,
    open: allowed,
    tolerance,
    chosen: serious[decision.chosen]!,
    highest,
    sure: decision.sure,
  };
}

/** Where very many are serious, every so many of them by cost: neighbours hardly differ. */
function thinned(
  options: readonly Option[],
  highest: Option,
  cost: (candidate: Candidate) => number,
): readonly Option[] {
  if (options.length <= MOST) return options;
  const sorted = [...options].sort((a, b) => cost(a.candidate) - cost(b.candidate));
  const step = Math.ceil(sorted.length / MOST);
  return sorted.filter((option, i) => i % step === 0 || option === highest);
}

function decideAmong(
  serious: readonly Option[],
  contenders: readonly Contender[],
  cost: (candidate: Candidate) => number,
  tolerance: number,
  direction: Direction,
  seed: number,
): Decision {
  const worlds = Array.from({ length: WORLDS }, () => new Float64Array(serious.length));
  contenders.forEach(({ outlook, place }, of) => {
    const own = serious.map((_, i) => i).filter((i) => serious[i]!.of === of);
    const drawn = outlook.worlds(
      own.map((i) => place(serious[i]!.candidate)),
      WORLDS,
      seed + of,
    );
    drawn.forEach((world, k) => {
      own.forEach((i, n) => {
        worlds[k]![i] = world[n]!;
      });
    });
  });
  return decide(
    worlds,
    serious.map(({ candidate }) => cost(candidate)),
    serious.map(({ value }) => value),
    tolerance,
    direction,
  );
}

/** The smallest that is expected no worse than the worse end of the interval of one new run of `best`. */
export function smallestAsGood(best: Option, among: readonly Option[], direction: Direction): Option {
  const { value: middle, interval } = best.expected();
  const floor = interval[direction === 'minimize' ? 1 : 0] ?? middle;
  return among
    .filter(({ value }) => !isBetter(direction, floor, value))
    .reduce((a, b) => (b.candidate.params < a.candidate.params ? b : a), best);
}

/** The best expected of every cost, from the cheapest on: each dearer one is expected to be better. */
export function frontier(
  options: readonly Option[],
  direction: Direction,
  cost: (candidate: Candidate) => number,
): Option[] {
  const sorted = [...options].sort((a, b) => cost(a.candidate) - cost(b.candidate));
  const line: Option[] = [];
  for (const option of sorted) {
    const last = line.at(-1);
    if (last && !isBetter(direction, option.value, last.value)) continue;
    if (last && cost(last.candidate) === cost(option.candidate)) line.pop();
    line.push(option);
  }
  return line;
}
