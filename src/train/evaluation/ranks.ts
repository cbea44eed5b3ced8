/** Ranks of users, from which every metric follows: what one evaluation found, user by user, and the file that keeps it. */
import { fileError, UserError } from '../../util/errors.js';
import { readRegularBytes } from '../../util/files.js';
import { sha256 } from '../../util/hash.js';

/** What `perflaw train --out` and every trial of a sweep leave beside their result. */
export const RANKS_FILE = 'ranks.bin';

/** The ranks of one evaluation; all arrays are over its users. */
export interface UserRanks {
  /** Index of each user in the data set, rising. */
  users: Int32Array;
  /** Rank of the target, from 1, without (`masked`) and with (`unmasked`) the user's history among the candidates. */
  masked: Int32Array;
  unmasked: Int32Array;
  /** Items of the history before the target. */
  historyLengths: Int32Array;
  /** How often the training histories of all users, whatever the slice, hold the target. */
  popularity: Int32Array;
  /** Cross-entropy of the target over all items, nats. */
  losses: Float32Array;
}

/** The ranks of a finished training, at the epoch that validation chose. */
export interface StoredRanks {
  /** Hash of the data set that the users' indices are of. */
  data: string;
  validation: UserRanks;
  test: UserRanks;
}

const MAGIC = 'perflaw-ranks\n';
const SCHEMA = 1;
const DIGEST = 32;
const PARTS = ['validation', 'test'] as const;

/**
 * The file's bytes: `perflaw-ranks`, a line of JSON (schema, hash of the data, users of each part), then six columns a part: five of
 * varints (LEB128), users as steps from the one before, masked ranks, unmasked minus masked, lengths, popularity, and the losses as
 * 32-bit floats (little-endian). SHA-256 of all that ends it. Some 11 to 13 bytes a user and part.
 */
export function encodeRanks({ data, ...parts }: StoredRanks): Uint8Array {
  const head = Buffer.from(
    `${MAGIC}${JSON.stringify({ schema: SCHEMA, data, validation: parts.validation.users.length, test: parts.test.users.length })}\n`,
  );
  const most = PARTS.reduce((sum, part) => sum + 29 * parts[part].users.length, 0);
  const body = new Uint8Array(most);
  let at = 0;
  const put = (value: number) => {
    let rest = value >>> 0;
    for (; rest > 127; rest >>>= 7) body[at++] = (rest & 127) | 128;
    body[at++] = rest;
  };
  for (const part of PARTS) {
    const { users, masked, unmasked, historyLengths, popularity, losses } = parts[part];
    users.forEach((user, i) => {
      put(user - (i === 0 ? 0 : users[i - 1]!));
    });
    masked.forEach(put);
    unmasked.forEach((rank, i) => {
      put(rank - masked[i]!);
    });
    historyLengths.forEach(put);
    popularity.forEach(put);
    const view = new DataView(body.buffer);
    for (const loss of losses) {
      view.setFloat32(at, loss, true);
      at += 4;
    }
  }
  const content = Buffer.concat([head, body.subarray(0, at)]);
  return Buffer.concat([content, Buffer.from(sha256(content), 'hex')]);
}

/**
 * Reads what `encodeRanks` wrote.
 * @param place the file's name in messages.
 * @throws UserError when the bytes are not whole, of another version, or no ranks at all.
 */
export function decodeRanks(bytes: Uint8Array, place: string): StoredRanks {
  const damaged = (why: string) =>
    new UserError(`these ranks are damaged: ${why}`, { place, remedy: 'Train it again; the result stays.' });
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.subarray(0, MAGIC.length).toString('latin1') !== MAGIC) throw damaged('it is no file of ranks');
  const content = file.subarray(0, -DIGEST);
  if (sha256(content) !== file.subarray(-DIGEST).toString('hex'))
    throw damaged('its content does not match its checksum');
  const end = content.indexOf(10, MAGIC.length);
  const head = JSON.parse(content.subarray(MAGIC.length, end).toString()) as Record<string, unknown>;
  if (head['schema'] !== SCHEMA)
    throw new UserError(`these ranks were written by another version of perflaw (schema ${head['schema']})`, {
      place,
      remedy: 'Read them with that version.',
    });
  let at = end + 1;
  const take = () => {
    let value = 0;
    for (let shift = 0; at < content.length && shift < 35; shift += 7) {
      const byte = content[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw damaged('it ends too early');
  };
  const read = (part: (typeof PARTS)[number]): UserRanks => {
    const n = Number(head[part]);
    if (!Number.isSafeInteger(n) || n < 0 || n > content.length)
      throw damaged(`it has no count of ${part} users`);
    const column = () => Int32Array.from({ length: n }, take);
    const users = column();
    for (let i = 1; i < n; i++) users[i]! += users[i - 1]!;
    const masked = column();
    const unmasked = column();
    for (let i = 0; i < n; i++) unmasked[i]! += masked[i]!;
    const [historyLengths, popularity] = [column(), column()];
    if (at + 4 * n > content.length) throw damaged('it ends too early');
    const view = new DataView(content.buffer, content.byteOffset + at);
    const losses = Float32Array.from({ length: n }, (_, i) => view.getFloat32(4 * i, true));
    at += 4 * n;
    return { users, masked, unmasked, historyLengths, popularity, losses };
  };
  return { data: String(head['data']), validation: read('validation'), test: read('test') };
}

/**
 * The ranks beside a result, proven to be that result's.
 * @param expected SHA-256 of the file as the result names it.
 * @throws UserError when the file is gone, damaged, another result's or of other data.
 */
export function readRanks(path: string, expected: string, data: string): StoredRanks {
  const remedy = 'Train it again to have them; its result stays as it is.';
  let bytes: Uint8Array;
  try {
    bytes = readRegularBytes(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new UserError('the ranks of this result are gone', { place: path, remedy });
    throw fileError(error, path, 'read these ranks');
  }
  if (sha256(bytes) !== expected)
    throw new UserError('these ranks are damaged: their checksum is not the one of the result', {
      place: path,
      remedy,
    });
  const ranks = decodeRanks(bytes, path);
  if (ranks.data !== data)
    throw new UserError('these ranks are of other data than the result', { place: path, remedy });
  return ranks;
}
