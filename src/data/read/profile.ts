/**
 * A first reading of a table that only counts: every rule about columns is decided by all rows, not by the first few, and
 * the number of rows stands beside the number that is delivered later.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { UserError } from '../../util/errors.js';
import { sqlName } from '../duckdb.js';
import type { Table } from './table.js';

/**
 * What each row is, by a few small classes (of its user, its time, ...), and how often each combination occurs: one
 * grouping over the whole table, which costs far less than a count for every class.
 */
export class Profile {
  private readonly values: [alias: string, sql: string][] = [];
  private readonly classes: [alias: string, sql: string][] = [];
  private readonly extremes: [alias: string, sql: string][] = [];
  private groups: { classes: number[]; rows: number; least: number[]; most: number[] }[] = [];

  /**
   * A value of a row that several expressions need, so that it is computed once.
   * @returns the SQL by which they speak of it: a name that no column of a file has.
   */
  value(what: string, sql: string): string {
    const alias = sqlName(`perflaw: ${what}`);
    this.values.push([alias, sql]);
    return alias;
  }

  /** Adds a class of rows: an expression with few values (numbers, or conditions that are 1 or 0). */
  classify(alias: string, sql: string): void {
    this.classes.push([alias, sql]);
  }

  /** Asks for the least and the greatest value of an expression. */
  extremesOf(alias: string, sql: string): void {
    this.extremes.push([alias, sql]);
  }

  /** Reads the table once. */
  async run(connection: DuckDBConnection, from: string): Promise<void> {
    const values = this.values.map(([alias, sql]) => `, ${sql} AS ${alias}`).join('');
    const rows = values === '' ? from : `(SELECT *${values} FROM ${from})`;
    const named = [
      ...this.classes.map(([, sql], i) => `(${sql})::TINYINT AS k${i}`),
      ...this.extremes.map(([, sql], i) => `${sql} AS x${i}`),
    ];
    const keys = this.classes.map((_, i) => `k${i}`).join(', ');
    const bounds = this.extremes.map((_, i) => `min(x${i})::DOUBLE, max(x${i})::DOUBLE`);
    const found = await connection.runAndReadAll(
      `SELECT ${[keys, 'count(*)::DOUBLE', ...bounds].join(', ')} FROM (SELECT ${named.join(', ')} FROM ${rows}) GROUP BY ${keys}`,
    );
    const number = (value: unknown) => (value === null || value === undefined ? Number.NaN : Number(value));
    this.groups = found.getRows().map((row) => {
      const at = this.classes.length;
      return {
        classes: row.slice(0, at).map(number),
        rows: number(row[at]),
        least: this.extremes.map((_, i) => number(row[at + 1 + 2 * i])),
        most: this.extremes.map((_, i) => number(row[at + 2 + 2 * i])),
      };
    });
  }

  /** Rows whose classes are all as given. */
  count(wanted: Record<string, number> = {}): number {
    return this.matching(wanted).reduce((sum, { rows }) => sum + rows, 0);
  }

  /** The least and the greatest value among rows whose classes are as given; NaN for none. */
  range(alias: string, wanted: Record<string, number> = {}): { from: number; to: number } {
    const at = this.extremes.findIndex(([name]) => name === alias);
    let [from, to] = [Number.NaN, Number.NaN];
    for (const { least, most } of this.matching(wanted)) {
      if (!(least[at]! >= from)) from = Number.isNaN(least[at]!) ? from : least[at]!;
      if (!(most[at]! <= to)) to = Number.isNaN(most[at]!) ? to : most[at]!;
    }
    return { from, to };
  }

  private matching(wanted: Record<string, number>) {
    const tests = Object.entries(wanted).map(
      ([alias, value]) => [this.classes.findIndex(([name]) => name === alias), value] as const,
    );
    return this.groups.filter(({ classes }) => tests.every(([at, value]) => classes[at] === value));
  }
}

/** What a decision about a column stands on. */
export interface ReadContext {
  connection: DuckDBConnection;
  table: Table;
  place: string;
  profile: Profile;
  /** Rows that meet the conditions, and the SQL of these. */
  kept: number;
  keep: string;
  /** Unix seconds. */
  now: number;
}

export interface FoundRow {
  /** Place of the row in the file, for messages: `file.csv:12`. */
  place: string;
  text: string | null;
}

/** The first row of a table that meets a condition, with one of its values. */
export async function firstRow(
  connection: DuckDBConnection,
  table: Table,
  place: string,
  condition: string,
  value: string,
): Promise<FoundRow> {
  const query =
    `SELECT r, v FROM (SELECT row_number() OVER () AS r, ${value} AS v, ${condition} AS c FROM ${table.from}) ` +
    'WHERE c ORDER BY r LIMIT 1';
  const row = (await connection.runAndReadAll(query)).getRows()[0];
  if (!row) return { place, text: null };
  // Rows of an unfolded list have no line of their own.
  return {
    place: table.firstLine === undefined ? place : `${place}:${Number(row[0]) + table.firstLine - 1}`,
    text: row[1] === null || row[1] === undefined ? null : String(row[1]).slice(0, 60),
  };
}

/** `1 of 568 rows`, `all 568 rows`. */
export function shareOf(count: number, all: number): string {
  return count === all ? `all ${all} rows` : `${count} of ${all} rows`;
}

/** A condition that leaves out the rows without a value in this column, as a remedy. */
export function withoutMissing(column: string): string {
  return `--where ${JSON.stringify(`${column}!=`)}`;
}

/** An error about a column with the place of the first row that shows it. */
export function columnError(found: FoundRow, what: string, remedy: string): UserError {
  return new UserError(what, { place: found.place, remedy });
}
