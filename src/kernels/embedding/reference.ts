/** Rows of a table by index, float64. */

/** table [rows, width] at indices [n] -> [n, width]. */
export function gatherReference(
  width: number,
  table: ArrayLike<number>,
  indices: ArrayLike<number>,
): Float64Array {
  const out = new Float64Array(indices.length * width);
  for (let i = 0; i < indices.length; i++)
    for (let j = 0; j < width; j++) out[i * width + j] = table[indices[i]! * width + j]!;
  return out;
}
