/** From a data set and a budget to a sweep file: the largest design whose plan holds the hours. */
import { availableParallelism, totalmem } from 'node:os';
import type { Interactions } from '../../data/interactions.js';
import { UserError } from '../../util/errors.js';
import { formatCount } from '../../util/format.js';
import { ASSUMED, type Pace, paceHere } from '../run/pace/pace.js';
import { type Draft, drafter, type Machine } from './draft.js';
import {
  DETAIL,
  type Design,
  holds,
  MORE,
  REACH,
  REPEATS,
  type Step,
  sizeOf,
  smallestDesigns,
} from './grid.js';
import { type DataLook, lookAt } from './look.js';
import { briefRecipe, type Recipe, recipeFor } from './recipe.js';
import type { Heading } from './text.js';

/** What a person asks for. */
export interface Wishes {
  /** Wall hours on this machine; DEFAULT_HOURS where absent. */
  hours?: number;
  /** Most parameters of the model to be trained; the largest size of the grid where absent. */
  params?: number;
  /** Metric that decides, such as `hr@20`; `ndcg@10` where absent. */
  metric?: string;
}

export const DEFAULT_HOURS = 4;

/** Of the hours, the share that plans may fill: the rest is for the fits, and for what estimates miss. */
const FILLED = 0.9;
/** Of the hours, the share that data and width may take before anything else: less where three rates are to be tried, and all where
 * the hours do not reach for all of the data. */
const FIRST = { tuned: 0.22, plain: 0.4, brief: FILLED };
/** Of the epochs, the share with which a brief sweep begins. */
const FEW = 0.4;
/** More candidates make a file hard to read, and tell no more. */
const MOST_TRIALS = 240;

/** This machine; a container's limit of memory counts. */
function thisMachine(): Machine {
  const limit = process.constrainedMemory();
  return {
    cores: availableParallelism(),
    memory: limit > 0 ? Math.min(limit, totalmem()) : totalmem(),
    paceOf: paceHere,
  };
}

/**
 * Fits a sweep file to a data set. Trains nothing and writes nothing.
 * @throws UserError where no model is small enough for `params`, or no sweep short enough for `hours`.
 */
export async function draftSweep(
  data: Interactions,
  heading: Heading,
  wishes: Wishes = {},
  machine = thisMachine(),
): Promise<Draft> {
  const { hours = DEFAULT_HOURS, params } = wishes;
  const look = lookAt(data);
  refuseCutoff(look, wishes.metric);
  const recipe = recipeFor(look, wishes.metric);
  const starts = smallestDesigns(look, recipe, params);
  if (starts.length === 0) throw tooFewParameters(look, recipe, params!);
  const draft = await drafter(data, heading, { look, machine, hours, params });
  const at = (pace: Pace) =>
    largestDraft(look, recipe, starts, { hours, params }, (by, design) => draft(pace, by, design));
  const pace = await draft(ASSUMED, recipe, starts[0]!).measure();
  const drafted = at(pace);
  const [was, is] = [starts[0]!.dim, drafted.typical.config.model.dim];
  // How fast a core is depends on the width: of another one it is measured again.
  return Math.max(was / is, is / was) <= 2 ? drafted : at(await drafted.measure());
}

