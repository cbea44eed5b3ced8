/** Conditions on rows, as people write them: `rating>=4`, `is_click=1`, `kind=buy`. */
import { UserError } from '../util/errors.js';
import { nearest } from '../util/nearest.js';
import { sqlText } from './duckdb.js';
import type { Table } from './table.js';

const OPERATORS = ['>=', '<=', '!=', '=', '>', '<'];

/**
 * The SQL of all conditions joined by AND; '' for none. Values that are numbers are compared as numbers, and rows whose
 * cell is none fail; other values are compared as text.
 * @throws UserError where a condition cannot be read or its column does not exist.
 */
export function whereSql(conditions: readonly string[], columns: Table['columns'], place: string): string {
  const parts = conditions.map((condition) => {
    const match = /^\s*(.+?)\s*(>=|<=|!=|=|>|<)\s*(.*?)\s*$/.exec(condition);
    if (!match)
      throw new UserError(`"${condition}" is no condition`, {
        place,
        remedy: `Write COLUMN, one of ${OPERATORS.join(' ')}, and a value: rating>=4.`,
      });
    const [, name, operator, value] = match as unknown as [string, string, string, string];
    const column = columns.find((candidate) => candidate.name === name);
    if (!column) {
      const names = columns.map((candidate) => candidate.name);
      const near = nearest(name, names);
      throw new UserError(
        `there is no column ${JSON.stringify(name)}; the file has: ${names.map((n) => JSON.stringify(n)).join(', ')}`,
        {
          place,
          remedy: near === undefined ? 'Choose one of them.' : `Did you mean ${near}${operator}${value}?`,
        },
      );
    }
    const number = Number(value);
    if (value !== '' && Number.isFinite(number))
      return `TRY_CAST(${column.sql} AS DOUBLE) ${operator} ${number}::DOUBLE`;
    if (operator !== '=' && operator !== '!=')
      throw new UserError(`"${condition}" orders by ${JSON.stringify(value)}, which is not a number`, {
        place,
      });
    return `CAST(${column.sql} AS VARCHAR) ${operator} ${sqlText(value)}`;
  });
  return parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`;
}
