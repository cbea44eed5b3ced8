/** Matrix product by its definition, float64. */

/** op(a) [m, k] . op(b) [k, n], row-major; a transposed operand is stored as [k, m] or [n, k]. */
export function matMulReference(
  { m, n, k }: { m: number; n: number; k: number },
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  transposeA: boolean,
  transposeB: boolean,
): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let p = 0; p < k; p++)
        c[i * n + j]! += a[transposeA ? p * m + i : i * k + p]! * b[transposeB ? j * k + p : p * n + j]!;
  return c;
}