/** The largest design that holds the hours at some pace. */
function largestDraft(
  look: DataLook,
  recipe: Recipe,
  starts: readonly Design[],
  { hours, params }: { hours: number; params?: number },
  drafts: (recipe: Recipe, design: Design) => Draft,
): Draft {
  const within = (draft: Draft, share: number) =>
    draft.seconds <= share * 3600 * hours && draft.trials <= MOST_TRIALS && draft.fitsMemory;
  const largest = (by: Recipe, from: readonly Design[], reach: number): Draft | { needed: number } => {
    const tried = firstOf(
      from,
      (start) => drafts(by, start),
      (draft) => within(draft, FILLED),
    );
    if ('needed' in tried) return tried;
    const take: Take = (step, { design }, share) => {
      const larger = step(design, look, by);
      const draft = larger && holds(larger, look, by, params) ? drafts(by, larger) : undefined;
      return draft && within(draft, share) ? draft : undefined;
    };
    // Rates are tuned where that leaves all of the data and widths worth comparing.
    const tuned = grow(tried, take, FIRST.tuned);
    const { design } = tuned;
    return design.tuned && design.share === 1 && design.dim >= tried.design.dim
      ? tuned
      : grow(tried, take, reach);
  };
  const full = largest(recipe, starts, FIRST.plain);
  if ('text' in full && full.design.share === 1) return full;
  // Fewer epochs of more data teach more than many of a part of it, and fewer users leave time for both.
  const few = starts.filter(({ epochs }) => epochs <= Math.max(FEW * recipe.epochs, starts.at(-1)!.epochs));
  const brief = largest(briefRecipe(recipe, look), few, FIRST.brief);
  if ('text' in brief && !('text' in full && full.design.share >= brief.design.share)) return brief;
  if ('text' in full) return full;
  throw tooFewHours(hours, Math.min(full.needed, 'needed' in brief ? brief.needed : Infinity));
}

/** The first design that fits, or the least seconds that one of them needs; Infinity where none fits the memory. */
function firstOf(
  starts: readonly Design[],
  drafts: (design: Design) => Draft,
  fits: (draft: Draft) => boolean,
): Draft | { needed: number } {
  let needed = Infinity;
  for (const start of starts) {
    const draft = drafts(start);
    if (fits(draft)) return draft;
    if (draft.fitsMemory) needed = Math.min(needed, draft.seconds);
  }
  return { needed };
}

/** Goes from a design to a larger one; undefined where there is none, or its plan takes more than the share of the hours. */
type Take = (step: Step, from: Draft, share: number) => Draft | undefined;

/** Step after step while the hours hold: data and width up to the share `reach`, what a law needs, then whatever there is time for. */
function grow(first: Draft, take: Take, reach: number): Draft {
  let best = first;
  /** A step of each; whether any held. */
  const round = (steps: readonly Step[], share: number): boolean => {
    const before = best;
    for (const step of steps) best = take(step, best, share) ?? best;
    return best !== before;
  };
  while (round(REACH, reach));
  round(DETAIL, FILLED);
  while (round([...REACH, ...MORE, ...DETAIL], FILLED));
  while (round(REPEATS, FILLED));
  return best;
}

/** @param seconds that the smallest sweep takes. */
function tooFewHours(hours: number, seconds: number): UserError {
  if (seconds === Infinity)
    return new UserError('no model of this data fits the memory of this machine', {
      remedy: 'Use a larger machine, or fewer items (perflaw data import --k-core 10).',
    });
  const needed = seconds / 3600 / FILLED;
  return new UserError(
    `${hoursText(hours)} are too few: the smallest sweep worth running on this data takes ${hoursText(needed)} here`,
    {
      place: '--hours',
      remedy: `Give --hours ${Number((1.1 * needed).toPrecision(2))}, or less data (perflaw data import --where ...).`,
    },
  );
}

const hoursText = (hours: number) => `${Number(hours.toPrecision(2))} hours`;

function refuseCutoff({ items }: DataLook, metric: string | undefined): void {
  const k = Number(metric?.split('@')[1] ?? 0);
  if (k >= items)
    throw new UserError(`cut-off ${k} is not below the number of items, ${items.toLocaleString('en')}`, {
      place: '--metric',
      remedy: 'Give a smaller one, or more items (perflaw data import --k-core 0).',
    });
}

function tooFewParameters({ items }: DataLook, recipe: Recipe, params: number): UserError {
  const { total } = sizeOf(recipe, items, 4, 4);
  return new UserError(
    `${formatCount(params)} parameters hold no models to compare: 4 layers of dim 4, the smallest that are tried, have ${formatCount(total)}, of which the table of ${items.toLocaleString('en')} items takes ${formatCount(4 * (items + 1))}`,
    {
      place: '--params',
      remedy: `Give --params ${formatCount(1.05 * total)} or more, or fewer items (perflaw data import --k-core 10).`,
    },
  );
}
