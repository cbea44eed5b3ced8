/** Slices of the training data. Nested: what a smaller share holds, a larger one holds too. */
import { UserError } from '../util/errors.js';
import type { Sequences } from './interactions.js';
import { mix } from './sample.js';

/** Which part of the training data a trial sees. Evaluated users and the item catalogue never depend on it. */
export interface SliceSpec {
  /** Share of users, (0, 1]. */
  users: number;
  /** Share of training interactions, the earliest by time, (0, 1]; 1 where absent. */
  time?: number;
  /** Keeps the last so many interactions of each user's training sequence; all where absent. */
  maxLength?: number;
}

/** The slice's short name in tables and reports: `all`, `users=0.5`, `users=0.5,length=50`. */
export function sliceLabel(slice: SliceSpec): string {
  const parts: string[] = [];
  if (slice.users !== 1) parts.push(`users=${slice.users}`);
  if (slice.time !== undefined && slice.time !== 1) parts.push(`time=${slice.time}`);
  if (slice.maxLength !== undefined) parts.push(`length=${slice.maxLength}`);
  return parts.length === 0 ? 'all' : parts.join(',');
}

/**
 * Reads a slice as `sliceLabel` writes it: `all`, `users=0.5`, `users=0.5,time=0.8,length=50`.
 * @throws UserError that names the part that is wrong.
 */
export function parseSlice(text: string): SliceSpec {
  const slice: SliceSpec = { users: 1 };
  if (text.trim() === 'all') return slice;
  for (const part of text.split(',')) {
    const match = /^\s*(users|time|length)\s*=\s*([0-9.eE+-]+)\s*$/.exec(part);
    if (!match)
      throw new UserError(`"${part.trim()}" is no part of a slice`, {
        place: text,
        remedy: 'Write `all`, or users=SHARE, time=SHARE and length=ITEMS separated by commas.',
      });
    slice[match[1] === 'length' ? 'maxLength' : (match[1] as 'users' | 'time')] = Number(match[2]);
  }
  return checkSlice(slice);
}

/**
 * Returns the slice as it came.
 * @throws UserError where a share is outside (0, 1] or maxLength is not a whole number above 0.
 */
export function checkSlice(slice: SliceSpec): SliceSpec {
  for (const name of ['users', 'time'] as const) {
    const share = slice[name];
    if (share !== undefined && !(share > 0 && share <= 1))
      throw new UserError(`the slice's share of ${name} must be above 0 and at most 1, not ${share}`);
  }
  if (slice.maxLength !== undefined && !(Number.isInteger(slice.maxLength) && slice.maxLength > 0))
    throw new UserError(`the slice's length must be a whole number above 0, not ${slice.maxLength}`);
  return slice;
}

/**
 * The part of the training sequences that a slice holds; rows keep their order, users without an event left are dropped.
 * - users: all users are ranked by a fixed hash of their index, and the first `share` of them taken (at least one), so
 *   that a larger share contains every smaller one;
 * - time: the earliest `share` of all interactions by timestamp (ties in row order), found before users are chosen; where
 *   the data has no timestamps, the first `share` of each user's own history (rounded up);
 * - maxLength: then the last so many events of each user.
 * @throws UserError where the slice makes no sense (see `checkSlice`).
 */
export function sliceSequences(train: Sequences, slice: SliceSpec): Sequences {
  checkSlice(slice);
  const numRows = train.users.length;
  const kept = keptRows(train.users, slice.users);
  const ends = timeEnds(train, slice.time ?? 1);
  const maxLength = slice.maxLength ?? Number.POSITIVE_INFINITY;
  const start = (row: number) => Math.max(train.offsets[row]!, ends[row]! - maxLength);
  let rows = 0;
  let tokens = 0;
  for (let row = 0; row < numRows; row++) {
    if (!kept[row] || ends[row]! <= train.offsets[row]!) continue;
    rows++;
    tokens += ends[row]! - start(row);
  }
  const sliced: Sequences = {
    users: new Int32Array(rows),
    offsets: new Int32Array(rows + 1),
    items: new Int32Array(tokens),
    timestamps: train.timestamps && new Float64Array(tokens),
  };
  let at = 0;
  let made = 0;
  for (let row = 0; row < numRows; row++) {
    if (!kept[row] || ends[row]! <= train.offsets[row]!) continue;
    sliced.users[made] = train.users[row]!;
    sliced.items.set(train.items.subarray(start(row), ends[row]!), at);
    if (train.timestamps) sliced.timestamps!.set(train.timestamps.subarray(start(row), ends[row]!), at);
    at += ends[row]! - start(row);
    sliced.offsets[++made] = at;
  }
  return sliced;
}

/** 1 for the rows whose user belongs to the share. */
function keptRows(users: Int32Array, share: number): Uint8Array {
  const kept = new Uint8Array(users.length);
  const rank = Float64Array.from(users, mix);
  const order = Int32Array.from({ length: users.length }, (_, row) => row);
  if (share < 1) order.sort((a, b) => rank[a]! - rank[b]! || users[a]! - users[b]!);
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
