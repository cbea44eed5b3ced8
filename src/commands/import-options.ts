/** Options of every command that reads a file of interactions: columns, format, filter. */
import type { Argv } from 'yargs';
import type { ImportOptions } from '../data/import.js';
import { UserError } from '../util/errors.js';
import type { Arguments } from './command.js';

const FORMATS = ['auto', 'csv', 'parquet', 'json', 'sequences'] as const;
const UNITS = ['auto', 's', 'ms', 'us', 'ns'] as const;

/** Their names. */
export const IMPORT_OPTIONS = [
  'user',
  'item',
  'time',
  'order',
  'delimiter',
  'format',
  'header',
  'where',
  'k-core',
  'timestamps',
  'time-unit',
];

/** Adds the options, as one group of the help. */
export function addImportOptions(yargs: Argv): Argv {
  const text = (name: string, description: string) =>
    yargs.option(name, { type: 'string', description, group: GROUP });
  text('user', 'Column of the user [guessed]');
  text('item', 'Column of the item [guessed]');
  text('time', 'Column of the time, a number or a date [guessed]');
  text('order', 'Column that orders the events of a user [guessed where there is no time]');
  text('delimiter', 'Separator of a text table [guessed]');
  return yargs
    .option('format', { choices: FORMATS, description: 'Kind of file [guessed]', group: GROUP })
    .option('header', {
      type: 'boolean',
      description: 'Whether the first line of a text table names the columns [guessed]',
      group: GROUP,
    })
    .option('where', {
      type: 'string',
      description: 'Read only rows that meet this, e.g. "rating>=4 and kind=buy"',
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
    .option('time-unit', { choices: UNITS, description: 'Unit of the time column [guessed]', group: GROUP });
}

const GROUP = 'Reading a file:';

/** What the command line says about reading; what it does not say is absent. */
export function importArguments(args: Arguments): ImportOptions {
  const kCore = args['k-core'] as number | undefined;
  if (kCore !== undefined && (!Number.isInteger(kCore) || kCore < 0))
    throw new UserError('--k-core must be a whole number, 0 or more');
  const delimiter = args['delimiter'] as string | undefined;
  if (delimiter === '') throw new UserError('--delimiter must not be empty');
  const options: ImportOptions = {
    user: args['user'] as string | undefined,
    item: args['item'] as string | undefined,
    time: args['time'] as string | undefined,
    order: args['order'] as string | undefined,
    delimiter: delimiter === '\\t' ? '\t' : delimiter,
    format: args['format'] as ImportOptions['format'],
    header: args['header'] as boolean | undefined,
    where: (args['where'] as string | undefined)?.split(/\s+and\s+/i),
    kCore,
    timestamps: args['timestamps'] as ImportOptions['timestamps'],
    timeUnit: args['time-unit'] as ImportOptions['timeUnit'],
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
