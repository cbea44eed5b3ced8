/**
 * Interactions: who took what, in which order, as compressed sparse rows over users (typed arrays, no objects per
 * event, so a million interactions are some 12 MB).
 */
import { createHash } from 'node:crypto';

/** A data set after filtering and ordering. Items are 1..numItems; 0 is the padding item and never occurs. */
export interface Interactions {
  /** A short name: the catalogue's, or the file's. */
  name: string;
  /** SHA-256 of the content (offsets, items, timestamps), independent of how the file was written. */
  hash: string;
  numUsers: number;
  numItems: number;
  /** User u's events are `items[offsets[u] .. offsets[u + 1])`, oldest first. [numUsers + 1] */
  offsets: Int32Array;
  /** [numInteractions] */
  items: Int32Array;
  /** Unix seconds, exact, or null where the source has an order but no clock. [numInteractions] */
  timestamps: Float64Array | null;
  /** The source's own identifiers; itemIds[0] is '' (padding). */
  userIds: string[];
  itemIds: string[];
}

/** Some users' ordered items, without identifiers: what a model trains on. `users[i]` is the row's user in the data set. */
export interface Sequences {
  users: Int32Array;
  offsets: Int32Array;
  items: Int32Array;
  timestamps: Float64Array | null;
}

/** Number of events in a set of sequences. */
export function countTokens(sequences: Sequences): number {
  return sequences.offsets[sequences.users.length]!;
}

/** SHA-256 of what the numbers of a data set are: the same interactions give the same hash however they were written. */
export function hashContent(
  content: Pick<Interactions, 'numUsers' | 'numItems' | 'offsets' | 'items' | 'timestamps'>,
): string {
  const { numUsers, numItems, offsets, items, timestamps } = content;
  const hash = createHash('sha256');
  hash.update(`perflaw interactions 1 ${numUsers} ${numItems} ${items.length} ${timestamps !== null}\n`);
  for (const part of [offsets, items, timestamps])
    if (part) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return hash.digest('hex');
}
