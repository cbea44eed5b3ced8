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
  private readonly users: Codes;
  private readonly items: Codes;

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
    this.users = new Codes(this.raw.userIds);
    this.items = new Codes(this.raw.itemIds);
  }

  add(user: Identifier, item: Identifier, time: number, order: number): void {
    const { raw } = this;
    const { count } = raw;
    if (count === raw.users.length) this.grow();
    raw.users[count] = this.users.of(user);
    raw.items[count] = this.items.of(item);
    if (raw.times) raw.times[count] = time;
    if (raw.orders) raw.orders[count] = order;
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

/** Codes by first appearance: small numbers through a table, which is many times as fast as a map, the rest through a map. */
class Codes {
  private static readonly MOST = 1 << 22;
  private table = new Int32Array(1 << 10).fill(-1);
  private readonly rest = new Map<Identifier, number>();

  constructor(private readonly ids: Identifier[]) {}

  of(id: Identifier): number {
    if (typeof id === 'number' && id >= 0 && id < Codes.MOST) {
      if (id >= this.table.length) {
        const larger = new Int32Array(2 ** Math.ceil(Math.log2(id + 1))).fill(-1);
        larger.set(this.table);
        this.table = larger;
      }
      const known = this.table[id]!;
      if (known >= 0) return known;
      const code = this.ids.push(id) - 1;
      this.table[id] = code;
      return code;
    }
    let code = this.rest.get(id);
    if (code === undefined) {
      code = this.ids.push(id) - 1;
      this.rest.set(id, code);
    }
    return code;
  }
}

/** The texts `7` and `7.0` and the number 7 are one identifier (32 bits); `007` and `+7` are texts of their own. */
export function identifier(written: string): Identifier {
  const text = /^-?[0-9]+\.0+$/.test(written) ? written.slice(0, written.indexOf('.')) : written;
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

function enlarged<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from as never);
  return to;
}
