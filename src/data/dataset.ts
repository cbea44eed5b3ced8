/**
 * The door to data for every other room: a name (imported or fetched before), a file on disk (read once, then cached), or
 * the options of a synthetic data set.
 */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileError, UserError } from '../util/errors.js';
import { shortHash } from '../util/hash.js';
import { nearest } from '../util/nearest.js';
import { workspace } from '../util/workspace.js';
import { CACHE_VERSION, readCache, writeCache } from './import/cache.js';
import { DEFAULT_IMPORT, type ImportOptions, importFile } from './import/import.js';
import { markUsed, pruneCaches } from './import/prune-cache.js';
import { cachePath, importedNames, isDatasetName } from './import/stored.js';
import type { Interactions } from './interactions.js';
import { generateSynthetic, type SyntheticOptions } from './synthetic.js';

/** A name, a path, or a synthetic data set; `synthetic` alone is the one with default options. */
export type DatasetReference = string | { synthetic: SyntheticOptions };

/** Where and how `openDataset` looks; the import options count only where a file is read. */
export interface OpenOptions extends ImportOptions {
  /** Folder of cached data sets; the workspace's by default. */
  datasets?: string;
  /** Receives what a person should know: how a file was read, that a cache was renewed or could not be written. */
  onNote?: (note: string) => void;
  /** Asks for at least one user with three events (training, validation, test); true by default. */
  evaluable?: boolean;
}

/** Changes whenever the same file would be read differently: older caches are then left unused. */
const IMPORT_VERSION = 3;

/**
 * Opens a data set.
 * @throws UserError where the name is unknown or not imported yet, the cache is damaged, the file or an option is wrong.
 */
export async function openDataset(
  reference: DatasetReference,
  options: OpenOptions = {},
): Promise<Interactions> {
  const data = await open(reference, options);
  if (options.evaluable !== false) requireEvaluable(data);
  return data;
}

async function open(reference: DatasetReference, options: OpenOptions): Promise<Interactions> {
  if (typeof reference !== 'string') {
    refuseImportOptions('the synthetic data', options);
    return generateSynthetic(reference.synthetic);
  }
  if (reference.trim() === '') throw new UserError('the name of the data set is empty');
  const datasets = options.datasets ?? workspace().datasets;
  if (isDatasetName(reference)) {
    const cache = cachePath(datasets, reference);
    if (existsSync(cache)) {
      refuseImportOptions(reference, options);
      return readCache(cache, await renewal(datasets, reference));
    }
    if (reference === 'synthetic') return open({ synthetic: {} }, options);
  }
  if (existsSync(reference)) return openFile(reference, datasets, options);
  if (isDatasetName(reference) && !/\.[A-Za-z]+$/.test(reference))
    throw await notImported(datasets, reference);
  throw new UserError('no such file or data set', {
    place: reference,
    remedy: '`perflaw data list` shows the data sets there are.',
  });
}

/**
 * @throws UserError where no user has the three events that leave-one-out needs.
 */
export function requireEvaluable(data: Interactions): void {
  for (let u = 0; u < data.numUsers; u++) if (data.offsets[u + 1]! - data.offsets[u]! >= 3) return;
  throw new UserError('no user has three interactions: one to train on, one to validate, one to test', {
    place: data.name,
    remedy: 'Check which columns are read as user and item (--user, --item), or use more data.',
  });
}

/** Reads a file, or the cache of an earlier reading of the same bytes with the same options. */
async function openFile(path: string, datasets: string, options: OpenOptions): Promise<Interactions> {
  const { onNote = () => {} } = options;
  const relevant = importOptions(options);
  let stat: { size: number; mtimeMs: number };
  try {
    stat = statSync(path);
  } catch (error) {
    throw fileError(error, path, 'read this file');
  }
  const key = shortHash({
    path: resolve(path),
    size: stat.size,
    mtime: stat.mtimeMs,
    options: relevant,
    version: [CACHE_VERSION, IMPORT_VERSION],
  });
  const cache = join(datasets, '.cache', `${key}.bin`);
  if (existsSync(cache)) {
    try {
      const kept = readCache(cache, '', onNote);
      markUsed(cache);
      return kept;
    } catch (error) {
      onNote(`${(error as Error).message} (${cache}); the file is read again.`);
    }
  }
  const { interactions, notes } = await importFile(path, relevant);
  for (const note of notes) onNote(note);
  try {
    writeCache(cache, interactions, notes);
    pruneCaches(dirname(cache), basename(cache));
  } catch (error) {
    // The cache only saves time: a full or read-only folder must not stop the work.
    onNote(`Not cached: ${(error as Error).message} (${cache}).`);
  }
  return interactions;
}

/** Options of reading mean nothing for what was read before: ignoring them would give other data than asked for. */
function refuseImportOptions(name: string, options: OpenOptions): void {
  const { datasets: _datasets, onNote: _onNote, evaluable: _evaluable, name: _name, ...reading } = options;
  const given = Object.keys(definedOf(reading));
  if (given.length > 0)
    throw new UserError(`${given.join(', ')}: these say how to read a file; ${name} is no file`, {
      place: name,
      remedy: `Leave them out, or import the file anew with them: perflaw data import FILE.`,
    });
}

/** The options that decide what is read, with defaults filled in. */
export function importOptions(options: OpenOptions): ImportOptions {
  const { datasets: _datasets, onNote: _onNote, evaluable: _evaluable, ...relevant } = options;
  return { ...DEFAULT_IMPORT, ...definedOf(relevant) };
}

function definedOf<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

async function renewal(datasets: string, name: string): Promise<string> {
  const { loadCatalogue } = await import('./fetch/catalogue.js');
  const known = (await loadCatalogue(datasets)).has(name);
  return known
    ? `Renew it: perflaw data fetch ${name} (or perflaw data import FILE --name ${name}).`
    : `Renew it: perflaw data import FILE --name ${name}.`;
}

async function notImported(datasets: string, name: string): Promise<UserError> {
  const { loadCatalogue } = await import('./fetch/catalogue.js');
  const catalogue = await loadCatalogue(datasets);
  if (catalogue.has(name))
    return new UserError(`the data set ${name} is not here yet`, {
      remedy: `Get it: perflaw data fetch ${name} (or, from a file you have: perflaw data fetch ${name} --from-file FILE).`,
    });
  const known = [...new Set([...importedNames(datasets), ...catalogue.keys(), 'synthetic'])];
  const near = nearest(name, known);
  return new UserError(`there is no data set "${name}"`, {
    remedy: near
      ? `Did you mean ${near}? \`perflaw data list\` shows all.`
      : `Name a file, or import one: perflaw data import FILE --name ${name}. \`perflaw data list\` shows all.`,
  });
}
