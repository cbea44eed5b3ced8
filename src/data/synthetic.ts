/**
 * Seeded synthetic interactions with tunable entropy: the data set that ships inside the program. Each step of a history
 * is one of four things, in this order: a repeat of something recent, a step along a sparse item-to-item transition
 * (from the last item, or from the one before it), a pick from the user's taste, or a pick by popularity alone. Steps
 * along transitions are what a sequential model can learn and a popularity baseline cannot; the more of them and the
 * fewer the branches, the lower the entropy. Times come in sessions: a long pause breaks the chain of transitions, so that
 * gaps carry information.
 */
import { UserError } from '../util/errors.js';
import { createRandom, type Random } from '../util/random.js';
import { hashContent, type Interactions } from './interactions.js';

/** What the generated data set is like; every option has a default. */
export interface SyntheticOptions {
  seed?: number;
  users?: number;
  items?: number;
  /** Mean events a user; lengths are geometric from `minLength` on. */
  meanLength?: number;
  minLength?: number;
  /** Exponent of Zipf's law over the items' popularity; 0 is uniform. */
  popularity?: number;
  /** Share of steps that follow a transition, within a session. */
  markov?: number;
  /** Successors an item has; the j-th is followed half as often as the one before it. */
  branching?: number;
  /** Share of transitions that start from the item before the last instead of the last. */
  secondOrder?: number;
  /** Share of the remaining steps that come from the user's taste rather than from popularity. */
  taste?: number;
  /** Clusters of items; a user's taste is one of them. */
  clusters?: number;
  /** Share of steps that take one of the user's last ten items again. */
  repeats?: number;
  /** Probability that a step stays within the session; pauses between sessions are days, within them minutes. */
  session?: number;
}

export const DEFAULT_SYNTHETIC: Required<SyntheticOptions> = {
  seed: 0,
  users: 2000,
  items: 500,
  meanLength: 40,
  minLength: 5,
  popularity: 0.6,
  markov: 0.7,
  branching: 4,
  secondOrder: 0.3,
  taste: 0.6,
  clusters: 10,
  repeats: 0.02,
  session: 0.85,
};

const START = 1_600_000_000;
const DAY = 86_400;

/**
 * Generates a data set; equal options give equal bytes on every machine.
 * @throws UserError naming the option that makes no sense.
 */
export function generateSynthetic(options: SyntheticOptions = {}): Interactions {
  const o = resolveSynthetic(options);
  const random = createRandom('synthetic', o.seed);
  const world = createWorld(o, createRandom('synthetic-world', o.seed));
  const lengths = Int32Array.from({ length: o.users }, () => historyLength(o, random));
  const offsets = new Int32Array(o.users + 1);
  for (let u = 0; u < o.users; u++) offsets[u + 1] = offsets[u]! + lengths[u]!;
  const items = new Int32Array(offsets[o.users]!);
  const timestamps = new Float64Array(items.length);
  for (let u = 0; u < o.users; u++) walk(o, world, random, offsets[u]!, offsets[u + 1]!, items, timestamps);
  const content = { numUsers: o.users, numItems: o.items, offsets, items, timestamps };
  return {
    name: 'synthetic',
    hash: hashContent(content),
    ...content,
    userIds: Array.from({ length: o.users }, (_, u) => `u${u + 1}`),
    itemIds: Array.from({ length: o.items + 1 }, (_, i) => (i === 0 ? '' : `i${i}`)),
  };
}

/** Fills in the defaults and checks every value. */
export function resolveSynthetic(options: SyntheticOptions): Required<SyntheticOptions> {
  const o = { ...DEFAULT_SYNTHETIC };
  for (const [name, value] of Object.entries(options)) {
    if (!(name in o))
      throw new UserError(`the synthetic data has no option "${name}"`, {
        remedy: `Options: ${Object.keys(DEFAULT_SYNTHETIC).join(', ')}.`,
      });
    if (value !== undefined) o[name as keyof SyntheticOptions] = value;
  }
  const demand = (name: keyof SyntheticOptions, valid: boolean, expected: string) => {
    if (!valid) throw new UserError(`synthetic data: ${name} must be ${expected}, not ${o[name]}`);
  };
  for (const name of ['users', 'items', 'branching', 'clusters', 'minLength'] as const)
    demand(name, Number.isInteger(o[name]) && o[name] >= 1 && o[name] <= 1e8, 'a whole number of at least 1');
  for (const name of ['markov', 'secondOrder', 'taste', 'repeats', 'session'] as const)
    demand(name, o[name] >= 0 && o[name] <= 1, 'between 0 and 1');
  demand('seed', Number.isSafeInteger(o.seed), 'a whole number');
  demand('popularity', o.popularity >= 0 && o.popularity <= 10, 'between 0 and 10');
  demand(
    'meanLength',
    o.meanLength >= o.minLength && o.meanLength <= 1e6,
    `at least minLength (${o.minLength})`,
  );
  demand('items', o.items >= o.clusters, `at least clusters (${o.clusters})`);
  demand('users', o.users * o.meanLength < 1e9, 'such that users x meanLength stays below 1e9');
  return o;
}

