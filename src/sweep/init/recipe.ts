/** What the data alone decide: length, steps, loss, evaluation. Every choice carries its reason and the number it was made from. */
import type { DataLook } from './look.js';

/** A setting, and in one line why it is so. */
export interface Choice<T> {
  value: T;
  why: string;
}

export interface Recipe {
  dState: Choice<number>;
  maxLength: Choice<number>;
  dropout: Choice<number>;
  rows: number;
  /** Most epochs, where there is time for them. */
  epochs: number;
  /** Items sampled a step; absent where the loss is over all items. */
  negatives?: Choice<number>;
  /** Cut-offs, where the usual ones do not go with the data or the metric. */
  ks?: Choice<number[]>;
  metric: Choice<string>;
  history: Choice<'masked' | 'unmasked'>;
  /** Users that are evaluated, where not all are. */
  users?: Choice<number>;
  tolerance: Choice<number>;
}

/** Rates are given at this dim and fall from there as 1 / dim. */
export const RATE_DIM = 16;

/** A loss over all items up to here; beyond it scores cost several times what the layers do (docs/log.md, sampled negatives). */
const FULL_LOSS = 10_000;

/** No window is longer: more is padding, memory and evaluation for the few who have it. */
const LONGEST = 500;

/** More users than this make no metric surer: its standard error is below .0015. */
const MOST_USERS = 20_000;

/** Fewer tell too little. */
const FEWEST_USERS = 1000;

/** Standard deviation of NDCG@10 over users: .006 on a thousand of them (README, Limits). */
const SPREAD = 0.19;

const within = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
const count = (value: number) => value.toLocaleString('en');
const percent = (share: number) => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

/** Largest of 1, 2, 5, 10, 20, ... at most `value`. */
function roundDown(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * ([5, 2].find((step) => step * unit <= value) ?? 1);
}

/** How to train and to evaluate on data that look so; `metric` decides where it is given. */
export function recipeFor(look: DataLook, metric?: string): Recipe {
  const maxLength = lengthFor(look);
  const negatives = negativesFor(look);
  const rows = rowsFor(look, maxLength.value);
  const epochs = epochsFor(look);
  const { ks, metric: selected } = metricFor(look, metric);
  const users = usersFor(look, negatives?.value);
  return {
    dState: { value: 16, why: 'half of the published 32, as in the sweeps of MovieLens 100K' },
    maxLength,
    dropout: dropoutFor(look),
    rows,
    epochs,
    negatives,
    ks,
    metric: selected,
    history: historyFor(look),
    users,
    tolerance: toleranceFor(users?.value ?? look.evaluated),
  };
}

/** The same for a budget that does not reach for all of the data: fewer users are evaluated. */
export function briefRecipe(recipe: Recipe, look: DataLook): Recipe {
  const { users } = recipe;
  if ((users?.value ?? look.evaluated) <= 1.2 * FEWEST_USERS) return recipe;
  return {
    ...recipe,
    rows: rowsFor({ items: look.items, tokens: look.tokens / 3 }, recipe.maxLength.value),
    users: {
      value: FEWEST_USERS,
      why: `of ${count(look.evaluated)}, a fixed sample: after every epoch, all of them would take a good part of the little time`,
    },
    tolerance: toleranceFor(FEWEST_USERS),
  };
}

function lengthFor({ lengths }: DataLook): Choice<number> {
  const { most, max } = lengths;
  const rounded = most <= 20 ? most + (most % 2) : 10 * Math.ceil(most / 10);
  const value = within(rounded, 4, LONGEST);
  return {
    value,
    why:
      most > LONGEST
        ? `95 % of histories are ${count(most)} events or shorter, the longest ${count(max)}; longer ones are cut into windows of ${LONGEST}, so that every event is still predicted`
        : `95 % of histories are ${count(most)} events or shorter, the longest ${count(max)}`,
  };
}

function dropoutFor({ tokens, users }: DataLook): Choice<number> {
  const mean = tokens / users;
  return mean < 15
    ? {
        value: 0.4,
        why: `${mean.toFixed(1)} events a user are few: as published for Amazon Beauty (9 events a user)`,
      }
    : {
        value: 0.2,
        why: `${count(Math.round(mean))} events a user: as published for MovieLens 1M (165 events a user)`,
      };
}

