/** Layer normalisation over the last axis, float64, population variance (Ba et al. 2016). */

/**
 * A row whose variance plus epsilon is no more than this is constant: it has no direction, so its normalised values are 0, and
 * so is its gradient. Where epsilon is 1e-12, as published, such a row's gradient would grow a millionfold a norm. With an
 * epsilon above this nothing counts as constant. All norms of all backends agree on it (assembly/rows.ts has it too).
 */
export const CONSTANT_ROW = 2e-12;

/** x: [rows, width]; gamma, beta: [width]. */
export function layerNormReference(
  rows: number,
  width: number,
  x: ArrayLike<number>,
  gamma: ArrayLike<number>,
  beta: ArrayLike<number>,
  epsilon: number,
): Float64Array {
  const y = new Float64Array(rows * width);
  for (let r = 0; r < rows; r++) {
    let mean = 0;
    for (let j = 0; j < width; j++) mean += x[r * width + j]! / width;
    let variance = 0;
    for (let j = 0; j < width; j++) variance += (x[r * width + j]! - mean) ** 2 / width;
    const scale = inverseRoot(variance + epsilon);
    for (let j = 0; j < width; j++)
      y[r * width + j] = (x[r * width + j]! - mean) * scale * gamma[j]! + beta[j]!;
  }
  return y;
}

/** 1 / sqrt(spread), and 0 for a constant row. */
export function inverseRoot(spread: number): number {
  return spread <= CONSTANT_ROW ? 0 : 1 / Math.sqrt(spread);
}
