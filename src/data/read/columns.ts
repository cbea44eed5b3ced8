/** Which column is the user, the item, the time, the order: as named by the caller, or guessed from names and values. */
import { UserError } from '../../util/errors.js';
import { nearest } from '../../util/nearest.js';
import { NO_CLOCK, plainName, ROLES, type Role, TELLING, USUAL, wordsOf } from './column-names.js';
import { NO_COLUMN } from './formats.js';
import { type ClockKind, clockKind, MISSING } from './time/clock.js';

export interface ColumnOptions {
  /** Column names. Where absent they are guessed. */
  user?: string;
  item?: string;
  /** `none` takes the rows of a user in the order of the file. */
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
  /** Why each was chosen, in a few words; absent for those the caller named. */
  why: Partial<Record<Role, string>>;
  /** Columns that may order what ties in time: lengths of time and hours of the day. */
  mayOrder: string[];
  /** The time was guessed from little: rows that lie in another order speak against it. */
  unsureTime: boolean;
}

/** Some values of every column, as text, to tell a clock from a duration. */
export type Samples = readonly (readonly (string | null)[])[];

/** Whether a first line reads as a header: at least a user and an item by usual names. */
export function looksLikeHeader(fields: readonly string[]): boolean {
  return byName(fields, 'user', () => true) !== undefined && byName(fields, 'item', () => true) !== undefined;
}

/**
 * Chooses the columns. Named ones must exist; an order column is guessed only where there is no time.
 * @param samples values of the columns; without them names alone tell.
 * @throws UserError that lists the columns there are and suggests the nearest, or asks where the time cannot be told.
 */
export function chooseColumns(
  names: readonly string[],
  options: ColumnOptions,
  place: string,
  samples?: Samples,
): ColumnChoice {
  const found: Partial<Record<Role, number>> = {};
  const why: ColumnChoice['why'] = {};
  const taken = new Set<number>();
  const take = (role: Role, at: number) => {
    if (taken.has(at))
      throw new UserError(`column "${names[at]}" is asked for twice (${role} and another role)`, { place });
    taken.add(at);
    found[role] = at;
  };
  // Named columns first, so that a guess never takes one of them.
  for (const role of ROLES) {
    const wanted = options[role];
    if (wanted === undefined || isNone(names, wanted, role)) continue;
    take(role, find(names, wanted, role, place));
  }
  const missingShare = (at: number) => {
    const values = samples?.[at] ?? [];
    const gone = values.filter((value) => value === null || MISSING.includes(value.trim())).length;
    return values.length === 0 ? 0 : gone / values.length;
  };
  for (const role of ['user', 'item'] as const) {
    if (found[role] !== undefined) continue;
    const isFree = (at: number) => !taken.has(at) && missingShare(at) <= 0.5;
    const guessed = byName(names, role, isFree);
    const passed = byName(names, role, (at) => !taken.has(at));
    if (!guessed)
      throw new UserError(`no column looks like the ${role}; the file has: ${listed(names)}`, {
        place,
        remedy:
          names[0] === 'column1'
            ? `Name it: --${role} COLUMN; or say --format sequences where a line is a user and its items.`
            : passed !== undefined
              ? `${quoted(names[passed.at]!)} has no value in most rows. Name it: --${role} COLUMN.`
              : `Name it: --${role} COLUMN.`,
      });
    take(role, guessed.at);
    why[role] = guessed.why;
    if (passed !== undefined && passed.at !== guessed.at)
      why[role] +=
        `; ${names[passed.at]} has no value in ${Math.round(100 * missingShare(passed.at))} % of the first rows`;
  }
  let unsureTime = false;
  if (options.time === undefined && found.order === undefined) {
    const guess = guessTime(names, taken, samples);
    if ('at' in guess) {
      take('time', guess.at);
      why.time = guess.why;
      unsureTime = guess.unsure;
    } else {
      const order = options.order === undefined ? byName(names, 'order', (at) => !taken.has(at)) : undefined;
      if (order) {
        take('order', order.at);
        why.order = order.why;
      } else if (guess.passed.length > 0 && options.order === undefined) ask(guess.passed, names, place);
    }
  }
  const mayOrder = names.filter(
    (name, at) =>
      !taken.has(at) &&
      wordsOf(name).some((word) => word === 'timeframe' || word === 'hour' || TELLING.time!.includes(word)),
  );
  return { ...(found as { user: number; item: number }), why, mayOrder, unsureTime };
}

/** Whether the caller wants no such column; a column that is called so is one. */
function isNone(names: readonly string[], wanted: string, role: Role): boolean {
  return (role === 'time' || role === 'order') && wanted === NO_COLUMN && !names.includes(NO_COLUMN);
}

