/**
 * Interactions on disk: one binary file, written atomically, checked by SHA-256 on every read. Layout, little-endian:
 * 8 bytes magic, uint32 version, uint32 length of the JSON header, the header, zeros to a multiple of 8, offsets (int32),
 * items (int32), zeros to a multiple of 8, timestamps (float64, may be absent), identifiers (JSON), 32 bytes SHA-256 of
 * all before.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { fileError, UserError } from '../../util/errors.js';
import { writeAtomic } from '../../util/files.js';
import type { Interactions } from '../interactions.js';

const MAGIC = 'PERFLAWD';
export const CACHE_VERSION = 1;

interface Header {
  name: string;
  hash: string;
  numUsers: number;
  numItems: number;
  numInteractions: number;
  hasTimestamps: boolean;
  identifierBytes: number;
  endianness: string;
  /** How the source was read; said again whenever the cache stands in for it. */
  notes?: string[];
}

/** Writes a data set; a reader sees the old file or the new one. */
export function writeCache(path: string, data: Interactions, notes: string[] = []): void {
  const identifiers = Buffer.from(JSON.stringify([data.userIds, data.itemIds]));
  const header: Header = {
    name: data.name,
    hash: data.hash,
    numUsers: data.numUsers,
    numItems: data.numItems,
    numInteractions: data.items.length,
    hasTimestamps: data.timestamps !== null,
    identifierBytes: identifiers.length,
    endianness: endianness(),
    notes,
  };
  const json = Buffer.from(JSON.stringify(header));
  const at = layout(header, json.length);
  const file = Buffer.alloc(at.end);
  file.write(MAGIC, 0, 'latin1');
  file.writeUInt32LE(CACHE_VERSION, 8);
  file.writeUInt32LE(json.length, 12);
  json.copy(file, 16);
  for (const [offset, part] of [
    [at.offsets, data.offsets],
    [at.items, data.items],
    [at.timestamps, data.timestamps],
    [at.identifiers, identifiers],
  ] as const)
    if (part) file.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), offset);
  file.set(createHash('sha256').update(file.subarray(0, at.digest)).digest(), at.digest);
  writeAtomic(path, file);
}

/**
 * Reads a data set; the arrays are views of the file's bytes.
 * @param remedy what mends a damaged file: the command that writes it anew.
 * @param onNote is told how the source was read.
 * @throws UserError where the file is missing, damaged, truncated, or of another version.
 */
export function readCache(
  path: string,
  remedy: string,
  onNote: (note: string) => void = () => {},
): Interactions {
  let bytes: Uint8Array;
  try {
    const file = readFileSync(path);
    // Typed-array views need an aligned start, which a pooled buffer does not promise.
    bytes = file.byteOffset % 8 === 0 ? file : new Uint8Array(file);
  } catch (error) {
    throw fileError(error, path, 'read this file');
  }
  const damaged = (what: string) => new UserError(`a damaged cache: ${what}`, { place: path, remedy });
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < 48 || view.toString('latin1', 0, 8) !== MAGIC)
    throw damaged(view.length < 48 ? 'it is cut short' : 'it does not begin as one');
  const version = view.readUInt32LE(8);
  if (version !== CACHE_VERSION)
    throw new UserError(`a cache of version ${version}; this perflaw reads version ${CACHE_VERSION}`, {
      place: path,
      remedy,
    });
  const digest = view.subarray(view.length - 32);
  if (
    !createHash('sha256')
      .update(view.subarray(0, view.length - 32))
      .digest()
      .equals(digest)
  )
    throw damaged('its checksum does not match (cut short or changed)');
  const headerLength = view.readUInt32LE(12);
  const header = JSON.parse(view.toString('utf8', 16, 16 + headerLength)) as Header;
  const at = layout(header, headerLength);
  if (header.endianness !== endianness() || at.end !== view.length)
    throw damaged('it was written on another kind of machine');
  const { buffer, byteOffset } = view;
  const [userIds, itemIds] = JSON.parse(view.toString('utf8', at.identifiers, at.digest)) as [
    string[],
    string[],
  ];
  for (const note of header.notes ?? []) onNote(note);
  return {
    name: header.name,
    hash: header.hash,
    numUsers: header.numUsers,
    numItems: header.numItems,
    offsets: new Int32Array(buffer as ArrayBuffer, byteOffset + at.offsets, header.numUsers + 1),
    items: new Int32Array(buffer as ArrayBuffer, byteOffset + at.items, header.numInteractions),
    timestamps: header.hasTimestamps
      ? new Float64Array(buffer as ArrayBuffer, byteOffset + at.timestamps, header.numInteractions)
      : null,
    userIds,
    itemIds,
  };
}

/** Where each part begins. */
function layout(header: Header, headerLength: number) {
  const aligned = (at: number) => Math.ceil(at / 8) * 8;
  const offsets = aligned(16 + headerLength);
  const items = offsets + 4 * (header.numUsers + 1);
  const timestamps = aligned(items + 4 * header.numInteractions);
  const identifiers = timestamps + (header.hasTimestamps ? 8 * header.numInteractions : 0);
  const digest = identifiers + header.identifierBytes;
  return { offsets, items, timestamps, identifiers, digest, end: digest + 32 };
}
