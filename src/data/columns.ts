/** Which column is the user, the item, the time, the order: as named by the caller, or guessed from usual names. */
import { UserError } from '../util/errors.js';
import { nearest } from '../util/nearest.js';

export type Role = 'user' | 'item' | 'time' | 'order';

export interface ColumnOptions {
  /** Column names. Where absent they are guessed. */
  user?: string;
  item?: string;
  time?: string;
  /** A column that orders the events of a user where there is no clock, or where its times tie. */
  order?: string;
}

/** The chosen column's place among the columns; order and time where there are any. */
export interface ColumnChoice {
  user: number;
  item: number;
  time?: number;
  order?: number;
}

/** Usual names, most telling first, in lower case and letters only. */
const USUAL: Record<Role, string[]> = {
  user: [
    'userid',
    'user',
    'uid',
    'userids',
    'reviewerid',
    'customerid',
    'customer',
    'visitorid',
    'memberid',
    'accountid',
    'sessionid',
    'session',
    'profileid',
    'u',
  ],
  item: [
    'itemid',
    'item',
    'movieid',
    'movie',
    'iid',
    'itemids',
    'productid',
    'sku',
    'product',
    'asin',
    'parentasin',
    'videoid',
    'articleid',
    'newsid',
    'trackid',
    'songid',
    'artistid',
    'bookid',
    'isbn',
    'businessid',
    'contentid',
    'gmapid',
    'i',
  ],
  time: [
    'timestamp',
    'unixtimestamp',
    'time',
    'unixreviewtime',
    'ts',
    'timems',
    'timestampms',
    'unixtime',
    'eventtime',
    'datetime',
    'createdat',
    'date',
    'when',
    'purchasedate',
    'orderdate',
    'reviewtime',
    't',
  ],
  order: ['position', 'order', 'pos', 'step', 'sequence', 'seq', 'eventindex', 'rownumber', 'index'],
};

/** Letters and digits of a column's name, without RecBole's `:type`. */
function plain(name: string): string {
  return name
    .replace(/:[a-z_]+$/i, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** Whether a first line reads as a header: at least a user and an item by usual names. */
export function looksLikeHeader(fields: readonly string[]): boolean {
  return guess(fields, 'user') !== undefined && guess(fields, 'item') !== undefined;
}

/**
 * Chooses the columns. Named ones must exist; an order column is guessed only where there is no time.
 * @throws UserError that lists the columns there are and suggests the nearest.
 */
export function chooseColumns(names: readonly string[], options: ColumnOptions, place: string): ColumnChoice {
  const taken = new Set<number>();
  const choose = (role: Role): number | undefined => {
    const wanted = options[role];
    const at = wanted === undefined ? guess(names, role, taken) : find(names, wanted, role, place);
    if (at !== undefined) {
      if (taken.has(at))
        throw new UserError(`column "${names[at]}" is asked for twice (${role} and another role)`, { place });
      taken.add(at);
    }
    return at;
  };
  // Named columns first, so that a guess never takes one of them.
  const found: Partial<Record<Role, number>> = {};
  const roles: Role[] = ['user', 'item', 'time', 'order'];
  for (const role of roles) if (options[role] !== undefined) found[role] = choose(role);
  for (const role of roles) {
    if (found[role] !== undefined) continue;
    if ((role === 'order' && found.time !== undefined) || (role === 'time' && found.order !== undefined))
      continue;
    const at = choose(role);
    if (at !== undefined) found[role] = at;
  }
  for (const role of ['user', 'item'] as const)
    if (found[role] === undefined)
      throw new UserError(`no column looks like the ${role}; the file has: ${names.map(quoted).join(', ')}`, {
        place,
        remedy:
          names[0] === 'column1'
            ? `Name it: --${role} COLUMN; or say --format sequences where a line is a user and its items.`
            : `Name it: --${role} COLUMN.`,
      });
  return found as ColumnChoice;
}

function find(names: readonly string[], wanted: string, role: Role, place: string): number {
  let at = names.indexOf(wanted);
  if (at < 0) at = names.findIndex((name) => name.replace(/:[a-z_]+$/i, '').trim() === wanted);
  if (at >= 0) return at;
  const near = nearest(wanted, names);
  throw new UserError(
    `there is no column ${quoted(wanted)} for the ${role}; the file has: ${names.map(quoted).join(', ')}`,
    {
      place,
      remedy: near === undefined ? `Choose one: --${role} COLUMN.` : `Did you mean --${role} ${near}?`,
    },
  );
}

function guess(names: readonly string[], role: Role, taken?: Set<number>): number | undefined {
  const plainNames = names.map(plain);
  for (const usual of USUAL[role]) {
    const at = plainNames.findIndex((name, i) => name === usual && !taken?.has(i));
    if (at >= 0) return at;
  }
  // No usual name: a word within a name tells too, where it does so for one column alone.
  const telling = names.flatMap((name, i) =>
    !taken?.has(i) && wordsOf(name).some((word) => TELLING[role]?.includes(word)) ? [i] : [],
  );
  return telling.length === 1 ? telling[0] : undefined;
}

const TELLING: Partial<Record<Role, string[]>> = {
  user: 'user customer client visitor member buyer reader listener viewer account session'.split(' '),
  item: 'item product sku movie film article video track song book asin isbn'.split(' '),
  time: 'at time timestamp date datetime ts'.split(' '),
};

/** The words of a name in any spelling: `bought_at`, `boughtAt`, `Customer No.`. */
function wordsOf(name: string): string[] {
  return name
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u);
}

function quoted(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 57)}...` : name);
}