interface World {
  /** Cumulative weights of items 1..numItems by popularity. */
  popularity: Float64Array;
  /** The items of each cluster, and their cumulative weights. */
  clusterItems: Int32Array[];
  clusterWeights: Float64Array[];
  /** Successors of item i: `successors[i * branching + j]`, one table for the last item and one for the item before it. */
  successors: [Int32Array, Int32Array];
}

function createWorld(o: Required<SyntheticOptions>, random: Random): World {
  // Which item has which rank is drawn, so that item numbers tell nothing.
  const ranks = random.shuffle(Int32Array.from({ length: o.items }, (_, r) => r));
  const weights = Float64Array.from({ length: o.items }, (_, i) => (ranks[i]! + 1) ** -o.popularity);
  const popularity = cumulative(weights);
  const members: number[][] = Array.from({ length: o.clusters }, () => []);
  const clusterOf = random.shuffle(Int32Array.from({ length: o.items }, (_, i) => i % o.clusters));
  for (let i = 0; i < o.items; i++) members[clusterOf[i]!]!.push(i + 1);
  const successors = [0, 1].map(() => {
    const table = new Int32Array((o.items + 1) * o.branching);
    for (let at = o.branching; at < table.length; at++) table[at] = 1 + pick(popularity, random);
    return table;
  }) as [Int32Array, Int32Array];
  return {
    popularity,
    clusterItems: members.map((items) => Int32Array.from(items)),
    clusterWeights: members.map((items) => cumulative(Float64Array.from(items, (i) => weights[i - 1]!))),
    successors,
  };
}

function historyLength(o: Required<SyntheticOptions>, random: Random): number {
  const extra = o.meanLength - o.minLength;
  if (extra === 0) return o.minLength;
  // Geometric on 0, 1, 2, ... with mean `extra`.
  return o.minLength + Math.floor(Math.log(1 - random.uniform()) / Math.log(extra / (extra + 1)));
}

function walk(
  o: Required<SyntheticOptions>,
  world: World,
  random: Random,
  from: number,
  to: number,
  items: Int32Array,
  timestamps: Float64Array,
): void {
  const taste = random.int(o.clusters);
  let time = START + Math.floor(random.uniform() * 365 * DAY);
  let sessionStart = from;
  for (let at = from; at < to; at++) {
    if (at > from) {
      if (random.uniform() < o.session) time += 1 + Math.floor(-240 * Math.log(1 - random.uniform()));
      else {
        time += DAY / 4 + Math.floor(-5 * DAY * Math.log(1 - random.uniform()));
        sessionStart = at;
      }
    }
    timestamps[at] = time;
    const kind = random.uniform();
    if (kind < o.repeats && at > from) items[at] = items[at - 1 - random.int(Math.min(10, at - from))]!;
    else if (at > sessionStart && random.uniform() < o.markov) {
      const lag = at - 1 > sessionStart && random.uniform() < o.secondOrder ? 1 : 0;
      items[at] = world.successors[lag]![items[at - 1 - lag]! * o.branching + branch(o.branching, random)]!;
    } else if (random.uniform() < o.taste)
      items[at] = world.clusterItems[taste]![pick(world.clusterWeights[taste]!, random)]!;
    else items[at] = 1 + pick(world.popularity, random);
  }
}

/** 0 with weight 1, 1 with 1/2, 2 with 1/4, ... among `branching`. */
function branch(branching: number, random: Random): number {
  const total = 2 - 2 ** (1 - branching);
  let left = random.uniform() * total;
  for (let j = 0; j < branching - 1; j++) {
    left -= 2 ** -j;
    if (left < 0) return j;
  }
  return branching - 1;
}

function cumulative(weights: Float64Array): Float64Array {
  for (let i = 1; i < weights.length; i++) weights[i]! += weights[i - 1]!;
  return weights;
}

/** An index drawn with the given cumulative weights. */
function pick(sums: Float64Array, random: Random): number {
  const target = random.uniform() * sums[sums.length - 1]!;
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > target) high = middle;
    else low = middle + 1;
  }
  return low;
}
