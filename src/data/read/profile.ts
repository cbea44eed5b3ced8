/**
 * A first reading of a table that only counts: every rule about columns is decided by all rows, not by the first few, and
 * the number of rows stands beside the number that is delivered later.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { UserError } from '../../util/errors.js';
import type { Table } from './table.js';

export type Counts = ReadonlyMap<string, number>;

/** SQL of a table's columns as texts, and what to count over them in one reading. */
export class Profile {
  private readonly expressions: [alias: string, sql: string][] = [];
  private readonly aggregates: [name: string, sql: string][] = [];

  /** Gives an expression over a row a name; aggregates speak of it by that. */
  define(alias: string, sql: string): void {
    this.expressions.push([alias, sql]);
  }

  /** Asks for an aggregate over defined expressions, under a name. */
  ask(name: string, sql: string): void {
    this.aggregates.push([name, sql]);
  }

  /** Counts the rows in which a defined class has a value. */
  countClass(name: string, alias: string, value: number, filter?: string): void {
    this.ask(name, `count(*) FILTER (${alias} = ${value}${filter === undefined ? '' : ` AND ${filter}`})`);
  }

  /** Reads the table once. Aggregates over no row are NaN. */
  async run(connection: DuckDBConnection, from: string): Promise<Counts> {
    const inner = this.expressions.map(([alias, sql]) => `${sql} AS ${alias}`).join(', ');
    const outer = this.aggregates.map(([, sql]) => `(${sql})::DOUBLE`).join(', ');
    const query = `SELECT ${outer} FROM (SELECT ${inner} FROM ${from})`;
    const row = (await connection.runAndReadAll(query)).getRows()[0]!;
    return new Map(
      this.aggregates.map(([name], i) => [name, row[i] === null ? Number.NaN : Number(row[i])] as const),
    );
  }
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
