/** Imported data sets by name: `<datasets>/<name>/interactions.bin`, and beside it what a person wants to know of it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileError, UserError } from '../../util/errors.js';
import { readJson, writeJson } from '../../util/files.js';
import { workspace } from '../../util/workspace.js';
import { writeCache } from './cache.js';
import type { Imported, ImportOptions, Reading } from './import.js';

/** Whether a text can name a data set: letters, digits, `.`, `_`, `-`, never a path. */
export function isDatasetName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(text) && !text.includes('..');
}

/**
 * Returns the name as it came.
 * @throws UserError where it could not be a folder's name.
 */
export function checkDatasetName(name: string): string {
  if (!isDatasetName(name))
    throw new UserError(`${JSON.stringify(name)} cannot name a data set`, {
      remedy: 'Use letters, digits, ".", "_" and "-" only, beginning with a letter or a digit.',
    });
  return name;
}

export function cachePath(datasets: string, name: string): string {
  return join(datasets, name, 'interactions.bin');
}

/** What lies beside a cache for people and for renewal. */
export interface DatasetInfo {
  name: string;
  hash: string;
  users: number;
  items: number;
  interactions: number;
  /** The file it was read from (absolute), or the archive it came in. */
  source: string;
  options: ImportOptions;
  fetched: boolean;
  /** What was read, left out and why; absent in data sets stored before that was kept. */
  reading?: Reading;
  /** How the file was read, in words. */
  notes?: string[];
}

/** Stores a data set under its name, for `openDataset(name)`. */
export function storeDataset(
  datasets: string,
  { interactions: data, reading, notes }: Pick<Imported, 'interactions'> & Partial<Imported>,
  source: string,
  options: ImportOptions,
  fetched: boolean,
): DatasetInfo {
  checkDatasetName(data.name);
  const info: DatasetInfo = {
    name: data.name,
    hash: data.hash,
    users: data.numUsers,
    items: data.numItems,
    interactions: data.items.length,
    source,
    options,
    fetched,
    reading,
    notes,
  };
  // The cache last: it is what makes the name known.
  writeJson(join(datasets, data.name, 'dataset.json'), info);
  writeCache(cachePath(datasets, data.name), data, notes);
  return info;
}

/** Names of the imported data sets, sorted. */
export function importedNames(datasets = workspace().datasets): string[] {
  try {
    return readdirSync(datasets, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && isDatasetName(entry.name))
      .map((entry) => entry.name)
      .filter((name) => existsSync(cachePath(datasets, name)))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileError(error, datasets, 'list this folder');
  }
}

/** What was stored beside a data set; undefined where that cannot be read. */
export function readInfo(datasets: string, name: string): DatasetInfo | undefined {
  try {
    return readJson(join(datasets, name, 'dataset.json')) as DatasetInfo;
  } catch {
    return undefined;
  }
}
