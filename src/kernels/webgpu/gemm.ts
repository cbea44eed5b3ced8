/**
 * Matrix products on the GPU for every kernel that needs one: chooses tiles and parts for the shape, and records the
 * dispatches. A long inner dimension over a small result (the gradient of a weight: thousands of tokens) would leave most
 * of a GPU idle, so it is cut into parts, which are added in order afterwards: no atomics, the same bits in every run.
 */
import type * as tf from '@tensorflow/tfjs';
import { GEMM_THREADS, type GemmForm, gemmCode } from './gemm-code.js';
import type { Program, WebgpuKernels } from './program.js';

/** A stored matrix, row-major: the whole of a tensor, or rows of one. */
export interface Stored {
  tensor: tf.TensorInfo;
  /** Floats from row to row; what lies between a row's end and the next row is read and has no effect. */
  stride?: number;
  /** The first row. */
  row?: number;
  /** The rows, where they are not consecutive: entries of an int32 tensor from `start` on. */
  list?: { tensor: tf.TensorInfo; start: number };
}

/** C = op(A) op(B) + bias. */
export interface Product {
  m: number;
  n: number;
  k: number;
  /** [m, k], or [k, m] where transposed. */
  a: Stored;
  /** [k, n], or [n, k] where transposed. Only one of a and b may have a list. */
  b: Stored;
  /** [m, n]; a padding of its rows is overwritten. */
  c: Omit<Stored, 'list'>;
  transposeA?: boolean;
  transposeB?: boolean;
  /** [n], from `startBias` on. */
  bias?: tf.TensorInfo | undefined;
  startBias?: number;
  /** [m], from `startSums` on: receives the sums of op(A)'s rows, the gradient of a bias where op(A) is a transposed gradient. */
  sums?: tf.TensorInfo | undefined;
  startSums?: number;
  /** Adds to what C holds. */
  accumulate?: boolean;
}

/** Workgroups that fill a large GPU. */
const ENOUGH = 256;
/** Least length of a part. */
const PART = 128;

/** How a product of that shape is cut; a function of the shape alone, so that results do not depend on the GPU. */
export function cutProduct(
  m: number,
  n: number,
  k: number,
): { tile: number; parts: number; partLength: number } {
  const tiles = (tile: number) => Math.ceil(m / tile) * Math.ceil(n / tile);
  const tile = Math.min(m, n) > 64 && tiles(128) >= ENOUGH ? 128 : 64;
  const wanted = Math.min(Math.floor(ENOUGH / tiles(tile)), Math.floor(k / PART));
  if (wanted < 2) return { tile, parts: 1, partLength: k };
  const step = 1024 / tile;
  const partLength = Math.ceil(k / wanted / step) * step;
  return { tile, parts: Math.ceil(k / partLength), partLength };
}

const gemm: Program = {
  name: 'gemm',
  threads: GEMM_THREADS,
  code: (form, has) => gemmCode(form as GemmForm, has),
};

/** Adds the parts, in order; the results' threads come first, those of the row sums after them. */
const addParts: Program = {
  name: 'gemmParts',
  threads: 256,
  code: ({ accumulate }, has) => `
fn run(group: u32, lane: u32) {
  let i = group * THREADS + lane;
  if (i < u.size) {
    var sum = partial[i];
    for (var part = 1u; part < u.parts; part++) { sum += partial[part * u.size + i]; }
    ${has('bias') ? 'sum += bias[u.startBias + i % u.n];' : ''}
    let at = u.startC + i / u.n * u.strideC + i % u.n;
    C[at] = sum${accumulate ? ' + C[at]' : ''};
  }
  ${
    has('sums')
      ? `else if (i < u.size + u.m) {
    let row = i - u.size;
    var sum = partialSums[row];
    for (var part = 1u; part < u.parts; part++) { sum += partialSums[part * u.m + row]; }
    sums[u.startSums + row] = sum;
  }`
      : ''
  }
}`,
};

/** Records the product. `c` and `sums` may be nothing that it reads. */
export function multiply(gpu: WebgpuKernels, product: Product): void {
  const { m, n, k, a, b, c, bias, sums } = product;
  const {
    transposeA = false,
    transposeB = false,
    accumulate = false,
    startBias = 0,
    startSums = 0,
  } = product;
  const { tile, parts, partLength } = cutProduct(m, n, k);
  const inParts = parts > 1;
  const place = ({ stride, row = 0 }: Stored, width: number) => {
    const step = stride ?? width;
    return { step, start: row * step };
  };
  const [atA, atB, atC] = [place(a, transposeA ? m : k), place(b, transposeB ? k : n), place(c, n)];
  const toC = inParts ? place({ tensor: c.tensor }, n) : atC;
  const vectors =
    [atA, atB, toC].every(({ step }) => step % 4 === 0) && (!bias || (n % 4 === 0 && startBias % 4 === 0));
  const target = inParts ? gpu.scratch([parts, m, n]) : c.tensor;
  const targetSums = inParts && sums ? gpu.scratch([parts, m]) : sums;
  const list = a.list ?? b.list;
  const form: GemmForm = {
    tile,
    transposeA,
    transposeB,
    vectors,
    accumulate: accumulate && !inParts,
    listA: a.list !== undefined,
    listB: b.list !== undefined,
  };
  gpu.run(gemm, {
    read: { A: a.tensor, B: b.tensor, bias: inParts ? undefined : bias, list: list?.tensor },
    write: { C: target, sums: targetSums },
    vectors: vectors ? ['A', 'B', 'C', 'bias'] : [],
    constants: form,
    uniforms: {
      m,
      n,
      k,
      partLength,
      startA: atA.start,
      strideA: atA.step,
      startB: atB.start,
      strideB: atB.step,
      startC: toC.start,
      strideC: toC.step,
      startList: list?.start ?? 0,
      startBias,
      startSums: inParts ? 0 : startSums,
    },
    groups: Math.ceil(m / tile) * Math.ceil(n / tile) * parts,
    work: { flops: 2 * m * n * k, bytes: 4 * (m * k + k * n + parts * m * n) },
  });
  if (!inParts) return;
  gpu.run(addParts, {
    read: { partial: target, partialSums: targetSums, bias },
    write: { C: c.tensor, sums },
    constants: { accumulate },
    uniforms: { m, n, parts, size: m * n, startC: atC.start, strideC: atC.step, startBias, startSums },
    groups: Math.ceil((m * n + (sums ? m : 0)) / 256),
  });
}
