/** Fractions and percentages: what the shares of a table are written as, by their values, their names and one another. */
import { UserError } from '../../../util/errors.js';
import { isShare } from '../direction.js';
import type { Observation } from '../observation.js';
import { PERCENT } from './columns.js';
import { listed } from './settings.js';

/** Shares this much smaller than the percentages beside them are fractions. */
const APART = 20;
/** Where a fraction is so large, a law soon passes 1. */
const LARGE = 0.5;

const middleOf = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/**
 * Marks the metrics that are percentages although their values do not tell: by the column's name, or because another share
 * of the table, of the same size, has values above 1.
 * @returns what was taken for what.
 * @throws UserError where one column holds both.
 */
export function readScales(
  observations: readonly Observation[],
  metrics: ReadonlyMap<string, string>,
): string[] {
  const shares = [...metrics].filter(([, metric]) => isShare(metric));
  const valuesOf = (metric: string) =>
    observations.flatMap((one) => (one.metrics[metric]! > 0 ? [one.metrics[metric]!] : []));
  const most = (metric: string) => valuesOf(metric).reduce((a, b) => Math.max(a, b), 0);
  for (const [column, metric] of shares) checkMixed(observations, column, metric);
  const plain = shares.filter(([column, metric]) => !PERCENT.test(column) && most(metric) <= 1);
  const percentages = shares.filter((one) => !plain.includes(one) && most(one[1]) <= 100);
  const notes: string[] = [];
  const marked = percentages.map(([, metric]) => metric);
  for (const [column, metric] of plain) {
    const middle = middleOf(valuesOf(metric));
    const beside = percentages.find(([, other]) => middleOf(valuesOf(other)) < APART * middle);
    if (beside) {
      marked.push(metric);
      notes.push(`"${column}" is taken for percentages, as "${beside[0]}" is`);
    } else if (most(metric) > LARGE)
      notes.push(
        `"${column}" is taken for fractions of 1; if it holds percentages, name it "${column} (%)": predictions end at 1`,
      );
  }
  if (marked.length > 0) for (const one of observations) one.percentages = marked;
  return notes;
}

/**
 * A share is written as a fraction or as a percentage, in one column not both. Both are there where the values above 1 are some
 * hundred times those below, and a hundredth of them lies much closer to those.
 * @throws UserError naming the rows.
 */
function checkMixed(observations: readonly Observation[], column: string, metric: string): void {
  if (!isShare(metric)) return;
  const of = (one: Observation) => one.metrics[metric] ?? Number.NaN;
  const fractions = observations.filter((one) => of(one) > 0 && of(one) <= 1).sort((a, b) => of(a) - of(b));
  const percentages = observations
    .filter((one) => of(one) > 1 && of(one) <= 100)
    .sort((a, b) => of(a) - of(b));
  if (fractions.length === 0 || percentages.length === 0) return;
  const middle = (list: Observation[]) => of(list[list.length >> 1]!);
  const ratio = middle(percentages) / middle(fractions);
  const before = spread([...fractions, ...percentages].map(of));
  const after = spread([...fractions.map(of), ...percentages.map((one) => of(one) / 100)]);
  if (ratio < 20 || ratio > 500 || after > before / 2) return;
  const few = new Set(percentages.length <= fractions.length ? percentages : fractions);
  const rows = observations.filter((one) => few.has(one)).map(({ source }) => source!);
  const places = rows.map((place) => place.replace(/^.*(:| row )/, ''));
  const [less, more] = [fractions[0]!, percentages[0]!];
  throw new UserError(
    `column "${column}" holds fractions (${of(less)}) and percentages (${of(more)}): ${few.has(more) ? 'percentages' : 'fractions'} in ${places.length === 1 ? 'row' : 'rows'} ${listed(places)}`,
    {
      place: rows[0],
      remedy: 'Divide the percentages by 100, or multiply the fractions.',
    },
  );
}

/** Standard deviation of the logarithms. */
function spread(values: readonly number[]): number {
  const logs = values.map(Math.log);
  const mean = logs.reduce((a, b) => a + b, 0) / logs.length;
  return Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / logs.length);
}
