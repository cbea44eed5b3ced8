/**
 * From raw rows to a data set: k-core, numbering, ordering. Users and items are numbered in the order of their identifiers
 * (whole numbers by value, then texts), so that the numbering depends neither on the order of the rows nor on the source.
 */
import { UserError } from '../util/errors.js';
import { hashContent, type Interactions } from './interactions.js';
import { compareIdentifiers, type Identifier, type RawInteractions } from './raw.js';

export interface AssembleOptions {
  name: string;
  /** Keeps the users and items with at least so many interactions, iterated until all have; 0 or 1 keeps everything. */
  kCore: number;
  /** `float32` rounds times as RecBole does before ordering, which ties events seconds apart. */
  timestamps: 'exact' | 'float32';
}

/**
 * Filters, numbers and orders by (user, time, order column, original row). Duplicated rows are kept.
 * @throws UserError where nothing is left.
 */
export function assemble(raw: RawInteractions, options: AssembleOptions): Interactions {
  const { kCore, name } = options;
  if (!Number.isInteger(kCore) || kCore < 0)
    throw new UserError(`k-core must be a whole number, 0 or more, not ${kCore}`);
  if (raw.count === 0) throw new UserError('the file holds no interactions');
  const { keptUsers, keptItems } = core(raw, kCore);
  const users = number(raw.userIds, keptUsers, 0);
  const items = number(raw.itemIds, keptItems, 1);
  if (users.ids.length === 0)
    throw new UserError(`no user and item keep ${kCore} interactions each: ${describeRaw(raw)}`, {
      remedy: 'Use a smaller k-core (--k-core 0 keeps everything) or more data.',
    });
  if (options.timestamps === 'float32' && raw.times)
    for (let row = 0; row < raw.count; row++) raw.times[row] = Math.fround(raw.times[row]!);
  const { rows, offsets } = orderRows(raw, users.codes, items.codes, users.ids.length);
  const content = {
    numUsers: users.ids.length,
    numItems: items.ids.length,
    offsets,
    items: Int32Array.from(rows, (row) => items.codes[raw.items[row]!]!),
    timestamps: raw.times && Float64Array.from(rows, (row) => raw.times![row]!),
  };
  return {
    name,
    hash: hashContent(content),
    ...content,
    userIds: users.ids,
    itemIds: ['', ...items.ids],
  };
}

/** The k-core: users and items below k are dropped in the same pass, until a pass drops none. */
function core(raw: RawInteractions, k: number): { keptUsers: Uint8Array; keptItems: Uint8Array } {
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
    for (let row = 0; row < raw.count; row++) {
      const user = raw.users[row]!;
      const item = raw.items[row]!;
      if (keptUsers[user] && keptItems[item]) {
        perUser[user]!++;
        perItem[item]!++;
      }
    }
    const droppedUsers = drop(keptUsers, perUser);
    changed = drop(keptItems, perItem) || droppedUsers;
  }
  return { keptUsers, keptItems };
}

/** New codes from `first` on in the order of the identifiers; -1 for what was dropped. */
function number(ids: Identifier[], kept: Uint8Array, first: number): { codes: Int32Array; ids: string[] } {
  const order: number[] = [];
  for (let i = 0; i < ids.length; i++) if (kept[i]) order.push(i);
  order.sort((a, b) => compareIdentifiers(ids[a]!, ids[b]!));
  const codes = new Int32Array(ids.length).fill(-1);
  order.forEach((old, i) => {
    codes[old] = first + i;
  });
  return { codes, ids: order.map((old) => String(ids[old]!)) };
}

/** Row numbers by user, and within a user by time, order column and original row. */
function orderRows(
  raw: RawInteractions,
  userCodes: Int32Array,
  itemCodes: Int32Array,
  numUsers: number,
): { rows: Int32Array; offsets: Int32Array } {
  const isKept = (row: number) => userCodes[raw.users[row]!]! >= 0 && itemCodes[raw.items[row]!]! >= 0;
  const offsets = new Int32Array(numUsers + 1);
  for (let row = 0; row < raw.count; row++) if (isKept(row)) offsets[userCodes[raw.users[row]!]! + 1]!++;
  for (let u = 0; u < numUsers; u++) offsets[u + 1]! += offsets[u]!;
  const rows = new Int32Array(offsets[numUsers]!);
  const next = offsets.slice();
  for (let row = 0; row < raw.count; row++) if (isKept(row)) rows[next[userCodes[raw.users[row]!]!]!++] = row;
  const { times, orders } = raw;
  if (!times && !orders) return { rows, offsets };
  const compare = (a: number, b: number) =>
    (times ? times[a]! - times[b]! : 0) || (orders ? orders[a]! - orders[b]! : 0) || a - b;
  for (let u = 0; u < numUsers; u++) {
    let sorted = true;
    for (let i = offsets[u]! + 1; i < offsets[u + 1]! && sorted; i++)
      sorted = compare(rows[i - 1]!, rows[i]!) <= 0;
    if (!sorted) rows.subarray(offsets[u]!, offsets[u + 1]!).sort(compare);
  }
  return { rows, offsets };
}

function describeRaw(raw: RawInteractions): string {
  const counts = new Int32Array(raw.userIds.length);
  for (let row = 0; row < raw.count; row++) counts[raw.users[row]!]!++;
  const longest = counts.reduce((a, b) => Math.max(a, b), 0);
  return `${raw.count} interactions of ${raw.userIds.length} users with ${raw.itemIds.length} items, at most ${longest} a user`;
}
