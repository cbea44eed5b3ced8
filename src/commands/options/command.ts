/** The contract of every file in this folder: `perflaw NAME` loads one of them, and only when it is called. */
import type { Argv } from 'yargs';
import { roomOn, wrap } from '../../util/table.js';

export interface CommandModule {
  /** Positionals, options, examples. */
  options(yargs: Argv): Argv;
  /**
   * Runs the command: data to stdout, words for people to stderr where `--json` is given.
   * @returns the exit code (see ExitCode).
   * @throws UserError for anything the user can mend.
   */
  run(args: Arguments): Promise<number>;
}

/** Parsed arguments; each command narrows what it reads. */
export type Arguments = { [name: string]: unknown; json?: boolean; quiet?: boolean };

/** Prints one JSON value on stdout: the whole answer of a command called with `--json`. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Prints text for people on stdout, sentences broken between words where a terminal has less room. */
export function print(text = ''): void {
  process.stdout.write(`${wrap(text, roomOn(process.stdout))}\n`);
}

/** A warning or progress for people: stderr, so that piped output stays clean. */
export function note(text: string): void {
  process.stderr.write(`${wrap(text, roomOn(process.stderr))}\n`);
}
