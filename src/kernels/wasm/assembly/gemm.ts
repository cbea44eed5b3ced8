// Matrix product: C (+)= op(A) op(B), row-major float32, packed once into panels (Goto and van de Geijn 2008), so that a
// transposed operand costs no more than a plain one.
import { tile16, tile8 } from './gemm-tiles';
import { storeTransposed } from './math';

/** Inner dimension of one packed block: a 4-row panel of A (4 KB) and a panel of B (8 or 16 KB) stay in L1. */
// @ts-ignore: decorator
@inline const KC: i32 = 256;
/** Rows of A packed at a time (64 KB, L2). */
// @ts-ignore: decorator
@inline const MC: i32 = 64;

// @ts-ignore: decorator
@inline function roundUp(n: i32, to: i32): i32 {
  return ((n + to - 1) / to) * to;
}

let wide: bool = false;

/** Chooses tiles and panels of 16 columns instead of 8. Panels packed before must not be used after. */
export function useWideTiles(on: bool): void {
  wide = on;
}

/** Columns of the next panel where so many are left. */
// @ts-ignore: decorator
@inline function panelWidth(left: i32): i32 {
  return wide && left > 8 ? 16 : 8;
}

/** Bytes that packB writes for a [k, n] operand. */
export function packedBytes(k: i32, n: i32): i32 {
  return k * roundUp(n, 8) * 4;
}

/** Bytes of scratch that gemmPacked needs: one block of A and one tile. */
export function gemmScratchBytes(): i32 {
  return MC * KC * 4 + 256;
}

/** One panel of `columns` columns (of which `width` exist) and kc rows, from rows of B. */
function packRows(kc: i32, columns: i32, width: i32, from: usize, row: usize, to: usize): void {
  const bytes = <usize>columns << 2;
  for (let p = 0; p < kc; p++, from += row, to += bytes) {
    if (width == columns) {
      for (let j: usize = 0; j < bytes; j += 32) {
        v128.store(to + j, v128.load(from + j));
        v128.store(to + j, v128.load(from + j, 16), 16);
      }
    } else {
      for (let j = 0; j < columns; j++) store<f32>(to + (<usize>j << 2), j < width ? load<f32>(from + (<usize>j << 2)) : 0);
    }
  }
}

/** The same from columns of a B that is stored transposed. */
function packColumns(kc: i32, columns: i32, width: i32, from: usize, row: usize, to: usize): void {
  const bytes = <usize>columns << 2;
  let p = 0;
  if (width == columns) {
    for (; p + 4 <= kc; p += 4, to += 4 * bytes) {
      let at = from + (<usize>p << 2);
      for (let j: usize = 0; j < bytes; j += 16, at += 4 * row)
        storeTransposed(to + j, bytes, v128.load(at), v128.load(at + row), v128.load(at + 2 * row), v128.load(at + 3 * row));
    }
  }
  for (; p < kc; p++, to += bytes)
    for (let j = 0; j < columns; j++)
      store<f32>(to + (<usize>j << 2), j < width ? load<f32>(from + <usize>j * row + (<usize>p << 2)) : 0);
}

/**
 * Packs B, [k, n] (or its transpose stored as [n, k]) with row stride ldb (floats), into blocks of KC rows, each a run of
 * panels [kc][8] or [kc][16]; missing columns are zero.
 */
export function packB(k: i32, n: i32, b: usize, ldb: i32, transposed: bool, to: usize): void {
  packPart(k, n, b, ldb, transposed, to, 0, n);
}

/** The columns from..until of packB, where `from` is a multiple of 16; threads share the work so. */
export function packPart(k: i32, n: i32, b: usize, ldb: i32, transposed: bool, to: usize, from: i32, until: i32): void {
  const row = <usize>ldb << 2;
  const paddedN = <usize>roundUp(n, 8);
  for (let k0 = 0; k0 < k; k0 += KC) {
    const kc = min(KC, k - k0);
    let at = to + ((<usize>k0 * paddedN + <usize>from * <usize>kc) << 2);
    for (let n0 = from; n0 < until; ) {
      const columns = panelWidth(n - n0);
      const width = min(columns, n - n0);
      if (transposed) packColumns(kc, columns, width, b + <usize>n0 * row + (<usize>k0 << 2), row, at);
      else packRows(kc, columns, width, b + <usize>k0 * row + (<usize>n0 << 2), row, at);
      at += <usize>(kc * columns) << 2;
      n0 += columns;
    }
  }
}

