/** GELU and Hardswish by their definitions, float64. GELU: x (1 + erf(x / sqrt 2)) / 2 (Hendrycks and Gimpel 2016). */

export function geluReference(x: number): number {
  return (x * (1 + erf(x / Math.SQRT2))) / 2;
}

/** The error function to about 1e-15: its Taylor series near zero, a continued fraction of erfc in the tails. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < 2.5) {
    let term = x;
    let sum = x;
    for (let k = 1; k < 80; k++) {
      term *= (-x * x) / k;
      sum += term / (2 * k + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = size;
  for (let k = 60; k >= 1; k--) fraction = size + k / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-size * size) / fraction / Math.sqrt(Math.PI));
}

/** Hardswish by its definition (Howard et al. 2019): x relu6(x + 3) / 6. */
export function hardswishReference(x: number): number {
  return (x * Math.min(6, Math.max(0, x + 3))) / 6;
}
