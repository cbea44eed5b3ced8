/** Slices of the training data. Nested: what a smaller share holds, a larger one holds too. */
import { UserError } from '../util/errors.js';
import { type Alteration, alterSequences } from './alter.js';
import { surprisalByRow } from './entropy/surprisal.js';
import type { Sequences } from './interactions.js';
import { mix } from './sample.js';

/** Which part of the training data a trial sees. Evaluated users and the item catalogue never depend on it. */
export interface SliceSpec extends Alteration {
  /** Share of users, (0, 1]. */
  users: number;
  /**
   * Which users come first: those whose histories the others predict best, or worst (see `surprisalByRow`). Scattered where
   * absent. Needs a share of users below 1.
   */
  pick?: 'predictable' | 'surprising';
  /** Share of training interactions, the earliest by time, (0, 1]; 1 where absent. */
  time?: number;
  /** Share of training interactions, the latest by time, (0, 1]; 1 where absent. Not with `time`. */
  latest?: number;
  /** Keeps the last so many interactions of each user's training sequence; all where absent. */
  maxLength?: number;
}

/** Keys of a slice as its label and a sweep file name them, in the label's order. */
const SHARES = ['users', 'time', 'latest'] as const;
const ALTERED = ['noise', 'repeats', 'shuffle'] as const;
const PICKS = ['predictable', 'surprising'] as const;

/** A slice without keys that say nothing, so that equal slices are equal texts. */
export function plainSlice(slice: SliceSpec): SliceSpec {
  const { users = 1, pick, time, latest, maxLength } = slice;
  return {
    users,
    ...(pick === undefined ? {} : { pick }),
    ...(time === undefined || time === 1 ? {} : { time }),
    ...(latest === undefined || latest === 1 ? {} : { latest }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...Object.fromEntries(ALTERED.flatMap((key) => (slice[key] ? [[key, slice[key]]] : []))),
  };
}

/** The slice's short name in tables and reports: `all`, `users=0.5`, `users=0.5,pick=surprising,length=50,noise=0.2`. */
export function sliceLabel(slice: SliceSpec): string {
  const { users, pick, time, latest, maxLength, noise, repeats, shuffle } = plainSlice(slice);
  const parts = Object.entries({ pick, time, latest, length: maxLength, noise, repeats, shuffle })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${value}`);
  if (users !== 1) parts.unshift(`users=${users}`);
  return parts.length === 0 ? 'all' : parts.join(',');
}

/** Whether a slice of that label differs from all of the data in more than its size. A label of another make says no such thing. */
export const isOtherQuality = (label: string): boolean => /(^|,)(pick|noise|repeats|shuffle)=/.test(label);

/**
 * Reads a slice as `sliceLabel` writes it: `all`, `users=0.5`, `users=0.5,time=0.8,length=50`.
 * @throws UserError that names the part that is wrong.
 */
export function parseSlice(text: string): SliceSpec {
  const slice: SliceSpec = { users: 1 };
  if (text.trim() === 'all') return slice;
  for (const part of text.split(',')) {
    const [, key, value] = /^\s*([a-z]+)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
    const number = /^[0-9.eE+-]+$/.test(value ?? '') ? Number(value) : undefined;
    if (key === 'pick' && PICKS.some((pick) => pick === value)) slice.pick = value as 'predictable';
    else if (key === 'length' && number !== undefined) slice.maxLength = number;
    else if ([...SHARES, ...ALTERED].some((share) => share === key) && number !== undefined)
      slice[key as 'users'] = number;
    else
      throw new UserError(`"${part.trim()}" is no part of a slice`, {
        place: text,
        remedy:
          'Write `all`, or users=SHARE, pick=predictable, pick=surprising, time=SHARE, latest=SHARE, length=ITEMS, noise=SHARE, repeats=SHARE and shuffle=SHARE separated by commas.',
      });
  }
  return checkSlice(slice);
}

/**
 * Returns the slice as it came.
 * @throws UserError where a share is outside (0, 1] ([0, 1] of what is altered), maxLength is not a whole number above 0, or
 *   two keys contradict one another.
 */
export function checkSlice(slice: SliceSpec): SliceSpec {
  for (const name of SHARES) {
    const share = slice[name];
    if (share !== undefined && !(share > 0 && share <= 1))
      throw new UserError(`the slice's share of ${name} must be above 0 and at most 1, not ${share}`);
  }
  for (const name of ALTERED) {
    const share = slice[name];
    if (share !== undefined && !(share >= 0 && share <= 1))
      throw new UserError(`the slice's share of ${name} must be between 0 and 1, not ${share}`);
  }
  if (slice.maxLength !== undefined && !(Number.isInteger(slice.maxLength) && slice.maxLength > 0))
    throw new UserError(`the slice's length must be a whole number above 0, not ${slice.maxLength}`);
  if ((slice.time ?? 1) < 1 && (slice.latest ?? 1) < 1)
    throw new UserError('a slice is the earliest or the latest of the data, not both', {
      remedy: 'Leave out `time` or `latest`.',
    });
  if (slice.pick !== undefined && slice.users === 1)
    throw new UserError(`there is nothing to pick: the slice holds all users`, {
      remedy: 'Say how many: `users: 0.5` beside `pick`.',
    });
  return slice;
}