/** Packs rows [0, m) and columns [0, kc) of op(A) into 4-row panels [kc][4]; missing rows are zero. */
function packA(m: i32, kc: i32, a: usize, lda: i32, transposed: bool, to: usize): void {
  const row = <usize>lda << 2;
  for (let m0 = 0; m0 < m; m0 += 4) {
    const height = min(4, m - m0);
    if (transposed) {
      let from = a + (<usize>m0 << 2);
      for (let p = 0; p < kc; p++) {
        if (height == 4) v128.store(to, v128.load(from));
        else for (let i = 0; i < 4; i++) store<f32>(to + (<usize>i << 2), i < height ? load<f32>(from + (<usize>i << 2)) : 0);
        from += row;
        to += 16;
      }
    } else {
      const from = a + <usize>m0 * row;
      let p = 0;
      if (height == 4) {
        for (; p + 4 <= kc; p += 4) {
          const at = from + (<usize>p << 2);
          storeTransposed(to, 16, v128.load(at), v128.load(at + row), v128.load(at + 2 * row), v128.load(at + 3 * row));
          to += 64;
        }
      }
      for (; p < kc; p++) {
        for (let i = 0; i < 4; i++)
          store<f32>(to + (<usize>i << 2), i < height ? load<f32>(from + <usize>i * row + (<usize>p << 2)) : 0);
        to += 16;
      }
    }
  }
}

/** The part of a tile that lies inside the matrix, through a whole tile in scratch. */
function edgeTile(
  kc: i32, a: usize, b: usize, c: usize, ldc: usize, initial: usize, stride: usize, rows: i32, width: i32, columns: i32, spare: usize,
): void {
  const row = <usize>columns << 2;
  if (columns == 16) tile16(kc, a, b, spare, row, 0, 0);
  else tile8(kc, a, b, spare, row, 0, 0);
  for (let i: usize = 0; i < <usize>rows; i++, c += ldc, spare += row) {
    for (let j: usize = 0; j < <usize>width << 2; j += 4) {
      const value = load<f32>(spare + j);
      store<f32>(c + j, initial ? load<f32>(initial + i * stride + j) + value : value);
    }
  }
}

/**
 * C [m, n] = op(A) [m, k] . B, B packed by packB, on top of what `initial` holds: 0 (nothing), C itself or, with a stride
 * of 0, one row for all.
 * lda, ldc, stride: row strides in floats. scratch: gemmScratchBytes(). A number of C does not depend on what else is computed:
 * rows may be shared among threads.
 */
export function product(
  m: i32, n: i32, k: i32, a: usize, lda: i32, transposeA: bool, packed: usize, c: usize, ldc: i32, initial: usize, stride: i32, scratch: usize,
): void {
  const spare = scratch + <usize>(MC * KC * 4);
  const rowC = <usize>ldc << 2;
  const paddedN = <usize>roundUp(n, 8);
  for (let k0 = 0; k0 < k; k0 += KC) {
    const kc = min(KC, k - k0);
    const base = k0 > 0 ? c : initial;
    const baseRow = k0 > 0 ? rowC : <usize>stride << 2;
    for (let m0 = 0; m0 < m; m0 += MC) {
      const mc = min(MC, m - m0);
      const from = transposeA ? a + ((<usize>k0 * <usize>lda + <usize>m0) << 2) : a + ((<usize>m0 * <usize>lda + <usize>k0) << 2);
      packA(mc, kc, from, lda, transposeA, scratch);
      let panel = packed + ((<usize>k0 * paddedN) << 2);
      for (let n0 = 0; n0 < n; ) {
        const columns = panelWidth(n - n0);
        const width = min(columns, n - n0);
        for (let i = 0; i < mc; i += 4) {
          const rows = min(4, mc - i);
          const at = c + <usize>(m0 + i) * rowC + (<usize>n0 << 2);
          const start = base ? base + <usize>(m0 + i) * baseRow + (<usize>n0 << 2) : 0;
          const panelA = scratch + ((<usize>i * <usize>kc) << 2);
          if (rows < 4 || width < columns) edgeTile(kc, panelA, panel, at, rowC, start, baseRow, rows, width, columns, spare);
          else if (columns == 16) tile16(kc, panelA, panel, at, rowC, start, baseRow);
          else tile8(kc, panelA, panel, at, rowC, start, baseRow);
        }
        panel += <usize>(kc * columns) << 2;
        n0 += columns;
      }
    }
  }
}

/** C [m, n] (+)= op(A) [m, k] . B, B packed by packB. lda, ldc: row strides in floats. scratch: gemmScratchBytes(). */
export function gemmPacked(
  m: i32, n: i32, k: i32, a: usize, lda: i32, transposeA: bool, packed: usize, c: usize, ldc: i32, accumulate: bool, scratch: usize,
): void {
  product(m, n, k, a, lda, transposeA, packed, c, ldc, accumulate ? c : 0, ldc, scratch);
}

/** out [n] = sum of the rows of x [m, n], `stride` floats apart: the gradient of a bias. */
export function sumRows(m: i32, n: i32, stride: i32, x: usize, out: usize): void {
  memory.fill(out, 0, <usize>n << 2);
  for (let i = 0; i < m; i++) {
    const row = x + ((<usize>i * <usize>stride) << 2);
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      const at = <usize>j << 2;
      v128.store(out + at, f32x4.add(v128.load(out + at), v128.load(row + at)));
    }
    for (; j < n; j++) {
      const at = <usize>j << 2;
      store<f32>(out + at, load<f32>(out + at) + load<f32>(row + at));
    }
  }
}
