/** From a descriptor to an imported data set: download or take the user's own file, check it, unpack it, read it, store it. */
import { closeSync, mkdirSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileError, UserError } from '../../util/errors.js';
import { nearest } from '../../util/nearest.js';
import { workspace } from '../../util/workspace.js';
import { importOptions } from '../dataset.js';
import { type ImportOptions, importFile } from '../import/import.js';
import { type DatasetInfo, storeDataset } from '../import/stored.js';
import { type Descriptor, loadCatalogue } from './catalogue.js';
import { download, verifyChecksums } from './download.js';
import { unpackMember } from './unpack.js';

export interface FetchOptions {
  datasets?: string;
  /** The archive, the table inside it, or the folder where it was unpacked; nothing is downloaded then. */
  fromFile?: string;
  skipChecksum?: boolean;
  /** Changes how the table is read; the descriptor says the rest. */
  read?: Pick<ImportOptions, 'kCore' | 'timestamps'>;
  onNote?: (note: string) => void;
  onProgress?: (bytes: number, total: number | undefined) => void;
}

/**
 * Makes the catalogue's data set `name` available to `openDataset(name)`.
 * @throws UserError where the name is unknown, or a download, a checksum, an archive or a table is wrong.
 */
export async function fetchDataset(name: string, options: FetchOptions = {}): Promise<DatasetInfo> {
  const datasets = options.datasets ?? workspace().datasets;
  const catalogue = await loadCatalogue(datasets);
  const descriptor = catalogue.get(name);
  if (!descriptor) {
    const near = nearest(name, catalogue.keys());
    throw new UserError(`the catalogue has no data set "${name}"`, {
      remedy: near
        ? `Did you mean ${near}? \`perflaw data list\` shows all.`
        : '`perflaw data list` shows all; for a file of your own: perflaw data import FILE.',
    });
  }
  const { onNote = () => {} } = options;
  const folder = join(datasets, name);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fileError(error, folder, 'make this folder');
  }
  const source = options.fromFile
    ? ownFile(descriptor, options.fromFile)
    : await downloaded(descriptor, folder, options);
  const isArchive = descriptor.archive !== 'none' && looksPacked(source, descriptor.archive);
  if (options.fromFile && options.skipChecksum !== true)
    await verifyChecksums(
      source,
      isArchive || descriptor.archive === 'none'
        ? { md5: descriptor.md5, sha256: descriptor.sha256 }
        : { md5: descriptor.memberMd5 },
    );
  let table = source;
  if (isArchive) {
    table = join(folder, `unpacked-${basename(descriptor.member!)}`);
    await unpackMember(source, descriptor.archive as 'zip' | 'tar.gz', descriptor.member!, table);
  }
  try {
    const read = importOptions({ ...descriptor.read, ...options.read, name });
    const { interactions, notes, reading } = await importFile(table, read);
    for (const note of notes) onNote(note);
    compareCounts(descriptor, interactions, read.kCore, onNote);
    return storeDataset(datasets, { interactions, notes, reading }, source, read, true);
  } finally {
    if (isArchive) rmSync(table, { force: true });
  }
}

/** The archive in the data set's folder, downloaded unless it is there already and right. */
async function downloaded(descriptor: Descriptor, folder: string, options: FetchOptions): Promise<string> {
  const file = basename(new URL(descriptor.url).pathname).replace(/[^A-Za-z0-9._-]/g, '_') || 'download';
  const path = join(folder, /^\.|^(interactions\.bin|dataset\.json)$/.test(file) ? `download-${file}` : file);
  const checksums = options.skipChecksum ? {} : { md5: descriptor.md5, sha256: descriptor.sha256 };
  const known = checksums.md5 !== undefined || checksums.sha256 !== undefined;
  if (!known && !options.skipChecksum)
    options.onNote?.(`The descriptor of ${descriptor.name} has no checksum: what comes is taken as it is.`);
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) {
    const right = await verifyChecksums(path, checksums).then(
      () => true,
      () => false,
    );
    if (right) {
      options.onNote?.(`Already downloaded: ${path}.`);
      return path;
    }
  }
  options.onNote?.(`Downloading ${descriptor.url}. Terms: ${descriptor.terms}`);
  await download(descriptor.url, path, { ...checksums, onProgress: options.onProgress });
  return path;
}

/** The user's own copy; in a folder, the table or the archive by its name. */
function ownFile(descriptor: Descriptor, path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat)
    throw new UserError('cannot read this file: no such file or folder', {
      place: path,
      remedy: 'Check the path.',
    });
  if (!stat.isDirectory()) return path;
  const archive = basename(new URL(descriptor.url).pathname);
  const member = descriptor.member ?? archive;
  for (const candidate of [basename(member), member, archive])
    if (statSync(join(path, candidate), { throwIfNoEntry: false })?.isFile()) return join(path, candidate);
  throw new UserError(`this folder holds neither ${basename(member)} nor ${archive}`, {
    place: path,
    remedy: 'Name the archive or the file inside it.',
  });
}

function looksPacked(path: string, kind: 'zip' | 'tar.gz'): boolean {
  const head = Buffer.alloc(4);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, head, 0, 4, 0);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileError(error, path, 'read this file');
  }
  return kind === 'zip' ? head.readUInt16BE(0) === 0x504b : head.readUInt16BE(0) === 0x1f8b;
}

function compareCounts(
  { expected }: Descriptor,
  found: { numUsers: number; numItems: number; items: Int32Array },
  kCore: number | undefined,
  onNote: (note: string) => void,
): void {
  if (!expected || kCore !== 5) return;
  const { numUsers, numItems, items } = found;
  if (numUsers !== expected.users || numItems !== expected.items || items.length !== expected.interactions)
    onNote(
      `Published after 5-core: ${expected.users} users, ${expected.items} items, ${expected.interactions} interactions; ` +
        `found: ${numUsers}, ${numItems}, ${items.length}. The data or its preparation differs.`,
    );
}
