/** What a data set is: counts, lengths, times, and how tokens and entropies change over slices of the training data. */
import { measureSequences, measureWarnings, type SequenceMeasures } from './entropy/measures.js';
import { predictabilityCeiling } from './entropy/predictability.js';
import { meanSurprisal } from './entropy/surprisal.js';
import type { Interactions } from './interactions.js';
import { type SliceSpec, sliceLabel, sliceSequences } from './slice.js';
import { leaveOneOut } from './split.js';

export interface Description {
  name: string;
  hash: string;
  users: number;
  items: number;
  interactions: number;
  /** Events a user. */
  lengths: { min: number; median: number; mean: number; max: number };
  /** Interactions over users x items. */
  density: number;
  /** Users with at least three events: those on whom models are evaluated. */
  evaluatedUsers: number;
  /** First and last event as ISO dates; null where there is no clock. */
  time: { from: string; to: string; days: number } | null;
  /** Measures of the training sequences (all but the last two events), whole and by slice; the surprisal of an event to a bigram of other users. */
  slices: (SequenceMeasures & { label: string; surprisal: number })[];
  /** HR@10 that the Lempel-Ziv entropy of single histories allows: a loose bound, not a forecast; null where no item repeats. */
  looseCeilingAt10: number | null;
  warnings: string[];
}

export const DEFAULT_SLICES: SliceSpec[] = [{ users: 0.25 }, { users: 0.5 }, { users: 0.75 }, { users: 1 }];

/** Describes a data set and its slices. */
export function describeDataset(data: Interactions, slices: SliceSpec[] = DEFAULT_SLICES): Description {
  const { train, evaluated } = leaveOneOut(data);
  const lengths = Int32Array.from(
    { length: data.numUsers },
    (_, u) => data.offsets[u + 1]! - data.offsets[u]!,
  );
  lengths.sort();
  const middle = lengths.length >> 1;
  const median = lengths.length % 2 === 1 ? lengths[middle]! : (lengths[middle - 1]! + lengths[middle]!) / 2;
  const bySlice = slices.map((slice) => {
    const sequences = sliceSequences(train, slice);
    return {
      label: sliceLabel(slice),
      ...measureSequences(sequences),
      surprisal: meanSurprisal(sequences),
    };
  });
  const whole = bySlice[slices.findIndex((slice) => sliceLabel(slice) === 'all')] ?? measureSequences(train);
  return {
    name: data.name,
    hash: data.hash,
    users: data.numUsers,
    items: data.numItems,
    interactions: data.items.length,
    lengths: {
      min: lengths[0]!,
      median,
      mean: data.items.length / data.numUsers,
      max: lengths[lengths.length - 1]!,
    },
    density: data.items.length / data.numUsers / data.numItems,
    evaluatedUsers: evaluated.length,
    time: timeSpan(data.timestamps),
    slices: bySlice,
    looseCeilingAt10:
      data.numItems > 10 && whole.repeatShare > 0
        ? predictabilityCeiling(whole.lempelZivPrefix / Math.LN2, 10, data.numItems)
        : null,
    warnings: measureWarnings(train, whole),
  };
}

function timeSpan(timestamps: Float64Array | null): Description['time'] {
  if (!timestamps || timestamps.length === 0) return null;
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const time of timestamps) {
    if (time < first) first = time;
    if (time > last) last = time;
  }
  const iso = (seconds: number) =>
    Math.abs(seconds) < 8.64e12 ? new Date(1000 * seconds).toISOString().slice(0, 10) : String(seconds);
  return { from: iso(first), to: iso(last), days: (last - first) / 86_400 };
}