type TimeGuess = { at: number; why: string; unsure: boolean } | { passed: string[] };

const IS_NO_CLOCK: Record<Exclude<ClockKind, 'clock'>, string> = {
  counter: 'its numbers are no time since 1990',
  hour: 'it looks like an hour of the day',
  words: 'it holds words',
  empty: 'it is empty',
};

/** The time by name and values; else the columns that might be it, with what speaks against each. */
function guessTime(names: readonly string[], taken: Set<number>, samples: Samples | undefined): TimeGuess {
  const kind = (at: number) => (samples ? clockKind(samples[at] ?? []) : 'clock');
  const isNoClock = (at: number) => wordsOf(names[at]!).some((word) => NO_CLOCK.includes(word));
  const usual = USUAL.time.flatMap((name) =>
    names.flatMap((each, at) => (plainName(each) === name && !taken.has(at) ? [at] : [])),
  );
  const telling = names.flatMap((name, at) =>
    !taken.has(at) &&
    !usual.includes(at) &&
    wordsOf(name).some((word) => TELLING.time!.includes(word) || word === 'timeframe')
      ? [at]
      : [],
  );
  for (const at of usual) if (kind(at) === 'clock') return { at, why: 'usual name', unsure: false };
  // A usual name over a plain count is a time of its own making, as in small examples; an hour of the day is none.
  for (const at of usual)
    if (kind(at) === 'counter' || (kind(at) === 'hour' && plainName(names[at]!) === 'timestamp'))
      return { at, why: 'usual name', unsure: true };
  const clocks = telling.filter((at) => kind(at) === 'clock' && !isNoClock(at));
  if (clocks.length === 1) return { at: clocks[0]!, why: 'a word of its name', unsure: false };
  const against = (at: number) => {
    const found = kind(at);
    if (isNoClock(at)) return 'its name is that of a duration or of another date';
    return found === 'clock' ? 'one of several that could be it' : IS_NO_CLOCK[found];
  };
  return {
    passed: [...usual, ...telling]
      .filter((at) => kind(at) !== 'empty')
      .map((at) => `${names[at]} (${against(at)})`),
  };
}

function ask(passed: string[], names: readonly string[], place: string): never {
  throw new UserError(`which column is the time? ${passed.join('; ')}; the file has: ${listed(names)}`, {
    place,
    remedy:
      'Say --time COLUMN for a clock (and --order COLUMN for what orders its ties), --order COLUMN for what only orders, or --time none where the rows of a user are in order.',
  });
}

function find(names: readonly string[], wanted: string, role: Role, place: string): number {
  let at = names.indexOf(wanted);
  // RecBole headers are `user_id:token`; people ask for user_id.
  if (at < 0) at = names.findIndex((name) => name.replace(/:[a-z_]+$/i, '') === wanted);
  if (at >= 0) return at;
  throw noColumn(
    wanted,
    names,
    place,
    `Choose one: --${role} COLUMN.`,
    (near) => `--${role} ${near}`,
    ` for the ${role}`,
  );
}

/**
 * The error about a column that is not there.
 * @param choose the remedy where no name is near. @param meant how the nearest would be written.
 */
export function noColumn(
  wanted: string,
  names: readonly string[],
  place: string,
  choose: string,
  meant: (near: string) => string,
  purpose = '',
): UserError {
  const near = nearest(wanted, names);
  return new UserError(`there is no column ${quoted(wanted)}${purpose}; the file has: ${listed(names)}`, {
    place,
    remedy: near === undefined ? choose : `Did you mean ${meant(near)}?`,
  });
}

/** A column by its usual name, else by a word of its name where one free column alone has such a word. */
function byName(
  names: readonly string[],
  role: Role,
  isFree: (at: number) => boolean,
): { at: number; why: string } | undefined {
  const plainNames = names.map(plainName);
  for (const usual of USUAL[role]) {
    const at = plainNames.findIndex((name, i) => name === usual && isFree(i));
    if (at >= 0) return { at, why: 'usual name' };
  }
  const telling = names.flatMap((name, i) =>
    isFree(i) && wordsOf(name).some((word) => TELLING[role]?.includes(word)) ? [i] : [],
  );
  return telling.length === 1 ? { at: telling[0]!, why: 'a word of its name' } : undefined;
}

/** Names for a message: as many as a person reads. */
function listed(names: readonly string[]): string {
  const most = 30;
  const rest = names.length > most ? `, ... and ${names.length - most} more` : '';
  return names.slice(0, most).map(quoted).join(', ') + rest;
}

function quoted(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 57)}...` : name);
}
