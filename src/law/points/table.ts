/**
 * Results measured elsewhere: a CSV, JSON or Parquet table with a row a run, of one's own or out of a tracker. Columns are found
 * by their names (table/columns.ts), unfinished runs left out (table/status.ts), and unknown columns in which repeats differ are
 * settings (table/settings.ts). Whatever was guessed or left out is in the notes. What `perflaw results --csv` writes is read back.
 */
import { basename } from 'node:path';
import { UserError } from '../../util/errors.js';
import { nearest } from '../../util/nearest.js';
import type { Observation } from './observation.js';
import {
  type CommaStyle,
  cellNumber,
  commaStyle,
  isEmpty,
  isMissing,
  METRIC,
  NUMBER,
  readNumber,
} from './table/cells.js';
import { bare, type Columns, type Role, roleNames, spellings, understand } from './table/columns.js';
import { type RawRow, readRows } from './table/rows.js';
import { readScales } from './table/scale.js';
import {
  isOwnTable,
  listed,
  nameOf,
  settingColumn,
  settingsOf,
  type TableSettings,
  withoutHalved,
} from './table/settings.js';
import { finishedRows, statusColumns } from './table/status.js';

/** What a table of results holds. */
export interface Table {
  /** The file's name. */
  name: string;
  observations: Observation[];
  /** Names, in the observations' `config`, of the settings asked for as tuned. */
  tuned: string[];
  /** What each column was taken for, what was left out and why. */
  notes: string[];
}

/** How a table is read. */
export interface TableOptions {
  /** A column to take as the metric although its name is not one of the usual. */
  metric?: string;
  /** Columns to read as if they were not there. */
  ignore?: readonly string[];
  /** Columns of settings that were tuned, for `tunedEnvelope`; in any usual spelling. */
  tuned?: readonly string[];
  /** Columns to take as settings, whatever their values look like. */
  settings?: readonly string[];
  /** Take trials too that successive halving ended early, where the table is one of ours. */
  halved?: boolean;
}

/**
 * Reads a table of results.
 * @param path .csv, .tsv, .txt, .json, .jsonl, .ndjson or .parquet.
 * @throws UserError naming the row and the column at fault; a table is read whole or not at all.
 */
export async function readTable(path: string, options: TableOptions = {}): Promise<Table> {
  const raw = await readRows(path);
  const name = basename(path);
  if (raw.rows.length === 0)
    throw new UserError('the table has no rows', {
      place: path,
      remedy: 'It needs a header and a row a run.',
    });
  const ignored = (options.ignore ?? []).map((wanted) => ignoredColumn(raw.columns, wanted));
  const columns = raw.columns.filter((column) => !ignored.includes(column));
  const status = statusColumns(raw.rows, columns, spellings);
  const finished = finishedRows(raw.rows, status);
  if (finished.rows.length === 0)
    throw new UserError('no run of this table is finished', {
      place: path,
      remedy: `${finished.notes[0]}. Give --ignore "${status[0]}" to take every row.`,
    });
  const own = isOwnTable(raw.columns);
  const { rows, notes } =
    own && !options.halved ? withoutHalved(finished.rows, path) : { ...finished, notes: [] };
  const found = understand({ ...raw, columns, rows }, path, status, options.metric);
  // a table of ours says itself what its sweep tuned
  const ownTuned = own && columns.includes('tuned') ? String(rows[0]!.cells['tuned'] ?? '') : '';
  const tuned = (options.tuned ?? []).map((name) => settingColumn(found, name, '--tuned', columns));
  const asked = (options.settings ?? []).map((name) => settingColumn(found, name, '--setting', columns));
  const settings = settingsOf(found, rows, own, [...tuned, ...asked]);
  const commas = commaStyle(numberColumns(found).flatMap((column) => rows.map(({ cells }) => cells[column])));
  const observations = rows.map((row) => toObservation(row, found, settings, commas));
  const scales = readScales(observations, found.metrics);
  checkCounts(observations, found.roles);
  const id = found.rest.find((column) => isId(column) && !settings.columns.includes(column));
  if (id !== undefined)
    observations.forEach((one, i) => {
      const cell = rows[i]!.cells[id];
      if (!isMissing(cell)) one.id = String(cell).trim();
    });
  const used = [...settings.columns, ...(ownTuned === '' ? [] : ['tuned'])];
  const rest = [...found.rest.filter((column) => column !== id && !used.includes(column)), ...ignored];
  return {
    name,
    observations,
    tuned: [
      ...new Set([
        ...ownTuned.split(' ').filter((name) => columns.includes(name) && !asked.includes(name)),
        ...tuned.map((column) => nameOf(found, settings, column)),
      ]),
    ],
    notes: [
      columnsNote(found, settings, status),
      ...raw.notes,
      ...finished.notes,
      ...notes,
      ...found.notes,
      ...settings.notes,
      ...scales,
      ...(rest.length > 0 ? [`columns not used: ${listed(rest)}`] : []),
    ],
  };
}

