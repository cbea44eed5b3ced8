/** Why a trial failed, in the categories of a record. */
import { readFileSync } from 'node:fs';
import { describeError } from '../util/errors.js';
import type { FailedRecord } from './record.js';

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
  /out of memory|allocation failed|cannot allocate|could not allocate|ENOMEM|memory\.grow|invalid (typed )?array(buffer)? length|heap limit/i;

/** The category of an error thrown inside a trial. */
export function failureReason(error: unknown): FailureReason {
  if (isDiskFull(error)) return 'disk-full';
  for (const cause of causes(error)) {
    if (cause.name === 'NotANumberError') return 'not-a-number';
    if (OUT_OF_MEMORY.test(cause.message) || cause.code === 'ENOMEM') return 'out-of-memory';
  }
  return 'error';
}

/** One line for a record; a user's error keeps its place and remedy. */
export function failureMessage(error: unknown): string {
  return describeError(error).replaceAll(/\s*\n\s*/g, ' ');
}

/** Whether the last lines of a crashed process' log tell of memory. */
export function logTellsOutOfMemory(log: string): boolean {
  return OUT_OF_MEMORY.test(logTail(log, 8000));
}

/** The last characters of a log, or '' when there is none. */
export function logTail(log: string, characters: number): string {
  try {
    return readFileSync(log, 'utf8').slice(-characters);
  } catch {
    return '';
  }
}
