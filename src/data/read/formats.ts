/** The names of what a reader can be told: one list each, for the command line, descriptors and the library alike. */

/** Kinds of files. `auto` looks. */
export const FORMATS = ['auto', 'csv', 'parquet', 'json', 'sequences'] as const;
export type Format = (typeof FORMATS)[number];

/** Units of a numeric time since 1970; `excel` counts days as spreadsheets do. `auto` goes by their size. */
export const TIME_UNITS = ['auto', 's', 'ms', 'us', 'ns', 'excel'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

/** What becomes of events that are equal in user, item, time and order: all stay, or the first or last row of them. */
export const DUPLICATES = ['keep', 'first', 'last'] as const;
export type Duplicates = (typeof DUPLICATES)[number];

/** What `--time` and `--order` take where the rows of a user are to be taken in the order of the file. */
export const NO_COLUMN = 'none';
