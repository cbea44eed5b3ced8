/** What a sweep file is fitted to: counts, lengths and repeats of a data set, in one pass over its events. */
import type { Interactions } from '../../data/interactions.js';
import { leaveOneOut } from '../../data/split.js';

/** A data set in the numbers that choices are made from. */
export interface DataLook {
  name: string;
  users: number;
  items: number;
  interactions: number;
  /** Users with at least three events: those who are evaluated. */
  evaluated: number;
  /** Training events: all but the last two of each evaluated user. */
  tokens: number;
  /** Training events a user: the half, 95 % and all of the histories are so long or shorter. */
  lengths: { median: number; most: number; max: number };
  /** Share of the evaluated users whose validation item stands in their history before it. */
  repeated: number;
  /** Whether events carry timestamps. */
  timed: boolean;
}

/** Looks at a data set. */
export function lookAt(data: Interactions): DataLook {
  const { train, evaluated, validation } = leaveOneOut(data);
  const lengths = Int32Array.from(train.users, (_, u) => train.offsets[u + 1]! - train.offsets[u]!).sort();
  const quantile = (share: number) => lengths[Math.max(0, Math.ceil(share * lengths.length) - 1)] ?? 0;
  let repeated = 0;
  for (const [row, u] of evaluated.entries())
    if (train.items.subarray(train.offsets[u]!, train.offsets[u + 1]!).includes(validation[row]!)) repeated++;
  return {
    name: data.name,
    users: data.numUsers,
    items: data.numItems,
    interactions: data.items.length,
    evaluated: evaluated.length,
    tokens: train.items.length,
    lengths: { median: quantile(0.5), most: quantile(0.95), max: quantile(1) },
    repeated: evaluated.length === 0 ? 0 : repeated / evaluated.length,
    timed: data.timestamps !== null,
  };
}
