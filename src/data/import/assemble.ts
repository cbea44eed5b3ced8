/**
 * From raw rows to a data set: ordering, duplicates, k-core, numbering. Users and items are numbered in the order of their
 * identifiers (whole numbers by value, then texts), so that the numbering depends neither on the order of the rows nor on the source.
 */
import { UserError } from '../../util/errors.js';
import { hashContent, type Interactions } from '../interactions.js';
import type { Duplicates } from '../read/formats.js';
import { compareIdentifiers, type Identifier, type RawInteractions } from './raw.js';

export interface AssembleOptions {
  name: string;
  /** Keeps the users and items with at least so many interactions, iterated until all have; 0 or 1 keeps everything. */
  kCore: number;
  /** `float32` rounds times as RecBole does before ordering, which ties events seconds apart. */
  timestamps: 'exact' | 'float32';
  /** What becomes of events that are equal in user, item, time and order column. */
  duplicates: Duplicates;
}

/** Users, items and interactions. */
export interface Counts {
  users: number;
  items: number;
  interactions: number;
}

/** What was there, what went, and what is left. */
export interface Assembled {
  interactions: Interactions;
  /** Rows that equal an earlier one of the same user in item, time and order column; 0 where there is neither time nor order. */
  duplicates: number;
  /** Events whose place among those of their user at the same time is that of their rows alone. */
  tied: number;
  /** Users whose rows lie in another order than their times. */
  unordered: number;
  /** Before the k-core. */
  before: Counts;
}

/**
 * Orders by (user, time, order column, original row), merges duplicates where asked to, filters and numbers.
 * @throws UserError where nothing is left.
 */
export function assemble(raw: RawInteractions, options: AssembleOptions): Assembled {
  const { kCore, name } = options;
  if (!Number.isInteger(kCore) || kCore < 0)
    throw new UserError(`k-core must be a whole number, 0 or more, not ${kCore}`);
  if (raw.count === 0) throw new UserError('the file holds no interactions');
  if (options.timestamps === 'float32' && raw.times)
    for (let row = 0; row < raw.count; row++) raw.times[row] = Math.fround(raw.times[row]!);
  const { rows, offsets, unordered } = orderRows(raw);
  const { duplicates, tied, count } = mergeDuplicates(raw, rows, offsets, options.duplicates);
  const before = { users: raw.userIds.length, items: raw.itemIds.length, interactions: count };
  const { keptUsers, keptItems } = core(raw, rows, offsets, kCore);
  const users = number(raw.userIds, keptUsers, 0);
  const items = number(raw.itemIds, keptItems, 1);
  if (users.ids.length === 0)
    throw new UserError(`no user and item keep ${kCore} interactions each: ${describeRaw(before, offsets)}`, {
      remedy: 'Use a smaller k-core (--k-core 0 keeps everything) or more data.',
    });
  const content = gather(raw, rows, offsets, users.order, keptItems, items.codes);
  return {
    interactions: {
      name,
      hash: hashContent({ numUsers: users.ids.length, numItems: items.ids.length, ...content }),
      numUsers: users.ids.length,
      numItems: items.ids.length,
      ...content,
      userIds: users.ids,
      itemIds: ['', ...items.ids],
    },
    duplicates,
    tied,
    unordered,
    before,
  };
}

/** Row numbers by user's code, and within a user by time, order column and original row. */
function orderRows(raw: RawInteractions): { rows: Int32Array; offsets: Int32Array; unordered: number } {
  const numUsers = raw.userIds.length;
  const { count, users, times, orders } = raw;
  const offsets = new Int32Array(numUsers + 1);
  for (let row = 0; row < count; row++) offsets[users[row]! + 1]!++;
  for (let u = 0; u < numUsers; u++) offsets[u + 1]! += offsets[u]!;
  const rows = new Int32Array(count);
  const next = offsets.slice();
  for (let row = 0; row < count; row++) rows[next[users[row]!]!++] = row;
  let unordered = 0;
  if (!times && !orders) return { rows, offsets, unordered };
  const compare = (a: number, b: number) =>
    (times ? times[a]! - times[b]! : 0) || (orders ? orders[a]! - orders[b]! : 0) || a - b;
  for (let u = 0; u < numUsers; u++) {
    let sorted = true;
    const end = offsets[u + 1]!;
    for (let i = offsets[u]! + 1; i < end && sorted; i++) sorted = compare(rows[i - 1]!, rows[i]!) <= 0;
    if (sorted) continue;
    unordered++;
    rows.subarray(offsets[u]!, end).sort(compare);
  }
  return { rows, offsets, unordered };
}

