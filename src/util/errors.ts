/** Errors that a person can act on: what went wrong, where, and what to do about it. */

/** Process exit codes of every command. */
export const ExitCode = { ok: 0, internal: 1, usage: 2, trialsFailed: 3, interrupted: 130 } as const;

export interface UserErrorOptions {
  /** The file (with line and column where known), option or record at fault. */
  place?: string;
  /** The next step that mends it: a command, an option, a setting. */
  remedy?: string;
  exitCode?: number;
  cause?: unknown;
}

/** An expected failure: printed without a stack trace, ends the process with `exitCode` (2 by default). */
export class UserError extends Error {
  readonly place: string | undefined;
  readonly remedy: string | undefined;
  readonly exitCode: number;

  constructor(message: string, options: UserErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'UserError';
    this.place = options.place;
    this.remedy = options.remedy;
    this.exitCode = options.exitCode ?? ExitCode.usage;
  }
}

/** The lines shown to a person: `place: message`, then the remedy. */
export function describeError(error: unknown): string {
  if (!(error instanceof UserError)) return error instanceof Error ? error.message : String(error);
  const head = error.place ? `${error.place}: ${error.message}` : error.message;
  return error.remedy ? `${head}\n  ${error.remedy}` : head;
}

const SYSTEM_REASONS: Record<string, [string, string]> = {
  ENOENT: ['no such file or folder', 'Check the path.'],
  EACCES: ['permission denied', 'Choose a folder you may write to, or change its permissions.'],
  EPERM: ['operation not permitted', 'Choose a folder you may write to, or change its permissions.'],
  EROFS: ['the file system is read-only', 'Choose another folder.'],
  ENOSPC: [
    'no space left on the device',
    'Free some space and run the same command again; finished work is kept.',
  ],
  EDQUOT: [
    'the disk quota is used up',
    'Free some space and run the same command again; finished work is kept.',
  ],
  EISDIR: ['this is a folder, a file was expected', 'Name the file itself.'],
  EFTYPE: ['this is no ordinary file', 'Name a file; devices and pipes are not read.'],
  EFBIG: ['this file is far too large for what it should hold', 'Check what it is.'],
  ELOOP: ['these symbolic links lead in a circle', 'Check the path.'],
  ENOTDIR: ['part of the path is a file, not a folder', 'Check the path.'],
};

/** Turns a file-system error into a UserError that names `path`; anything else is returned as it came. */
export function fileError(error: unknown, path: string, doing: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const reason = code === undefined ? undefined : SYSTEM_REASONS[code];
  if (!reason) return error;
  return new UserError(`cannot ${doing}: ${reason[0]}`, { place: path, remedy: reason[1], cause: error });
}
