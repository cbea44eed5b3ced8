// Matrix product: C (+)= op(A) op(B), row-major float32, packed once into panels (Goto and van de Geijn 2008), so that a
// transposed operand costs no more than a plain one. The 4 x 8 tile is the fastest of eight shapes measured (test/bench).
import { madd, storeTransposed } from './math';

/** Inner dimension of one packed block: a 4-row panel of A (4 KB) and an 8-column panel of B (8 KB) stay in L1. */
// @ts-ignore: decorator
@inline const KC: i32 = 256;
/** Rows of A packed at a time (64 KB, L2). */
// @ts-ignore: decorator
@inline const MC: i32 = 64;

// @ts-ignore: decorator
@inline function roundUp(n: i32, to: i32): i32 {
  return ((n + to - 1) / to) * to;
}

/** Bytes that packB writes for a [k, n] operand. */
export function packedBytes(k: i32, n: i32): i32 {
  return k * roundUp(n, 8) * 4;
}

/** Bytes of scratch that gemmPacked needs: one block of A and one tile. */
export function gemmScratchBytes(): i32 {
  return MC * KC * 4 + 128;
}

/**
 * Packs B, [k, n] (or its transpose stored as [n, k]) with row stride ldb (floats), into blocks of KC rows, each a run of
 * 8-column panels [kc][8]; missing columns are zero.
 */
export function packB(k: i32, n: i32, b: usize, ldb: i32, transposed: bool, to: usize): void {
  const row = <usize>ldb << 2;
  for (let k0 = 0; k0 < k; k0 += KC) {
    const kc = min(KC, k - k0);
    for (let n0 = 0; n0 < n; n0 += 8) {
      const width = min(8, n - n0);
      if (!transposed) {
        let from = b + <usize>k0 * row + (<usize>n0 << 2);
        for (let p = 0; p < kc; p++) {
          if (width == 8) {
            v128.store(to, v128.load(from));
            v128.store(to, v128.load(from, 16), 16);
          } else {
            for (let j = 0; j < 8; j++) store<f32>(to + (<usize>j << 2), j < width ? load<f32>(from + (<usize>j << 2)) : 0);
          }
          from += row;
          to += 32;
        }
      } else {
        const from = b + <usize>n0 * row + (<usize>k0 << 2);
        let p = 0;
        if (width == 8) {
          for (; p + 4 <= kc; p += 4) {
            const at = from + (<usize>p << 2);
            storeTransposed(to, 32, v128.load(at), v128.load(at + row), v128.load(at + 2 * row), v128.load(at + 3 * row));
            storeTransposed(
              to + 16, 32,
              v128.load(at + 4 * row), v128.load(at + 5 * row), v128.load(at + 6 * row), v128.load(at + 7 * row),
            );
            to += 128;
          }
        }
        for (; p < kc; p++) {
          for (let j = 0; j < 8; j++)
            store<f32>(to + (<usize>j << 2), j < width ? load<f32>(from + <usize>j * row + (<usize>p << 2)) : 0);
          to += 32;
        }
      }
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

/** One 4 x 8 tile: C (+)= A panel . B panel. ldc in bytes. */
function tile(kc: i32, a: usize, b: usize, c: usize, ldc: usize, accumulate: bool): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  for (let p = 0; p < kc; p++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load_splat<f32>(a);
    c00 = madd(a0, b0, c00);
    c01 = madd(a0, b1, c01);
    const a1 = v128.load_splat<f32>(a, 4);
    c10 = madd(a1, b0, c10);
    c11 = madd(a1, b1, c11);
    const a2 = v128.load_splat<f32>(a, 8);
    c20 = madd(a2, b0, c20);
    c21 = madd(a2, b1, c21);
    const a3 = v128.load_splat<f32>(a, 12);
    c30 = madd(a3, b0, c30);
    c31 = madd(a3, b1, c31);
    a += 16;
    b += 32;
  }
  if (accumulate) {
    c00 = f32x4.add(c00, v128.load(c));
    c01 = f32x4.add(c01, v128.load(c, 16));
    c10 = f32x4.add(c10, v128.load(c + ldc));
    c11 = f32x4.add(c11, v128.load(c + ldc, 16));
    c20 = f32x4.add(c20, v128.load(c + 2 * ldc));
    c21 = f32x4.add(c21, v128.load(c + 2 * ldc, 16));
    c30 = f32x4.add(c30, v128.load(c + 3 * ldc));
    c31 = f32x4.add(c31, v128.load(c + 3 * ldc, 16));
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c + ldc, c10);
  v128.store(c + ldc, c11, 16);
  v128.store(c + 2 * ldc, c20);
  v128.store(c + 2 * ldc, c21, 16);
  v128.store(c + 3 * ldc, c30);
  v128.store(c + 3 * ldc, c31, 16);
}

/** The part of a tile that lies inside the matrix, through a whole tile in scratch. */
function edgeTile(kc: i32, a: usize, b: usize, c: usize, ldc: usize, accumulate: bool, rows: i32, columns: i32, spare: usize): void {
  tile(kc, a, b, spare, 32, false);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = c + <usize>i * ldc + (<usize>j << 2);
      const value = load<f32>(spare + (<usize>i << 5) + (<usize>j << 2));
      store<f32>(at, accumulate ? load<f32>(at) + value : value);
    }
  }
}

