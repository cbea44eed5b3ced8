/** `--threads`, of every command that trains. */
import { UserError } from '../../util/errors.js';

/** @throws UserError for anything but `auto` or a number of threads. */
export function threadsOption(value: unknown): number | 'auto' | undefined {
  if (value === undefined || value === 'auto') return value;
  const count = Number(value);
  if (/^[0-9]+$/.test(String(value)) && count >= 1 && count <= 64) return count;
  throw new UserError(`--threads must be auto or a whole number from 1 to 64, not ${value}`);
}
