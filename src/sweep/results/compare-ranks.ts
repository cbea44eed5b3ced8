/** Two runs' ranks over the users that both ranked: differences by metric, and by groups of users. */
import { splitLabel } from '../../data/split.js';
import {
  holm,
  type PairedDifference,
  pairedDifference,
  quantileGroups,
  type SeedDifference,
  seedDifference,
  userMean,
} from '../../law/trust/paired.js';
import type { TrialConfig } from '../../train/config.js';
import type { StoredRanks, UserRanks } from '../../train/evaluation/ranks.js';
import { UserError } from '../../util/errors.js';
import { canonicalJson } from '../../util/hash.js';
import { userValues } from './rank-metrics.js';

/** A finished run with its ranks. */
export interface RankedRun {
  name: string;
  config: TrialConfig;
  ranks: StoredRanks;
}

export interface CompareOptions {
  part: 'validation' | 'test';
  /** As the first run selected where left out. */
  history?: 'masked' | 'unmasked';
  ks?: readonly number[];
  /** The groups' metric. */
  metric?: string;
  level: number;
}

/** One group of users; `from` and `to` are of the value that parts them. `holm` is p corrected for the groups of its kind. */
export interface GroupDifference extends PairedDifference {
  from: number;
  to: number;
  holm: number;
}

export interface RankComparison {
  /** Several runs of a side are its seeds, of which the mean is compared; `config` is the first one's. */
  a: { name: string; seeds: number[]; config: TrialConfig };
  b: { name: string; seeds: number[]; config: TrialConfig };
  part: 'validation' | 'test';
  history: 'masked' | 'unmasked';
  level: number;
  /** Users that both ranked. */
  users: number;
  metrics: Record<string, PairedDifference & { overSeeds?: SeedDifference }>;
  /** Metric of the groups, and the users by items in their history and by how often training histories hold the target. */
  groups: { metric: string; historyLength: GroupDifference[]; targetPopularity: GroupDifference[] };
  notes: string[];
}

/** Fewer users are no group. */
const FEWEST = 20;

/**
 * @param first, second the runs of each side: one, or several that differ in their seed alone.
 * @throws UserError for the same run twice, runs on other data, runs without a user in common, and sides of several settings.
 */
export function compareRanks(
  first: readonly RankedRun[],
  second: readonly RankedRun[],
  options: CompareOptions,
): RankComparison {
  const { part, level } = options;
  const [a, b] = [sideOf(first), sideOf(second)];
  const place = `${a.name} and ${b.name}`;
  const all = [...first, ...second];
  const other = all.find(({ ranks }) => ranks.data !== a.ranks.data);
  const twice = all.find((one, i) => all.some((two, j) => j < i && isSame(one.config, two.config)));
  if (other)
    throw new UserError('these runs were evaluated on different data, so their users are not the same', {
      place,
      remedy: 'Compare runs on the same data set.',
    });
  if (splitLabel(a.config.split) !== splitLabel(b.config.split))
    throw new UserError(
      `these runs held out different items: ${splitLabel(a.config.split)} and ${splitLabel(b.config.split)}`,
      { place, remedy: 'Compare runs of one split.' },
    );
  if (twice)
    throw new UserError('these are two runs of one configuration and seed, so there is no difference', {
      place,
      remedy: 'Name two different trials; `perflaw results` shows them.',
    });
  const notes: string[] = [];
  const history = options.history ?? a.config.evaluation.history;
  const ranked = inCommon(all.map(({ ranks }) => ranks[part]));
  const one = ranked[0]!;
  const users = one.users.length;
  const most = Math.max(...all.map(({ ranks }) => ranks[part].users.length));
  if (users < 2)
    throw new UserError('no two users were ranked by all of these runs', {
      place,
      remedy: 'Evaluate them on the same users.',
    });
  if (users < most) notes.push(`${users} of ${most} users were ranked by all runs: only they are compared`);
  const ks = options.ks ?? a.config.evaluation.ks;
  const names = [...ks.flatMap((k) => [`ndcg@${k}`, `hr@${k}`, `mrr@${k}`]), 'loss'];
  const difference = (metric: string, members?: readonly number[]) => {
    const values = (ranks: UserRanks) => {
      const all = userValues(ranks, history, metric);
      return members ? Float64Array.from(members, (u) => all[u]!) : all;
    };
    const sides = [ranked.slice(0, first.length), ranked.slice(first.length)].map((side) => side.map(values));
    const [mine, theirs] = sides.map((runs) =>
      runs.length === 1 ? runs[0]! : Float64Array.from(runs[0]!, (_, u) => userMean(runs, u)),
    );
    return {
      ...pairedDifference(mine!, theirs!, level),
      ...(all.length > 2 ? { overSeeds: seedDifference(sides[0]!, sides[1]!, level) } : {}),
    };
  };
  const metric = options.metric?.toLowerCase() ?? a.config.evaluation.select;
  const groupsBy = (values: Int32Array): GroupDifference[] => {
    const groups = quantileGroups(values, Math.min(4, Math.floor(users / FEWEST)));
    const found = groups.map(({ from, to, members }) => ({ from, to, ...difference(metric, members) }));
    const corrected = holm(found.map(({ p }) => p));
    return found.map((group, i) => ({ ...group, holm: corrected[i]! }));
  };
  if (users < 2 * FEWEST) notes.push(`${users} users are too few to be parted into groups`);
  const grouped = users >= 2 * FEWEST;
  return {
    a: { name: a.name, seeds: first.map(({ config }) => config.seed), config: a.config },
    b: { name: b.name, seeds: second.map(({ config }) => config.seed), config: b.config },
    part,
    history,
    level,
    users,
    metrics: Object.fromEntries(names.map((name) => [name, difference(name)])),
    groups: {
      metric,
      historyLength: grouped ? groupsBy(one.historyLengths) : [],
      targetPopularity: grouped ? groupsBy(one.popularity) : [],
    },
    notes,
  };
}

const isSame = (a: TrialConfig, b: TrialConfig) => canonicalJson(a) === canonicalJson(b);

/** A side as its first run, under the names of all. @throws UserError where its runs differ in more than their seed. */
function sideOf(runs: readonly RankedRun[]): RankedRun {
  const first = runs[0]!;
  const stranger = runs.find(({ config }) => !isSame({ ...config, seed: first.config.seed }, first.config));
  if (stranger)
    throw new UserError('the runs of one side must differ in their seed alone', {
      place: `${first.name} and ${stranger.name}`,
      remedy: 'Name the seeds of one configuration, separated by commas; `perflaw results` shows them.',
    });
  return { ...first, name: runs.map(({ name }) => name).join(', ') };
}

/** The ranks of the users that all hold, in the same order. */
function inCommon(all: readonly UserRanks[]): UserRanks[] {
  const places = all.map(({ users }) => new Map(Array.from(users, (user, i) => [user, i])));
  const users = Array.from(all[0]!.users).filter((user) => places.every((place) => place.has(user)));
  return all.map((ranks, r) => {
    const at = users.map((user) => places[r]!.get(user)!);
    const column = (values: Int32Array) => Int32Array.from(at, (i) => values[i]!);
    return {
      users: column(ranks.users),
      masked: column(ranks.masked),
      unmasked: column(ranks.unmasked),
      historyLengths: column(ranks.historyLengths),
      popularity: column(ranks.popularity),
      losses: Float32Array.from(at, (i) => ranks.losses[i]!),
    };
  });
}