/**
 * C [m, n] (+)= op(A) [m, k] . B, B packed by packB.
 * lda, ldc: row strides in floats. scratch: gemmScratchBytes().
 */
export function gemmPacked(
  m: i32, n: i32, k: i32, a: usize, lda: i32, transposeA: bool, packed: usize, c: usize, ldc: i32, accumulate: bool, scratch: usize,
): void {
  const spare = scratch + <usize>(MC * KC * 4);
  const rowC = <usize>ldc << 2;
  const paddedN = <usize>roundUp(n, 8);
  for (let k0 = 0; k0 < k; k0 += KC) {
    const kc = min(KC, k - k0);
    const block = packed + ((<usize>k0 * paddedN) << 2);
    const keep = accumulate || k0 > 0;
    for (let m0 = 0; m0 < m; m0 += MC) {
      const mc = min(MC, m - m0);
      const from = transposeA ? a + ((<usize>k0 * <usize>lda + <usize>m0) << 2) : a + ((<usize>m0 * <usize>lda + <usize>k0) << 2);
      packA(mc, kc, from, lda, transposeA, scratch);
      for (let n0 = 0; n0 < n; n0 += 8) {
        const panel = block + ((<usize>n0 * <usize>kc) << 2);
        const columns = min(8, n - n0);
        for (let i = 0; i < mc; i += 4) {
          const rows = min(4, mc - i);
          const at = c + <usize>(m0 + i) * rowC + (<usize>n0 << 2);
          const panelA = scratch + ((<usize>i * <usize>kc) << 2);
          if (rows == 4 && columns == 8) tile(kc, panelA, panel, at, rowC, keep);
          else edgeTile(kc, panelA, panel, at, rowC, keep, rows, columns, spare);
        }
      }
    }
  }
}

/** C [m, n] (+)= op(A) op(B) with optional bias [n] added to every row. scratch: packedBytes(k, n) + gemmScratchBytes(). */
export function gemm(
  m: i32, n: i32, k: i32, a: usize, transposeA: bool, b: usize, transposeB: bool, bias: usize, c: usize, scratch: usize,
): void {
  packB(k, n, b, transposeB ? k : n, transposeB, scratch);
  if (bias) for (let i = 0; i < m; i++) memory.copy(c + ((<usize>i * <usize>n) << 2), bias, <usize>n << 2);
  gemmPacked(m, n, k, a, transposeA ? m : k, transposeA, scratch, c, n, bias != 0, scratch + <usize>packedBytes(k, n));
}

/** out [n] = sum of the rows of x [m, n]: the gradient of a bias. */
export function sumRows(m: i32, n: i32, x: usize, out: usize): void {
  memory.fill(out, 0, <usize>n << 2);
  for (let i = 0; i < m; i++) {
    const row = x + ((<usize>i * <usize>n) << 2);
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
