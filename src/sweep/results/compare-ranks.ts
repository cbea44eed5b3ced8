/** Two runs' ranks over the users that both ranked: differences by metric, and by groups of users. */
import { splitLabel } from '../../data/split.js';
import { holm, type PairedDifference, pairedDifference, quantileGroups } from '../../law/trust/paired.js';
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
  a: { name: string; config: TrialConfig };
  b: { name: string; config: TrialConfig };
  part: 'validation' | 'test';
  history: 'masked' | 'unmasked';
  level: number;
  /** Users that both ranked. */
  users: number;
  metrics: Record<string, PairedDifference>;
  /** Metric of the groups, and the users by items in their history and by how often training histories hold the target. */
  groups: { metric: string; historyLength: GroupDifference[]; targetPopularity: GroupDifference[] };
  notes: string[];
}

/** Fewer users are no group. */
const FEWEST = 20;

/** @throws UserError for the same run twice, runs on other data, and runs without a user in common. */
export function compareRanks(a: RankedRun, b: RankedRun, options: CompareOptions): RankComparison {
  const { part, level } = options;
  const place = `${a.name} and ${b.name}`;
  if (a.ranks.data !== b.ranks.data)
    throw new UserError('these runs were evaluated on different data, so their users are not the same', {
      place,
      remedy: 'Compare runs on the same data set.',
    });
  if (splitLabel(a.config.split) !== splitLabel(b.config.split))
    throw new UserError(
      `these runs held out different items: ${splitLabel(a.config.split)} and ${splitLabel(b.config.split)}`,
      { place, remedy: 'Compare runs of one split.' },
    );
  if (canonicalJson(a.config) === canonicalJson(b.config))
    throw new UserError('these are two runs of one configuration and seed, so there is no difference', {
      place,
      remedy: 'Name two different trials; `perflaw results` shows them.',
    });
  const notes: string[] = [];
  const history = options.history ?? a.config.evaluation.history;
  const [one, two] = inCommon(a.ranks[part], b.ranks[part]);
  const users = one.users.length;
  const most = Math.max(a.ranks[part].users.length, b.ranks[part].users.length);
  if (users < 2)
    throw new UserError('no two users were ranked by both runs', {
      place,
      remedy: 'Evaluate them on the same users.',
    });
  if (users < most) notes.push(`${users} of ${most} users were ranked by both runs: only they are compared`);
  const ks = options.ks ?? a.config.evaluation.ks;
  const names = [...ks.flatMap((k) => [`ndcg@${k}`, `hr@${k}`, `mrr@${k}`]), 'loss'];
  const difference = (metric: string, members?: readonly number[]) => {
    const values = (ranks: UserRanks) => {
      const all = userValues(ranks, history, metric);
      return members ? Float64Array.from(members, (u) => all[u]!) : all;
    };
    return pairedDifference(values(one), values(two), level);
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
    a: { name: a.name, config: a.config },
    b: { name: b.name, config: b.config },
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

/** The ranks of the users that both hold, in the same order. */
function inCommon(a: UserRanks, b: UserRanks): [UserRanks, UserRanks] {
  const placeInB = new Map(Array.from(b.users, (user, i) => [user, i]));
  const rows = Array.from(a.users.keys()).filter((i) => placeInB.has(a.users[i]!));
  const pick = (ranks: UserRanks, at: readonly number[]): UserRanks => {
    const column = (values: Int32Array) => Int32Array.from(at, (i) => values[i]!);
    return {
      users: column(ranks.users),
      masked: column(ranks.masked),
      unmasked: column(ranks.unmasked),
      historyLengths: column(ranks.historyLengths),
      popularity: column(ranks.popularity),
      losses: Float32Array.from(at, (i) => ranks.losses[i]!),
    };
  };
  return [
    pick(a, rows),
    pick(
      b,
      rows.map((i) => placeInB.get(a.users[i]!)!),
    ),
  ];
}