/** Packed rows a step: some hundred steps an epoch. */
function rowsFor({ tokens, items }: Pick<DataLook, 'tokens' | 'items'>, maxLength: number): number {
  // A large table is updated in every step, whatever the step holds.
  const least = items > FULL_LOSS ? Math.min(items / 50, 8000) : 256;
  return Math.max(1, Math.round(Math.max(least, within(tokens / 120, 256, 1600)) / maxLength));
}

/** Most epochs: the more data, the fewer. */
function epochsFor({ tokens }: DataLook): number {
  return tokens < 20_000 ? 40 : tokens < 1e6 ? 25 : tokens < 5e6 ? 15 : tokens < 20e6 ? 8 : 4;
}

/** Evaluations without a better one after which training stops. */
export const patienceFor = (epochs: number) => Math.max(2, Math.round(epochs / 5));

function negativesFor({ items }: DataLook): Choice<number> | undefined {
  if (items <= FULL_LOSS) return undefined;
  return {
    value: items > 100_000 ? 2000 : 1000,
    why: `${count(items)} items: a loss over all of them (the rule up to ${count(FULL_LOSS)}) would cost several times what the layers do`,
  };
}

/** The rate at dim 16, from which it follows the width, for a training of so many steps. */
export function rateFor(steps: number): Choice<number> {
  const where = `falls as 1/dim from dim ${RATE_DIM} on; measured best there: 4e-3 on MovieLens 100K, 8e-3 on the embedded data`;
  return steps < 1500
    ? { value: 8e-3, why: `for a short training of ${count(steps)} steps; ${where}` }
    : { value: 4e-3, why: where };
}

function metricFor({ items }: DataLook, asked: string | undefined): Pick<Recipe, 'ks' | 'metric'> {
  const usual = [5, 10, 20];
  const fitting = usual.filter((k) => k < items);
  const ks = fitting.length > 0 ? fitting : [1];
  const k = asked === undefined ? (ks.includes(10) ? 10 : ks.at(-1)!) : Number(asked.split('@')[1]);
  const all = [...new Set([...ks, k])].sort((a, b) => a - b);
  return {
    metric: {
      value: asked ?? `ndcg@${k}`,
      why: asked === undefined ? 'the metric that most papers report' : 'as asked for',
    },
    ...(all.length === usual.length && all.every((one, i) => one === usual[i])
      ? {}
      : { ks: { value: all, why: `cut-offs below the ${count(items)} items` } }),
  };
}

function historyFor({ repeated, lengths, items }: DataLook): Choice<'masked' | 'unmasked'> {
  const stand = `${percent(repeated)} of the held-out items stand in the user's history`;
  if (repeated >= 0.1)
    return { value: 'unmasked', why: `${stand}: people come back, so seen items stay among the candidates` };
  if (2 * lengths.median >= items)
    return {
      value: 'unmasked',
      why: `half of the users have ${count(lengths.median)} events or more over ${count(items)} items: without seen ones little is left to rank`,
    };
  return { value: 'masked', why: `${stand}: seen items are left out of the candidates` };
}

/** Ranking a user costs about 64 FLOPs an item at dim 32, training on an event some 400,000 with the small operations. */
function usersFor({ evaluated, items, tokens }: DataLook, negatives = items): Choice<number> | undefined {
  const training = tokens * (400e3 + 192 * Math.min(items, negatives));
  const affordable = training / 4 / (64 * items);
  const most = roundDown(within(affordable, FEWEST_USERS, MOST_USERS));
  if (evaluated <= 1.2 * most) return undefined;
  const why =
    affordable < MOST_USERS
      ? `ranking all ${count(evaluated)} users over ${count(items)} items would cost more than a quarter of an epoch`
      : `of ${count(evaluated)}: a fixed sample, the same in every trial, whose standard error is below ${(SPREAD / Math.sqrt(most)).toFixed(4)}`;
  return { value: most, why };
}

function toleranceFor(users: number): Choice<number> {
  const error = SPREAD / Math.sqrt(users);
  const value = Number(within(error / 2, 0.002, 0.05).toPrecision(1));
  return {
    value,
    why: `as good as the best: half of the standard error, about ${error.toPrecision(2)}, that ${count(users)} users leave`,
  };
}
