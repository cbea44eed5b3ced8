/** Which columns of a table are settings: those of ours by their names, those of others by how their values lie. */
import { UserError } from '../../../util/errors.js';
import { nearest } from '../../../util/nearest.js';
import {
  absentSetting,
  columnRole,
  namesTheSize,
  SETTING_NAMES,
  sameSetting,
  settingColumns,
} from '../settings.js';
import { isEmpty, readNumber } from './cells.js';
import { bare, type Columns, isOutcome, type Role, roleNames } from './columns.js';
import type { RawRow } from './rows.js';

/** So many names of columns are listed in a note. */
const LISTED = 8;

export const listed = (names: readonly string[]) =>
  names.length <= LISTED
    ? names.join(', ')
    : `${names.slice(0, LISTED).join(', ')} and ${names.length - LISTED} more`;

/** Whether `perflaw results` wrote the table: these two columns nobody else has. */
export const isOwnTable = (columns: readonly string[]) =>
  columns.includes('data_hash') && columns.includes('perflaw');

/**
 * The trials that successive halving did not end early, as a law takes them from a sweep.
 * @throws UserError where none is left.
 */
export function withoutHalved(rows: readonly RawRow[], path: string): { rows: RawRow[]; notes: string[] } {
  const kept = rows.filter(({ cells }) => cells['stopped'] !== 'halving');
  const halved = rows.length - kept.length;
  if (kept.length === 0)
    throw new UserError(`all ${halved} finished trials were ended early by successive halving`, {
      place: path,
      remedy: 'Run the sweep to its end, or fit to them with --halved.',
    });
  return {
    rows: kept,
    notes:
      halved > 0
        ? [`${halved} trials were ended early by successive halving and are left out (--halved takes them)`]
        : [],
  };
}

/**
 * The column of a setting by its name, or by what people write for it (`lr` for `learning_rate`).
 * @throws UserError where there is none, or where it is taken for something else.
 */
export function settingColumn(
  { roles, rest }: Columns,
  name: string,
  option: string,
  columns: readonly string[],
): string {
  const taken = Object.entries(roles) as [Role, string][];
  const free = [...rest, ...taken.filter(([role]) => roleNames(role).setting).map(([, column]) => column)];
  const among = (list: readonly string[]) =>
    list.find((column) => column === name) ??
    list.find((column) => sameSetting(column, name) || sameSetting(bare(column), name));
  const found =
    among(free) ?? taken.find(([role, column]) => free.includes(column) && sameSetting(role, name))?.[1];
  if (found !== undefined) return found;
  const other = among(columns);
  const role = taken.find(([, column]) => column === other)?.[0];
  const near = nearest(name, free);
  throw new UserError(
    other === undefined
      ? `there is no column "${name}"`
      : `"${other}" is no setting: it is taken for ${role ?? 'a measurement'}`,
    {
      place: option,
      remedy: `Columns that may be settings: ${free.length > 0 ? free.join(', ') : 'none'}.${near ? ` Is "${near}" meant?` : ''}`,
    },
  );
}

/** Under which name observations keep a column of settings. */
export function nameOf({ roles }: Columns, settings: TableSettings, column: string): string {
  return (
    settings.names.get(column) ?? Object.entries(roles).find(([, taken]) => taken === column)?.[0] ?? column
  );
}

/** Which columns are settings beside those that have a name of their own. */
export interface TableSettings {
  columns: string[];
  /** Under which name each of them is kept: without what a tracker puts before it, where that is no other's name. */
  names: Map<string, string>;
  /** Whether runs of one configuration saw different numbers of tokens, so that each number is a slice. */
  byTokens: boolean;
  /** Columns with the name of a setting that are none. */
  none: string[];
  notes: string[];
}

/**
 * Finds the settings among the columns.
 * @param own whether `perflaw results` wrote the table: then the settings' names are known, and every one that varies counts.
 * @param asked columns that somebody named as settings: they are, whatever their values look like.
 */
export function settingsOf(
  { roles, rest: all }: Columns,
  rows: readonly RawRow[],
  own: boolean,
  asked: readonly string[] = [],
): TableSettings {
  const settings: TableSettings = { columns: [], names: new Map(), byTokens: false, none: [], notes: [] };
  const text = (row: RawRow, column: string | undefined) => {
    const cell = column === undefined ? undefined : row.cells[column];
    return isEmpty(cell) ? '' : String(readNumber(cell) ?? cell).trim();
  };
  const sizes = rows.map((row) => `${text(row, roles.layers)} ${text(row, roles.dim)}`);
  const model = roles.model;
  if (
    !own &&
    model !== undefined &&
    !asked.includes(model) &&
    namesTheSize(
      rows.map((row) => text(row, model)),
      sizes,
    )
  ) {
    settings.none.push(model);
    settings.notes.push(`"${model}" names the size of a run anew and is no setting`);
  }
  const ours = all.filter((column) => asked.includes(column) || (own && SETTING_NAMES.includes(column)));
  for (const column of ours) {
    const name = own ? column : bare(column);
    settings.columns.push(column);
    settings.names.set(column, name in roles || [...settings.names.values()].includes(name) ? column : name);
  }
  const rest = all.filter((column) => !ours.includes(column));
  const known = Object.entries(roles)
    .filter(
      ([role]) => role === 'slice' || role === 'layers' || role === 'dim' || roleNames(role as Role).setting,
    )
    .map(([, column]) => column)
    .filter((column) => !settings.none.includes(column))
    .concat(ours);
  const configurations = rows.map((row) => JSON.stringify(known.map((column) => text(row, column))));
  const seeds = rows.map((row) => text(row, roles.seed));
  const list = rest
    .filter((column) => !isOutcome(column))
    .map((column) => ({ column, name: bare(column), values: rows.map((row) => text(row, column)) }));
  const { settings: parting, alike, distinct } = settingColumns(list, { configurations, sizes, seeds });
  for (const column of rest.filter((one) => parting.includes(one))) {
    const { name, values } = list.find((one) => one.column === column)!;
    settings.columns.push(column);
    settings.names.set(
      column,
      [...Object.keys(roles), ...settings.names.values()].includes(name) ? column : name,
    );
    settings.notes.push(
      `"${column}" differs between runs of one configuration (${listed([...new Set(values)].map((value) => value || absentSetting(column)))}): a law for each of its values; --tuned "${column}" takes the best of them for each configuration, --ignore "${column}" takes such runs as repeats`,
    );
  }
  if (alike.length > 0)
    settings.notes.push(`${listed(alike)}: settings too, whose values go with those of ${listed(parting)}`);
  if (distinct.length > 0)
    settings.notes.push(
      `${listed(distinct)}: nearly every run has a value of its own, so runs that differ in ${distinct.length === 1 ? 'it' : 'them'} are taken as repeats`,
    );
  const { tokens } = roles;
  if (tokens === undefined) return settings;
  const parted = rows.map((row, i) =>
    JSON.stringify([configurations[i], ...settings.columns.map((column) => text(row, column))]),
  );
  const seen = rows.map((row) => text(row, tokens));
  const role = columnRole({ name: 'tokens', values: seen, configurations: parted, sizes, seeds });
  settings.byTokens = role === 'setting';
  if (settings.byTokens)
    settings.notes.push(
      `"${tokens}" differs between runs of one configuration (${listed([...new Set(seen)])}): each number is taken for a slice of its own`,
    );
  else if (role === 'distinct')
    settings.notes.push(
      `"${tokens}" differs between runs of one configuration, nearly every run has a number of its own: such runs are taken as repeats`,
    );
  return settings;
}
