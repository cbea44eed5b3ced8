/** Rows as a source gives them: codes instead of identifiers, in the source's order, in growing typed arrays. */

export type Identifier = string | number;

/** Interactions before filtering and ordering. `times` order the events of a user; so does `orders`, where times tie or are absent. */
export interface RawInteractions {
  count: number;
  users: Int32Array;
  items: Int32Array;
  times: Float64Array | null;
  orders: Float64Array | null;
  /** Identifier of each code. Whole numbers in canonical form are numbers, everything else is text. */
  userIds: Identifier[];
  itemIds: Identifier[];
}

/** Collects rows; identifiers get codes in order of first appearance. */
export class RawCollector {
  private readonly raw: RawInteractions;
  private readonly userCodes = new Map<Identifier, number>();
  private readonly itemCodes = new Map<Identifier, number>();

  constructor(hasTime: boolean, hasOrder: boolean) {
    const capacity = 1 << 12;
    this.raw = {
      count: 0,
      users: new Int32Array(capacity),
      items: new Int32Array(capacity),
      times: hasTime ? new Float64Array(capacity) : null,
      orders: hasOrder ? new Float64Array(capacity) : null,
      userIds: [],
      itemIds: [],
    };
  }

  add(user: Identifier, item: Identifier, time: number, order: number): void {
    const { raw } = this;
    if (raw.count === raw.users.length) this.grow();
    raw.users[raw.count] = code(this.userCodes, raw.userIds, user);
    raw.items[raw.count] = code(this.itemCodes, raw.itemIds, item);
    if (raw.times) raw.times[raw.count] = time;
    if (raw.orders) raw.orders[raw.count] = order;
    raw.count++;
  }

  finish(): RawInteractions {
    return this.raw;
  }

  private grow(): void {
    const { raw } = this;
    const capacity = 2 * raw.users.length;
    raw.users = enlarged(raw.users, new Int32Array(capacity));
    raw.items = enlarged(raw.items, new Int32Array(capacity));
    raw.times = raw.times && enlarged(raw.times, new Float64Array(capacity));
    raw.orders = raw.orders && enlarged(raw.orders, new Float64Array(capacity));
  }
}

/** The text `7` and the number 7 are one identifier (32 bits); `007`, `7.0` and `+7` are texts of their own. */
export function identifier(text: string): Identifier {
  if (!/^(?:0|-?[1-9][0-9]{0,9})$/.test(text)) return text;
  const value = Number(text);
  return value === (value | 0) ? value : text;
}

/** Whole numbers by value, then texts by code units: the order in which users and items are numbered. */
export function compareIdentifiers(a: Identifier, b: Identifier): number {
  if (typeof a === 'number') return typeof b === 'number' ? a - b : -1;
  if (typeof b === 'number') return 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function code(codes: Map<Identifier, number>, ids: Identifier[], id: Identifier): number {
  let found = codes.get(id);
  if (found === undefined) {
    found = ids.length;
    codes.set(id, found);
    ids.push(id);
  }
  return found;
}

function enlarged<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from as never);
  return to;
}
