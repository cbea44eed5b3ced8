/** Root-mean-square normalisation over the last axis, float64 (Zhang and Sennrich 2019): x / sqrt(mean x^2 + eps) * gamma. */

import { inverseRoot } from '../layer-norm/reference.js';

/** x: [rows, width]; gamma: [width]. */
export function rmsNormReference(
  rows: number,
  width: number,
  x: ArrayLike<number>,
  gamma: ArrayLike<number>,
  epsilon: number,
): Float64Array {
  const y = new Float64Array(rows * width);
  for (let r = 0; r < rows; r++) {
    let square = 0;
    for (let j = 0; j < width; j++) square += x[r * width + j]! ** 2 / width;
    const scale = inverseRoot(square + epsilon);
    for (let j = 0; j < width; j++) y[r * width + j] = x[r * width + j]! * scale * gamma[j]!;
  }
  return y;
}
