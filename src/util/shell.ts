/** Words of a POSIX shell: commands that are printed to be copied, and scripts. */

/** A word of the shell that stands for exactly this text. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