/** Counts equal events and, where asked to, takes all but one of them out of `rows` and `offsets`, in place. */
function mergeDuplicates(
  raw: RawInteractions,
  rows: Int32Array,
  offsets: Int32Array,
  keep: Duplicates,
): { duplicates: number; tied: number; count: number } {
  const { times, orders, items } = raw;
  if (!times && !orders) return { duplicates: 0, tied: 0, count: rows.length };
  const isTie = (a: number, b: number) =>
    (!times || times[a] === times[b]) && (!orders || orders[a] === orders[b]);
  let duplicates = 0;
  let tied = 0;
  let out = 0;
  const seen = new Set<number>();
  for (let u = 0, start = 0; u + 1 < offsets.length; u++) {
    const end = offsets[u + 1]!;
    offsets[u] = out;
    while (start < end) {
      let stop = start + 1;
      while (stop < end && isTie(rows[start]!, rows[stop]!)) stop++;
      if (stop === start + 1) {
        rows[out++] = rows[start]!;
        start = stop;
        continue;
      }
      seen.clear();
      const group = rows.slice(start, stop);
      const kept = new Uint8Array(group.length);
      for (let n = 0; n < group.length; n++) {
        const i = keep === 'last' ? group.length - 1 - n : n;
        const item = items[group[i]!]!;
        const isNew = !seen.has(item);
        seen.add(item);
        if (!isNew) duplicates++;
        if (isNew || keep === 'keep') kept[i] = 1;
      }
      const from = out;
      for (let i = 0; i < group.length; i++) if (kept[i]) rows[out++] = group[i]!;
      // Equal items have no order among themselves.
      if (seen.size > 1) tied += out - from;
      start = stop;
    }
  }
  offsets[offsets.length - 1] = out;
  return { duplicates, tied, count: out };
}

/** The k-core: users and items below k are dropped in the same pass, until a pass drops none. */
function core(
  raw: RawInteractions,
  rows: Int32Array,
  offsets: Int32Array,
  k: number,
): { keptUsers: Uint8Array; keptItems: Uint8Array } {
  const keptUsers = new Uint8Array(raw.userIds.length).fill(1);
  const keptItems = new Uint8Array(raw.itemIds.length).fill(1);
  const perUser = new Int32Array(keptUsers.length);
  const perItem = new Int32Array(keptItems.length);
  const drop = (kept: Uint8Array, counts: Int32Array) => {
    let dropped = false;
    for (let i = 0; i < kept.length; i++)
      if (kept[i] && counts[i]! < k) {
        kept[i] = 0;
        dropped = true;
      }
    return dropped;
  };
  for (let changed = k > 1; changed; ) {
    perUser.fill(0);
    perItem.fill(0);
    for (let user = 0; user < keptUsers.length; user++) {
      if (!keptUsers[user]) continue;
      for (let i = offsets[user]!; i < offsets[user + 1]!; i++) {
        const item = raw.items[rows[i]!]!;
        if (!keptItems[item]) continue;
        perUser[user]!++;
        perItem[item]!++;
      }
    }
    const droppedUsers = drop(keptUsers, perUser);
    changed = drop(keptItems, perItem) || droppedUsers;
  }
  return { keptUsers, keptItems };
}

/** New codes from `first` on in the order of the identifiers; -1 for what was dropped. `order` has the old codes in that order. */
function number(
  ids: Identifier[],
  kept: Uint8Array,
  first: number,
): { codes: Int32Array; ids: string[]; order: number[] } {
  const order: number[] = [];
  for (let i = 0; i < ids.length; i++) if (kept[i]) order.push(i);
  order.sort((a, b) => compareIdentifiers(ids[a]!, ids[b]!));
  const codes = new Int32Array(ids.length).fill(-1);
  order.forEach((old, i) => {
    codes[old] = first + i;
  });
  return { codes, ids: order.map((old) => String(ids[old]!)), order };
}

/** Histories of the users in their new order, with new codes of the items. */
function gather(
  raw: RawInteractions,
  rows: Int32Array,
  offsets: Int32Array,
  users: readonly number[],
  keptItems: Uint8Array,
  itemCodes: Int32Array,
): Pick<Interactions, 'offsets' | 'items' | 'timestamps'> {
  const most = offsets[offsets.length - 1]!;
  const items = new Int32Array(most);
  const timestamps = raw.times && new Float64Array(most);
  const newOffsets = new Int32Array(users.length + 1);
  let at = 0;
  for (let u = 0; u < users.length; u++) {
    const user = users[u]!;
    const end = offsets[user + 1]!;
    for (let i = offsets[user]!; i < end; i++) {
      const row = rows[i]!;
      const item = raw.items[row]!;
      if (!keptItems[item]) continue;
      items[at] = itemCodes[item]!;
      if (timestamps) timestamps[at] = raw.times![row]!;
      at++;
    }
    newOffsets[u + 1] = at;
  }
  return {
    offsets: newOffsets,
    items: items.slice(0, at),
    timestamps: timestamps ? timestamps.slice(0, at) : null,
  };
}

function describeRaw({ users, items, interactions }: Counts, offsets: Int32Array): string {
  let longest = 0;
  for (let u = 0; u + 1 < offsets.length; u++) longest = Math.max(longest, offsets[u + 1]! - offsets[u]!);
  return `${interactions} interactions of ${users} users with ${items} items, at most ${longest} a user`;
}
