/** Matrix products by threads: the right factor is packed column by column, then every thread takes some rows of the left. */
import type { KernelExports } from '../exports.js';
import type { Member, Numbers } from './member.js';
import { shareOf } from './share.js';

/** C [m, n] = op(A) [m, k] . op(B) [k, n], as in assembly/gemm.ts; addresses and row strides in floats. */
export interface Gemm {
  m: number;
  n: number;
  k: number;
  a: number;
  lda: number;
  transposeA: boolean;
  /** Not needed where B is packed already. */
  b?: number;
  ldb?: number;
  transposeB?: boolean;
  /** What C is added to: 0 for nothing; `stride` 0: one row for all. */
  initial?: number;
  stride?: number;
  c: number;
  ldc: number;
  /** Room for B packed. */
  packed: number;
  /** Of every thread, gemmScratchBytes() each. */
  scratch: number;
}

export function gemmNumbers(gemm: Gemm): number[] {
  const { m, n, k, a, lda, transposeA, b = 0, ldb = 0, transposeB = false } = gemm;
  const { initial = 0, stride = 0, c, ldc, packed, scratch } = gemm;
  const flags = [Number(transposeA), Number(transposeB)] as const;
  return [m, n, k, a, lda, flags[0], b, ldb, flags[1], initial, stride, c, ldc, packed, scratch];
}

/** Columns of the widest panel: a share of the packing begins at a panel. */
const PANEL = 16;
/** Parts of the rows for each thread: one that was held up leaves some to the others. */
const PARTS = 2;

export function packProgram(kernels: KernelExports, numbers: Numbers, { index, size }: Member): number {
  const [n, k, b, ldb, transposeB, packed] = [
    numbers[1]!,
    numbers[2]!,
    numbers[6]!,
    numbers[7]!,
    numbers[8]!,
    numbers[13]!,
  ];
  const [from, until] = shareOf(n, index, size, PANEL);
  if (from < until) kernels.packPart(k, n, b, ldb, transposeB, packed, from, until);
  return 0;
}

export function productProgram(kernels: KernelExports, numbers: Numbers, member: Member): number {
  const [m, n, k, a, lda, transposeA] = [
    numbers[0]!,
    numbers[1]!,
    numbers[2]!,
    numbers[3]!,
    numbers[4]!,
    numbers[5]!,
  ];
  const [initial, stride, c, ldc, packed] = [
    numbers[9]!,
    numbers[10]!,
    numbers[11]!,
    numbers[12]!,
    numbers[13]!,
  ];
  const scratch = numbers[14]! + member.index * kernels.gemmScratchBytes();
  const parts = member.size === 1 ? 1 : PARTS * member.size;
  for (let part = member.claim(); part < parts; part = member.claim()) {
    const [from, until] = shareOf(m, part, parts, 4);
    if (from === until) continue;
    const left = a + 4 * from * (transposeA ? 1 : lda);
    const base = initial && initial + 4 * from * stride;
    kernels.product(
      until - from,
      n,
      k,
      left,
      lda,
      transposeA,
      packed,
      c + 4 * from * ldc,
      ldc,
      base,
      stride,
      scratch,
    );
  }
  return 0;
}

export function gemmProgram(kernels: KernelExports, numbers: Numbers, member: Member): number {
  packProgram(kernels, numbers, member);
  member.barrier();
  return productProgram(kernels, numbers, member);
}
