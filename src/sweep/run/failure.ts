/** Why a trial failed, in the categories of a record. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { describeError } from '../../util/errors.js';
import type { FailedRecord } from '../store/record.js';

export type FailureReason = FailedRecord['reason'];

function* causes(error: unknown): Generator<Error & { code?: unknown }> {
  let at = error;
  for (let depth = 0; at instanceof Error && depth < 10; depth++, at = at.cause) yield at;
}

/** Whether the disk, not the trial, is at fault: nothing more can be written, so nothing is recorded. */
export function isDiskFull(error: unknown): boolean {
  return [...causes(error)].some(({ code }) => code === 'ENOSPC' || code === 'EDQUOT');
}

const OUT_OF_MEMORY =
  /out of memory|allocation failed|cannot allocate|could not allocate|ENOMEM|memory\.grow|invalid (typed )?array(buffer)? length|heap limit|enlarge memory|maximum memory size|\bOOM\b/i;

/** The category of an error thrown inside a trial. */
export function failureReason(error: unknown): FailureReason {
  if (isDiskFull(error)) return 'disk-full';
  for (const cause of causes(error)) {
    if (cause.name === 'NotANumberError') return 'not-a-number';
    if (cause.name === 'DeviceLostError') return 'device-lost';
    if (OUT_OF_MEMORY.test(cause.message) || cause.code === 'ENOMEM') return 'out-of-memory';
  }
  return 'error';
}

/** One line for a record; a user's error keeps its place and remedy. */
export function failureMessage(error: unknown): string {
  return describeError(error).replaceAll(
    /([^\s.:;,!?]?)\s*\n\s*/g,
    (_, end: string) => `${end}${end && '.'} `,
  );
}

/** Whether the last lines of a crashed process' log tell of memory; `from` is where that process began to write. */
export function logTellsOutOfMemory(log: string, from = 0): boolean {
  return OUT_OF_MEMORY.test(logTail(log, 8000, from));
}

/** The last characters of a log from a byte on, or '' when there is none. */
export function logTail(log: string, characters: number, from = 0): string {
  try {
    const file = openSync(log, 'r');
    try {
      // A character takes four bytes at most.
      const begin = Math.max(from, fstatSync(file).size - 4 * characters);
      const bytes = Buffer.alloc(4 * characters);
      return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, begin)).slice(-characters);
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}

/** Bytes of a log, 0 when there is none. */
export function logSize(log: string): number {
  return statSync(log, { throwIfNoEntry: false })?.size ?? 0;
}
