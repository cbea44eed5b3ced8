/**
 * Does the quality of the data add to their quantity? A measure is tested beside the best curve of tokens alone, level =
 * c + b T^e with e free (1/T at -1, ln T at 0; Box & Cox 1964), and never beside a straight line: a line in the wrong axes is
 * mended by any measure that grows or shrinks with tokens, whatever it measures.
 */
import { checkedMeasures, type SliceLevel } from './data-term.js';
import { fCumulative } from './trust/quantiles.js';

/** One measure beside the curve of tokens. */
export interface MeasureTest {
  measure: string;
  /** F test of (tokens / measure)^e beside tokens^e, with (1, slices - 4) degrees of freedom; e is fitted with and without. */
  f: number;
  p: number;
  /** Share of the levels' variance that tokens and this measure explain together, each with a weight of its own. */
  r2: number;
  /** Of several measures: Holm's adjusted p, so that the best of many does not win by chance. */
  adjusted: number;
  /** `adjusted` is below 0.05. */
  adds: boolean;
  /** Which way the level goes as the measure grows, tokens being equal: D = tokens / measure means that it falls (a metric that is better when higher). */
  level: 'rises' | 'falls';
}

/** Whether quality adds to quantity, measure by measure. */
export interface QualityTest {
  slices: number;
  /** Exponent of tokens in the curve of tokens alone, -1 for 1/T, 0 for ln T. */
  exponent: number;
  /** Share of the levels' variance that this curve explains. */
  r2: number;
  /** Least p first. */
  measures: MeasureTest[];
}

/** The curve has three numbers and the measure one: with fewer slices nothing is left to test with. */
export const SLICES_TO_TEST = 5;
/** Exponents of tokens that are searched: from 1/T^2 to T. */
const EXPONENTS: [number, number] = [-2, 1];
const LEVEL = 0.05;

/** (x^e - 1) / e of x = exp(log), ln x at 0. */
const boxCox = (log: number, e: number) => (Math.abs(e) < 1e-9 ? log : Math.expm1(e * log) / e);

/** Sum of squares of y about its least squares fit on a constant and the columns, and the sign of the last one's coefficient. */
function fitOf(columns: readonly number[][], y: readonly number[]): { sse: number; sign: number } {
  const rest = [...y];
  let sign = 0;
  const basis: number[][] = [];
  for (const column of [y.map(() => 1), ...columns]) {
    const q = [...column];
    const before = Math.hypot(...q);
    // twice: once leaves rounding behind where columns nearly agree
    for (let pass = 0; pass < 2; pass++)
      for (const b of basis) {
        const share = b.reduce((sum, value, i) => sum + value * q[i]!, 0);
        for (let i = 0; i < q.length; i++) q[i]! -= share * b[i]!;
      }
    const size = Math.hypot(...q);
    sign = 0;
    if (!(size > 1e-9 * before)) continue;
    const unit = q.map((value) => value / size);
    basis.push(unit);
    const share = unit.reduce((sum, value, i) => sum + value * rest[i]!, 0);
    sign = Math.sign(share);
    for (let i = 0; i < rest.length; i++) rest[i]! -= share * unit[i]!;
  }
  return { sse: rest.reduce((sum, value) => sum + value * value, 0), sign };
}

const restOf = (columns: readonly number[][], y: readonly number[]) => fitOf(columns, y).sse;

/** Least value of a smooth function over the exponents: a grid, then golden sections about its lowest point. */
function least(of: (exponent: number) => number): { at: number; value: number } {
  const [from, to] = EXPONENTS;
  const step = (to - from) / 60;
  let at = from;
  let value = of(from);
  for (let i = 1; i <= 60; i++) {
    const here = of(from + i * step);
    if (here < value) [at, value] = [from + i * step, here];
  }
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [Math.max(from, at - step), Math.min(to, at + step)];
  for (let i = 0; i < 40; i++) {
    const [a, b] = [high - golden * (high - low), low + golden * (high - low)];
    if (of(a) < of(b)) high = b;
    else low = a;
  }
  const middle = (low + high) / 2;
  return of(middle) < value ? { at: middle, value: of(middle) } : { at, value };
}

const centred = (values: readonly number[]) => {
  const logs = values.map(Math.log);
  const mean = logs.reduce((a, b) => a + b, 0) / logs.length;
  return logs.map((log) => log - mean);
};

/**
 * Tests every measure that all slices have. Levels that depend on tokens alone, by any power or the logarithm, are said to
 * need a measure in at most 7 % of draws at a nominal 5 %, whatever the measure (test/law/quality-test.test.ts).
 * @returns undefined below five slices: the curve of tokens has three numbers and the measure a fourth.
 * @throws UserError for tokens and measures that are not positive.
 */
export function testQuality(rows: readonly SliceLevel[]): QualityTest | undefined {
  if (rows.length < SLICES_TO_TEST) return undefined;
  const names = checkedMeasures(rows);
  const y = rows.map(({ level }) => level);
  const freedom = rows.length - 4;
  const tokens = centred(rows.map((row) => row.tokens));
  const quantity = (e: number) => tokens.map((log) => boxCox(log, e));
  const spread = restOf([], y);
  const alone = least((e) => restOf([quantity(e)], y));
  const tested = names
    .map((measure) => {
      const effective = centred(rows.map((row) => row.tokens / row.quality[measure]!));
      const columns = (e: number) => [quantity(e), effective.map((log) => boxCox(log, e))];
      const both = least((e) => restOf(columns(e), y));
      // in the last column tokens are divided by the measure
      const level = fitOf(columns(both.at), y).sign < 0 ? ('rises' as const) : ('falls' as const);
      // levels that tokens give to the last digit leave nothing to add to
      const exact = alone.value <= 1e-20 * spread;
      const f = exact ? 0 : Math.min(1e12, (Math.max(0, alone.value - both.value) * freedom) / both.value);
      const r2 = exact ? 1 : 1 - both.value / spread;
      return { measure, f, p: 1 - fCumulative(f, 1, freedom), r2, level };
    })
    .sort((a, b) => a.p - b.p);
  let adjusted = 0;
  const measures = tested.map((one, i): MeasureTest => {
    adjusted = Math.max(adjusted, Math.min(1, one.p * (tested.length - i)));
    return { ...one, adjusted, adds: adjusted < LEVEL };
  });
  return { slices: rows.length, exponent: alone.at, r2: 1 - alone.value / spread, measures };
}
