/** Factors of symmetric positive definite matrices, and the triangular systems that they leave. */

/** Lower triangle L of K = L L'; undefined where K is not positive definite. Only the lower triangle of K is read. */
export function cholesky(k: readonly ArrayLike<number>[]): Float64Array[] | undefined {
  const factor: Float64Array[] = [];
  for (let i = 0; i < k.length; i++) {
    const row = new Float64Array(i + 1);
    for (let j = 0; j <= i; j++) {
      let sum = k[i]![j]!;
      const other = j === i ? row : factor[j]!;
      for (let m = 0; m < j; m++) sum -= row[m]! * other[m]!;
      if (i === j) {
        if (!(sum > 0)) return undefined;
        row[i] = Math.sqrt(sum);
      } else row[j] = sum / other[j]!;
    }
    factor.push(row);
  }
  return factor;
}

/** x of L x = b. */
export function forward(factor: readonly ArrayLike<number>[], b: ArrayLike<number>): Float64Array {
  const x = new Float64Array(b.length);
  for (let i = 0; i < b.length; i++) {
    let sum = b[i]!;
    const row = factor[i]!;
    for (let j = 0; j < i; j++) sum -= row[j]! * x[j]!;
    x[i] = sum / row[i]!;
  }
  return x;
}

/** x of L' x = b. */
export function backward(factor: readonly ArrayLike<number>[], b: ArrayLike<number>): Float64Array {
  const x = Float64Array.from(b);
  for (let i = b.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < b.length; j++) x[i]! -= factor[j]![i]! * x[j]!;
    x[i]! /= factor[i]![i]!;
  }
  return x;
}
