/** Layer normalisation over the last axis, float64, population variance (Ba et al. 2016). */

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
    for (let j = 0; j < width; j++)
      y[r * width + j] = ((x[r * width + j]! - mean) / Math.sqrt(variance + epsilon)) * gamma[j]! + beta[j]!;
  }
  return y;
}
