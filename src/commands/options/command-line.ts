/** How words become arguments, the same for every command: the parser's settings, and what it lets pass but no command means. */
import yargs, { type Argv } from 'yargs';
import { UserError } from '../../util/errors.js';

/** The part of yargs' own definitions that is read here; `check` hands them over. */
interface Definitions {
  alias: Record<string, string[]>;
  array: string[];
  boolean: string[];
  count: string[];
  /** Every option and positional. */
  key: Record<string, unknown>;
  number: string[];
  string: string[];
}

/** One time that an option stands in the words. */
interface Occurrence {
  /** As typed, without its value. */
  word: string;
  /** Behind `=`, or the next word where that is no option; absent where there is neither. */
  value?: string;
  /** Whether the value stands behind `=`. */
  joined: boolean;
  /** `--no-NAME` */
  negated: boolean;
}

/**
 * A parser of `words`, for commands to be added to. It refuses an option given twice that holds one value (all but arrays,
 * by their own definition), one without its value, a number that is none, `--no-NAME` of anything but a switch, and words
 * behind `--`, which would be left out.
 */
export function commandLine(words: string[]): Argv {
  return yargs(words)
    .parserConfiguration({ 'populate--': false, 'dot-notation': false, 'duplicate-arguments-array': true })
    .option('json', {
      type: 'boolean',
      global: true,
      description: 'Print one JSON value on stdout; words go to stderr',
    })
    .strict()
    .exitProcess(false)
    .fail((message, error) => {
      throw (
        error ?? new UserError(message, { remedy: 'See `perflaw --help`, or `perflaw <command> --help`.' })
      );
    })
    .check((argv, definitions) => {
      check(words, argv, definitions as unknown as Definitions);
      return true;
    });
}

/** @throws UserError as `commandLine` says. */
function check(words: readonly string[], argv: Record<string, unknown>, definitions: Definitions): void {
  const end = words.indexOf('--');
  if (end >= 0 && end < words.length - 1)
    throw new UserError(`nothing behind \`--\` is read: ${words.slice(end + 1).join(' ')}`, {
      remedy: 'Leave the `--` out; a file whose name begins with a dash is written ./-name.',
    });
  for (const [name, given] of occurrences(words, definitions)) {
    const is = (kind: Exclude<keyof Definitions, 'alias' | 'key'>) => definitions[kind].includes(name);
    if (is('boolean')) checkSwitch(name, given);
    else {
      const { word } = given.find(({ negated }) => negated) ?? {};
      if (word) throw new UserError(`unknown option ${word}`, { remedy: `--${name} takes a value.` });
      if (is('number')) for (const one of given) checkNumber(one);
      const empty = is('array') ? given.some(({ value }) => !value) : is('string') && argv[name] === '';
      if (empty)
        throw new UserError(`${given[0]!.word} needs a value`, {
          remedy: `Give one, \`${given[0]!.word} VALUE\`, or leave the option out.`,
        });
      if (!is('array') && !is('count')) checkOnce(given, argv[name]);
    }
  }
}

function checkSwitch(name: string, given: readonly Occurrence[]): void {
  const values = new Set<boolean>();
  for (const { word, value, joined, negated } of given) {
    if (joined && value !== 'true' && value !== 'false')
      throw new UserError(`${word} takes no value, not "${value}"`, {
        remedy: `Write --${name} or --no-${name}.`,
      });
    values.add(!negated && value !== 'false');
  }
  if (values.size > 1)
    throw new UserError(`--${name} is given twice, once on and once off`, {
      remedy: `Keep one of them: --${name} or --no-${name}.`,
    });
}

function checkNumber({ word, value }: Occurrence): void {
  if (value === undefined || value.trim() === '')
    throw new UserError(`${word} needs a number`, {
      remedy: `Give one, \`${word} NUMBER\`, or leave the option out.`,
    });
  if (!Number.isFinite(Number(value))) throw new UserError(`${word} needs a number, not "${value}"`);
}

/** @param used what the command would get. */
function checkOnce(given: readonly Occurrence[], used: unknown): void {
  const shown = given.map(({ word, value }) => `${word} ${value ?? ''}`.trim());
  // What stands without a name, such as a file, may be named as well.
  const [{ value }] = given as [Occurrence];
  const bare = given.length === 1 && typeof used === 'string' && value && used !== value;
  if (given.length < 2 && !bare) return;
  const all = bare ? [...shown, used] : shown;
  throw new UserError(`${given[0]!.word} is given ${all.length === 2 ? 'twice' : `${all.length} times`}`, {
    remedy: `It holds one value. Keep one of: ${all.join(', ')}.`,
  });
}

/** Every known option in the words, by its first name. An option's value never begins with a dash, unless it is a number. */
function occurrences(
  words: readonly string[],
  definitions: Definitions,
): Map<string, [Occurrence, ...Occurrence[]]> {
  const names = namesOf(definitions);
  const found = new Map<string, [Occurrence, ...Occurrence[]]>();
  for (const [at, text] of words.entries()) {
    if (text === '--') break;
    const match = /^(--[^=]+|-[a-z])(=)?([\s\S]*)$/i.exec(text);
    if (!match) continue;
    const [, word, equals, rest] = match as unknown as [string, string, string | undefined, string];
    const key = word.replace(/^--?/, '');
    const plain = names.get(key);
    const name = plain ?? names.get(key.replace(/^no-/, ''));
    if (name === undefined) continue;
    const joined = equals !== undefined || rest !== '';
    const next = words[at + 1];
    const follows =
      next !== undefined &&
      (definitions.boolean.includes(name)
        ? /^(true|false)$/.test(next)
        : !next.startsWith('-') || /^-\.?[0-9]/.test(next));
    const value = joined ? rest : follows ? next : undefined;
    const one = { word, joined, negated: plain === undefined, ...(value === undefined ? {} : { value }) };
    const before = found.get(name);
    if (before) before.push(one);
    else found.set(name, [one]);
  }
  return found;
}

/** From every spelling of an option (aliases, camel case) to its first name. */
function namesOf({ alias, key }: Definitions): Map<string, string> {
  const names = new Map<string, string>();
  for (const name of [...Object.keys(key), ...Object.keys(alias)]) {
    if (names.has(name)) continue;
    for (const spelling of [name, ...(alias[name] ?? [])]) {
      names.set(spelling, name);
      names.set(
        spelling.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
        name,
      );
    }
  }
  return names;
}
