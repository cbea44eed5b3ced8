/**
 * The levels of slices against their data: D = tokens / measure (the Performance Law takes Approximate Entropy, its later
 * version real entropy) beside tokens alone, as straight lines in reciprocal axes (level against 1/D, as published) and in log
 * axes. They describe. Whether quality adds to quantity is asked in quality-test.ts: a line in the wrong axes is mended by
 * any measure that grows or shrinks with tokens.
 */
import { UserError } from '../util/errors.js';

/** A slice: how much data, of what quality, and the level to be explained (a constant c, 1/D', or a metric). */
export interface SliceLevel {
  slice: string;
  tokens: number;
  /** Measures of disorder by name; larger is worse, and D = tokens / measure. */
  quality: Record<string, number>;
  level: number;
}

export type Axes = 'reciprocal' | 'log';

/** A straight line of the slices' levels on tokens, or on tokens over one measure. */
export interface MeasureLine {
  /** `tokens`, or the name of a measure. */
  measure: string;
  axes: Axes;
  slices: number;
  slope: number;
  intercept: number;
  r2: number;
  /** Leave-one-out; null below four slices. */
  q2: number | null;
}

interface Line {
  coefficients: number[];
  sse: number;
  press: number;
}

/** Least squares with a constant, by normal equations on centred, scaled columns; PRESS by leverage. */
function regress(columns: number[][], y: number[]): Line {
  const n = y.length;
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / n;
  const centres = columns.map(mean);
  const centred = columns.map((column, j) => column.map((value) => value - centres[j]!));
  const scales = centred.map((column) => Math.hypot(...column) || 1);
  const basis: number[][] = [];
  const R: number[][] = [];
  centred.forEach((column, j) => {
    const q = column.map((value) => value / scales[j]!);
    const r: number[] = [];
    for (const b of basis) {
      const share = b.reduce((sum, value, i) => sum + value * q[i]!, 0);
      r.push(share);
      b.forEach((value, i) => {
        q[i]! -= share * value;
      });
    }
    const size = Math.hypot(...q);
    r.push(size > 1e-10 ? size : Number.POSITIVE_INFINITY);
    basis.push(q.map((value) => (size > 1e-10 ? value / size : 0)));
    R.push(r);
  });
  const centreY = mean(y);
  const rest = y.map((value) => value - centreY);
  const shares = basis.map((b) => {
    const share = b.reduce((sum, value, i) => sum + value * rest[i]!, 0);
    b.forEach((value, i) => {
      rest[i]! -= share * value;
    });
    return share;
  });
  const weights = new Array<number>(columns.length).fill(0);
  for (let i = columns.length - 1; i >= 0; i--) {
    let value = shares[i]!;
    for (let j = i + 1; j < columns.length; j++) value -= R[j]![i]! * weights[j]! * scales[j]!;
    weights[i] = value / R[i]![i]! / scales[i]!;
  }
  const intercept = centreY - weights.reduce((sum, w, j) => sum + w * centres[j]!, 0);
  const press = rest.reduce((sum, r, i) => {
    const h = 1 / n + basis.reduce((total, b) => total + b[i]! * b[i]!, 0);
    return sum + (r / Math.max(1e-12, 1 - h)) ** 2;
  }, 0);
  return { coefficients: [intercept, ...weights], sse: rest.reduce((sum, r) => sum + r * r, 0), press };
}

/**
 * The measures that every slice has.
 * @throws UserError below three slices, and for tokens or measures that are not positive.
 */
export function checkedMeasures(rows: readonly SliceLevel[]): string[] {
  const n = rows.length;
  if (n < 3)
    throw new UserError(`the data term needs at least 3 slices to draw a line through; there are ${n}`, {
      remedy: 'Train on more slices, for instance shares of the users.',
    });
  const measures = Object.keys(rows[0]!.quality).filter((name) =>
    rows.every((row) => row.quality[name] !== undefined),
  );
  for (const row of rows)
    for (const [name, value] of [['tokens', row.tokens], ...measures.map((m) => [m, row.quality[m]!])] as [
      string,
      number,
    ][])
      if (!(value > 0))
        throw new UserError(`${name} is ${value}; it must be above 0`, { place: `slice ${row.slice}` });
  return measures;
}

/**
 * Tokens alone and tokens over each measure, in both axes, side by side.
 * @throws UserError below three slices, and for tokens or measures that are not positive. Without log axes where a level is not.
 */
export function compareDataMeasures(rows: readonly SliceLevel[]): MeasureLine[] {
  const n = rows.length;
  const measures = checkedMeasures(rows);
  const lines: MeasureLine[] = [];
  for (const axes of ['reciprocal', 'log'] as Axes[]) {
    if (axes === 'log' && rows.some((row) => !(row.level > 0))) continue;
    const x = (value: number) => (axes === 'log' ? Math.log(value) : 1 / value);
    const y = rows.map((row) => (axes === 'log' ? Math.log(row.level) : row.level));
    const mean = y.reduce((a, b) => a + b, 0) / n;
    const sst = y.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const quantity = rows.map((row) => x(row.tokens));
    const alone = regress([quantity], y);
    const describe = (measure: string, line: Line): MeasureLine => ({
      measure,
      axes,
      slices: n,
      slope: line.coefficients[1]!,
      intercept: line.coefficients[0]!,
      r2: 1 - line.sse / sst,
      q2: n > 3 ? 1 - line.press / sst : null,
    });
    lines.push(describe('tokens', alone));
    for (const measure of measures) {
      const column = rows.map((row) => x(row.tokens / row.quality[measure]!));
      lines.push(describe(measure, regress([column], y)));
    }
  }
  return lines;
}
