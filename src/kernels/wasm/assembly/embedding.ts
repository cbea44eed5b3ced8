// Rows of a table by index, and the gradient of that: rows added up by index, in order, so that sums are reproducible.

/** out [n, width] = table [rows, width] at indices [n]. */
export function gatherRows(n: i32, width: i32, table: usize, indices: usize, out: usize): void {
  const bytes = (<usize>width) << 2;
  for (let i = 0; i < n; i++)
    memory.copy(out + <usize>i * bytes, table + <usize>load<i32>(indices + ((<usize>i) << 2)) * bytes, bytes);
}

/**
 * The rows from..until of out [.., width]: 0, then out[indices[i]] += values[i] for i in order, values [n, width]. A row depends on no
 * other.
 */
export function scatterAddRows(n: i32, width: i32, from: i32, until: i32, values: usize, indices: usize, out: usize): void {
  const bytes = (<usize>width) << 2;
  memory.fill(out + <usize>from * bytes, 0, <usize>(until - from) * bytes);
  for (let i = 0; i < n; i++, values += bytes) {
    const row = load<i32>(indices + ((<usize>i) << 2));
    if (row < from || row >= until) continue;
    const to = out + <usize>row * bytes;
    let j = 0;
    for (; j + 4 <= width; j += 4) {
      const at = (<usize>j) << 2;
      v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(values + at)));
    }
    for (; j < width; j++) {
      const at = (<usize>j) << 2;
      store<f32>(to + at, load<f32>(to + at) + load<f32>(values + at));
    }
  }
}