function ignoredColumn(columns: readonly string[], wanted: string): string {
  const column =
    columns.find((one) => one === wanted) ??
    columns.find((one) => one.toLowerCase() === wanted.toLowerCase());
  if (column !== undefined) return column;
  const near = nearest(wanted, columns);
  throw new UserError(`there is no column "${wanted}"`, {
    place: '--ignore',
    remedy: `The columns are ${columns.join(', ')}.${near ? ` Is "${near}" meant?` : ''}`,
  });
}

function columnsNote(
  { roles, metrics, quality }: Columns,
  { columns }: TableSettings,
  status: readonly string[],
): string {
  const as = (role: string, column: string) => (role === column ? role : `${role} = ${column}`);
  return `columns: ${[
    ...Object.entries(roles).map(([role, column]) => as(role, column)),
    ...(status.length > 0 ? [as('status', status.join(', '))] : []),
    ...(columns.length > 0 ? [`settings = ${listed(columns)}`] : []),
    ...(quality.length > 0 ? [`measures of the data = ${listed(quality)}`] : []),
    `${metrics.size === 1 ? 'metric' : 'metrics'} ${listed([...metrics].map(([column, metric]) => as(metric, column)))}`,
  ].join('; ')}`;
}

function numberColumns({ roles, metrics, quality }: Columns): string[] {
  const numbers = Object.entries(roles).filter(([role]) => roleNames(role as Role).kind !== undefined);
  return [...numbers.map(([, column]) => column), ...metrics.keys(), ...quality];
}

function toObservation(
  row: RawRow,
  found: Columns,
  settings: TableSettings,
  commas: CommaStyle,
): Observation {
  const { roles, metrics, quality } = found;
  const observation: Observation = { slice: 'all', layers: 0, dim: 0, metrics: {}, source: row.place };
  const config: Record<string, string | number> = {};
  const setting = (column: string) => {
    const cell = row.cells[column];
    const value = readNumber(cell, commas);
    return value !== undefined && Number.isFinite(value) ? value : String(cell).trim();
  };
  for (const [role, column] of Object.entries(roles) as [Role, string][]) {
    const cell = row.cells[column];
    const { kind, setting: isSetting } = roleNames(role);
    const isSize = role === 'layers' || role === 'dim';
    if (kind === undefined ? isEmpty(cell) : isMissing(cell) || (!isSize && isNotANumber(cell))) continue;
    if (role === 'slice') observation.slice = String(cell).trim();
    else if (isSetting) {
      if (!settings.none.includes(column)) config[role] = setting(column);
    } else {
      const value = cellNumber(row, column, kind!, commas);
      if (role === 'hours') observation.seconds = 3600 * value;
      else Object.assign(observation, { [role]: value });
    }
  }
  for (const key of ['layers', 'dim'] as const)
    if (observation[key] === 0)
      throw new UserError(`${key} is missing`, {
        place: row.place,
        remedy: 'Fill it in or leave the row out.',
      });
  for (const [column, metric] of metrics)
    if (!isMissing(row.cells[column])) observation.metrics[metric] = cellNumber(row, column, METRIC, commas);
  for (const column of settings.columns)
    if (!isEmpty(row.cells[column])) config[settings.names.get(column)!] = setting(column);
  if (settings.byTokens && observation.tokens !== undefined)
    observation.slice = `${roles.slice === undefined ? '' : `${observation.slice} `}tokens=${observation.tokens}`;
  const measures = quality.filter(
    (column) => !isMissing(row.cells[column]) && !isNotANumber(row.cells[column]),
  );
  if (measures.length > 0)
    observation.quality = Object.fromEntries(
      measures.map((column) => [bare(column), cellNumber(row, column, NUMBER, commas)]),
    );
  if (Object.keys(config).length > 0) observation.config = config;
  return observation;
}

/** A column that names the run: rows with one id are one run. */
const isId = (column: string) =>
  /^(id|uid|uuid|guid|(run|trial|job|experiment)[ ._-]?(id|uid|uuid))$/i.test(bare(column));

/**
 * No model has fewer parameters than layers times dim: such numbers count millions, or something else.
 * @throws UserError naming the row.
 */
function checkCounts(observations: readonly Observation[], roles: Columns['roles']): void {
  for (const role of ['params', 'nonEmbeddingParams'] as const)
    for (const one of observations) {
      const value = one[role];
      if (value === undefined || value >= one.layers * one.dim) continue;
      throw new UserError(
        `column "${roles[role]}": ${value} cannot be the number of parameters of layers ${one.layers}, dim ${one.dim}`,
        {
          place: one.source,
          remedy: `Write counts in full (0.4 million as 400000, or as 0.4M), or leave the column out with --ignore "${roles[role]}".`,
        },
      );
    }
}

const isNotANumber = (cell: RawRow['cells'][string]) => Number.isNaN(readNumber(cell) ?? 0);
