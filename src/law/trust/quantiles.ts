/** Quantiles of a sample and of the distributions that the intervals need; what simple-statistics does not have. */
import { quantileSorted } from 'simple-statistics';

/** Quantile of an unsorted sample. */
export function quantile(values: ArrayLike<number>, p: number): number {
  return quantileSorted(
    [...Array.from(values)].sort((a, b) => a - b),
    p,
  );
}

/** Regularised incomplete beta I_x(a, b) by its continued fraction (modified Lentz). */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front =
    Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / Math.max(1 - ((a + b) * x) / (a + 1), tiny);
  let h = d;
  for (let m = 1; m <= 300; m++) {
    for (const odd of [false, true]) {
      const k = odd
        ? (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
        : (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
      d = 1 / nonZero(1 + k * d, tiny);
      c = nonZero(1 + k / c, tiny);
      h *= d * c;
      if (odd && Math.abs(d * c - 1) < 1e-15) return front * h;
    }
  }
  return front * h;
}

const nonZero = (value: number, tiny: number) => (Math.abs(value) < tiny ? tiny : value);

/** ln Gamma, Lanczos (g = 7, nine terms). */
function logGamma(z: number): number {
  const c = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  if (z < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * z)) - logGamma(1 - z);
  const x = z - 1;
  const t = x + 7.5;
  const sum = c.slice(1).reduce((total, value, i) => total + value / (x + i + 1), c[0]!);
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** P(F <= f) of Fisher's F with (d1, d2) degrees of freedom. */
export function fCumulative(f: number, d1: number, d2: number): number {
  return f <= 0 ? 0 : incompleteBeta((d1 * f) / (d1 * f + d2), d1 / 2, d2 / 2);
}

/** Quantile of F(1, d2), by bisection. */
export function fQuantile1(p: number, d2: number): number {
  let low = 0;
  let high = 1;
  while (fCumulative(high, 1, d2) < p) high *= 2;
  for (let i = 0; i < 200 && high - low > 1e-12 * high; i++) {
    const middle = (low + high) / 2;
    if (fCumulative(middle, 1, d2) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