/**
 * The part of the training sequences that a slice holds; rows keep their order, users without an event left are dropped.
 * - users: all users are ranked by a fixed hash of their index, or by how well the others predict them, and the first `share` of
 *   them taken (at least one), so that a larger share contains every smaller one;
 * - time: the earliest `share` of all interactions by timestamp (ties in row order), found before users are chosen; where
 *   the data has no timestamps, the first `share` of each user's own history (rounded up);
 * - latest: what `time` would leave out;
 * - maxLength: then the last so many events of each user;
 * - noise, repeats, shuffle: an event is altered alike in every slice that holds it, and in every one with a larger share.
 * @throws UserError where the slice makes no sense (see `checkSlice`).
 */
export function sliceSequences(train: Sequences, slice: SliceSpec): Sequences {
  checkSlice(slice);
  const numRows = train.users.length;
  const kept = keptRows(train, slice);
  const latest = slice.latest ?? 1;
  const ends = timeEnds(train, slice.time ?? 1);
  // what the latest share leaves out are the first rows of time
  const begins = latest < 1 ? timeEnds(train, 1 - latest) : train.offsets;
  const maxLength = slice.maxLength ?? Number.POSITIVE_INFINITY;
  const start = (row: number) => Math.max(begins[row]!, ends[row]! - maxLength);
  let rows = 0;
  let tokens = 0;
  for (let row = 0; row < numRows; row++) {
    if (!kept[row] || ends[row]! <= begins[row]!) continue;
    rows++;
    tokens += ends[row]! - start(row);
  }
  const { items } = alterSequences(train, slice);
  const sliced: Sequences = {
    users: new Int32Array(rows),
    offsets: new Int32Array(rows + 1),
    items: new Int32Array(tokens),
    timestamps: train.timestamps && new Float64Array(tokens),
  };
  let at = 0;
  let made = 0;
  for (let row = 0; row < numRows; row++) {
    if (!kept[row] || ends[row]! <= begins[row]!) continue;
    sliced.users[made] = train.users[row]!;
    sliced.items.set(items.subarray(start(row), ends[row]!), at);
    if (train.timestamps) sliced.timestamps!.set(train.timestamps.subarray(start(row), ends[row]!), at);
    at += ends[row]! - start(row);
    sliced.offsets[++made] = at;
  }
  return sliced;
}

/** 1 for the rows whose user belongs to the share. */
function keptRows(train: Sequences, { users: share, pick }: SliceSpec): Uint8Array {
  const { users } = train;
  const kept = new Uint8Array(users.length);
  const scattered = Float64Array.from(users, mix);
  const rank = pick === undefined ? scattered : surprisalByRow(train);
  const sign = pick === 'surprising' ? -1 : 1;
  const order = Int32Array.from({ length: users.length }, (_, row) => row);
  if (share < 1)
    order.sort(
      (a, b) => sign * (rank[a]! - rank[b]!) || scattered[a]! - scattered[b]! || users[a]! - users[b]!,
    );
  const count = Math.min(users.length, Math.max(1, Math.round(share * users.length)));
  for (let i = 0; i < count; i++) kept[order[i]!] = 1;
  return kept;
}

/** One past the last event of each row that the share of time holds. */
function timeEnds(train: Sequences, share: number): Int32Array {
  const { offsets, timestamps } = train;
  const ends = offsets.slice(1, train.users.length + 1);
  if (share >= 1) return ends;
  if (!timestamps) {
    for (let row = 0; row < ends.length; row++)
      ends[row] = offsets[row]! + Math.ceil(share * (offsets[row + 1]! - offsets[row]!));
    return ends;
  }
  const first = offsets[0]!;
  const sorted = timestamps.slice(first, offsets[train.users.length]!).sort();
  if (sorted.length === 0) return ends;
  const count = Math.max(1, Math.round(share * sorted.length));
  const cutoff = sorted[count - 1]!;
  let before = 0;
  while (sorted[before]! < cutoff) before++;
  let ties = count - before;
  for (let row = 0; row < ends.length; row++) {
    let end = offsets[row]!;
    while (
      end < offsets[row + 1]! &&
      (timestamps[end]! < cutoff || (timestamps[end] === cutoff && ties-- > 0))
    )
      end++;
    ends[row] = end;
  }
  return ends;
}
