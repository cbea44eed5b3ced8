/** Options of every command that reads a file of interactions: columns, format, filter. */
import type { Argv } from 'yargs';
import type { ImportOptions } from '../../data/import/import.js';
import { DUPLICATES, FORMATS, TIME_UNITS } from '../../data/read/formats.js';
import { UserError } from '../../util/errors.js';
import type { Arguments } from './command.js';

/** Their names. */
export const IMPORT_OPTIONS = [
  'user',
  'item',
  'time',
  'order',
  'delimiter',
  'quote',
  'format',
  'header',
  'events',
  'where',
  'duplicates',
  'k-core',
  'timestamps',
  'time-unit',
  'time-format',
];

/** Adds the options, as one group of the help. */
export function addImportOptions(yargs: Argv): Argv {
  const text = (name: string, description: string) =>
    yargs.option(name, { type: 'string', description, group: GROUP });
  text('user', 'Column of the user [guessed]');
  text('item', 'Column of the item [guessed]');
  text('time', 'Column of the time, a number or a date; none takes rows in their order [guessed]');
  text('order', 'Column that orders the events of a user [guessed where there is no time]');
  text('time-format', 'How times are written, as strptime has it: "%d/%m/%Y %H:%M" [ISO dates and numbers]');
  text('delimiter', 'Separator of a text table [guessed]');
  text('quote', "Quote of a text table, none for none [guessed: '\"']");
  text('events', 'Column that holds a list of events, {session, events: [{aid, ts}]} [guessed]');
  return yargs
    .option('format', { choices: FORMATS, description: 'Kind of file [guessed]', group: GROUP })
    .option('header', {
      type: 'boolean',
      description: 'Whether the first line of a text table names the columns [guessed]',
      group: GROUP,
    })
    .option('where', {
      type: 'string',
      array: true,
      nargs: 1,
      description:
        'Read only rows that meet this: "rating>=4 and (kind=buy or kind=cart)"; several mean all of them',
      group: GROUP,
    })
    .option('k-core', {
      type: 'number',
      description: 'Keep users and items with at least so many interactions; 0 keeps all [5]',
      group: GROUP,
    })
    .option('timestamps', {
      choices: ['exact', 'float32'] as const,
      description: 'float32 rounds times as RecBole does [exact]',
      group: GROUP,
    })
    .option('duplicates', {
      choices: DUPLICATES,
      description: 'Events equal in user, item and time: keep all, or the first or last of each [keep]',
      group: GROUP,
    })
    .option('time-unit', {
      choices: TIME_UNITS,
      description: 'Unit of the time column [guessed]',
      group: GROUP,
    });
}

const GROUP = 'Reading a file:';

/** What the command line says about reading; what it does not say is absent. */
export function importArguments(args: Arguments): ImportOptions {
  const kCore = args['k-core'] as number | undefined;
  if (kCore !== undefined && (!Number.isInteger(kCore) || kCore < 0))
    throw new UserError('--k-core must be a whole number, 0 or more');
  const delimiter = args['delimiter'] as string | undefined;
  if (delimiter === '') throw new UserError('--delimiter must not be empty');
  const quote = args['quote'] as string | undefined;
  if (quote !== undefined && quote !== 'none' && quote.length !== 1)
    throw new UserError(`--quote is one character or none, not ${JSON.stringify(quote)}`);
  const options: ImportOptions = {
    user: args['user'] as string | undefined,
    item: args['item'] as string | undefined,
    time: args['time'] as string | undefined,
    order: args['order'] as string | undefined,
    delimiter: delimiter === '\\t' ? '\t' : delimiter,
    quote,
    format: args['format'] as ImportOptions['format'],
    header: args['header'] as boolean | undefined,
    events: args['events'] as string | undefined,
    where: args['where'] as string[] | undefined,
    duplicates: args['duplicates'] as ImportOptions['duplicates'],
    kCore,
    timestamps: args['timestamps'] as ImportOptions['timestamps'],
    timeUnit: args['time-unit'] as ImportOptions['timeUnit'],
    timeFormat: args['time-format'] as string | undefined,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
