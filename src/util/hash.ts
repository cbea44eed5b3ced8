/** Content hashes: the same value gives the same text on every machine. */
import { createHash } from 'node:crypto';

/** JSON with keys sorted at every depth, so that equal objects give equal text. Keys with undefined are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** Hexadecimal SHA-256 of text or bytes. */
export function sha256(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** The first ten hexadecimal digits of the SHA-256 of a value's canonical JSON: a trial's or a data set's name. */
export function shortHash(value: unknown): string {
  return sha256(canonicalJson(value)).slice(0, 10);
}
