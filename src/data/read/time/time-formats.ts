/** How a column of dates may be written: formats of strptime that all of its rows fit, for a remedy. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { sqlText } from '../../duckdb.js';
import type { Table } from '../table.js';

const DATES = [
  ...['/', '.', '-'].flatMap((mark) =>
    ['%d-%m-%Y', '%m-%d-%Y', '%d-%m-%y', '%m-%d-%y', '%y-%m-%d', '%Y-%m-%d', '%d-%b-%Y', '%d-%b-%y'].map(
      (format) => format.replaceAll('-', mark),
    ),
  ),
  '%d %b %Y',
  '%d %B %Y',
  '%b %d %Y',
  '%b %d, %Y',
  '%B %d, %Y',
  '%Y%m%d',
];
const CLOCKS = ['', '%H:%M', '%H:%M:%S', '%H:%M:%S.%f', '%I:%M %p', '%I:%M:%S %p', '%I:%M%p'];
const WHOLE = [
  '%a %b %d %H:%M:%S %z %Y',
  '%a %b %d %H:%M:%S %Y',
  '%a, %d %b %Y %H:%M:%S %z',
  '%a, %d %b %Y %H:%M:%S GMT',
  '%d/%b/%Y:%H:%M:%S %z',
  '%Y%m%d%H%M%S',
  '%Y%m%d %H:%M:%S',
  '%Y%m%dT%H%M%SZ',
  '%Y-%m-%d %H',
];

function allFormats(): string[] {
  const spelt = DATES.flatMap((date) =>
    CLOCKS.flatMap((clock) =>
      clock === ''
        ? [date]
        : [`${date} ${clock}`, `${date}, ${clock}`, `${date}T${clock}`, `${date} ${clock} %z`],
    ),
  );
  return [...WHOLE, ...spelt];
}

/** Values that suggestions are sought among; those found are then held against every row. */
const SAMPLE = 1000;

/**
 * Formats that every kept row fits; else those that nine rows of ten do.
 * @param text the SQL of the trimmed column. @param keep the SQL of the rows that count.
 */
export async function suggestFormats(
  connection: DuckDBConnection,
  table: Table,
  text: string,
  keep: string,
): Promise<{ fitting: string[]; close: string[] }> {
  // A year 20 or 2090 is not what is meant.
  const nextYear = `${new Date().getUTCFullYear() + 2}-01-01`;
  const one = async (sql: string) => Number((await connection.runAndReadAll(sql)).getRows()[0]![0]);
  const fits = (format: string, from: string) => {
    const time = `try_strptime(t, ${sqlText(format)})::TIMESTAMP`;
    return one(
      `SELECT count(*) FROM ${from} WHERE ${time} >= TIMESTAMP '1970-01-01' AND ${time} < TIMESTAMP '${nextYear}'`,
    );
  };
  const rows = `(SELECT ${text} AS t FROM ${table.from} WHERE ${keep})`;
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE seen_times AS SELECT DISTINCT t FROM (SELECT t FROM ${rows} LIMIT 100000) LIMIT ${SAMPLE}`,
  );
  const sampled = await one('SELECT count(*) FROM seen_times');
  const all = await one(`SELECT count(*) FROM ${rows}`);
  const fitting: string[] = [];
  const close: string[] = [];
  // One by one: hundreds of formats in one query take the planner longer than they take to try.
  for (const format of allFormats()) {
    if (sampled === 0 || (await fits(format, 'seen_times')) < 0.9 * sampled) continue;
    ((await fits(format, rows)) === all ? fitting : close).push(format);
  }
  return { fitting, close };
}

/** Why this is no format of strptime; undefined where it is one. */
export async function isTimeFormat(
  connection: DuckDBConnection,
  format: string,
): Promise<string | undefined> {
  try {
    await connection.runAndReadAll(`SELECT try_strptime('', ${sqlText(format)})`);
    return /%[a-zA-Z]/.test(format) ? undefined : 'it has no part such as %Y';
  } catch (error) {
    return (error as Error).message.split('\n')[0]!.replace(/^[A-Za-z ]*Error: /, '');
  }
}
