/** Matrix products on wasm (assembly/gemm.ts): packed once, so that a transposed operand costs no more than a plain one. */
import type * as tf from '@tensorflow/tfjs';
import { type WasmKernels, wasmKernel } from '../wasm/module.js';
import { type Gemm, gemmNumbers } from '../wasm/threads/gemm-program.js';
import { Program } from '../wasm/threads/programs.js';
import { listed, productGradients } from './gradients.js';

/** Operations of a product that are worth a thread's while: some 20 microseconds. */
const WORTH = 5e5;

type Product = Omit<Gemm, 'packed' | 'scratch'> & Required<Pick<Gemm, 'b' | 'ldb' | 'transposeB'>>;

/** How many threads a product is worth. */
function worth({ m, n, k }: Pick<Gemm, 'm' | 'n' | 'k'>): number {
  return Math.max(1, Math.floor((2 * m * n * k) / WORTH));
}

/** Room for B packed and what every thread needs. */
function room({ exports, threads }: WasmKernels, k: number, n: number): number {
  return exports.packedBytes(k, n) + threads() * exports.gemmScratchBytes();
}

/** @param at address of room(k, n) bytes. */
function gemm(wasm: WasmKernels, product: Product, at: number): void {
  const scratch = at + wasm.exports.packedBytes(product.k, product.n);
  wasm.run(Program.gemm, gemmNumbers({ ...product, packed: at, scratch }), worth(product));
}

/** op(a) . op(b) + bias as a new [m, n] tensor. */
function multiply(
  wasm: WasmKernels,
  a: tf.TensorInfo,
  transposeA: boolean,
  b: tf.TensorInfo,
  transposeB: boolean,
  bias?: tf.TensorInfo,
): tf.TensorInfo {
  const { at, output, scratch } = wasm;
  const [m, k] = transposeA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
  const n = b.shape[transposeB ? 0 : 1]!;
  const c = output([m, n]);
  const left = { a: at(a), lda: transposeA ? m : k, transposeA };
  const right = { b: at(b), ldb: transposeB ? k : n, transposeB };
  gemm(wasm, { m, n, k, ...left, ...right, initial: at(bias), c: at(c), ldc: n }, scratch(room(wasm, k, n)));
  return c;
}

/** Sums of the columns of dy [m, n] to an address. */
function sumRows({ at, spread }: WasmKernels, dy: tf.TensorInfo, to: number): void {
  const [m, n] = dy.shape as [number, number];
  const from = at(dy);
  const parts = { least: Math.max(16, Math.ceil(65_536 / m)), step: 16 };
  spread('sumRows', n, parts, (first, count) => [m, count, n, from + 4 * first, to + 4 * first]);
}

export const kernels: tf.KernelConfig[] = [
  wasmKernel('MatMul2D', (wasm, { a, b }, attrs) =>
    multiply(wasm, a!, attrs['transposeA'] as boolean, b!, attrs['transposeB'] as boolean),
  ),
  wasmKernel('MatMul2DGrad', (wasm, inputs, attrs) =>
    productGradients(
      (a, transposeA, b, transposeB) => multiply(wasm, a, transposeA, b, transposeB),
      inputs,
      attrs,
    ),
  ),
  wasmKernel('Linear', (wasm, { x, weight, bias }) => multiply(wasm, x!, false, weight!, true, bias)),
  wasmKernel('LinearGrad', (wasm, { x, weight, bias, dy }) => {
    const gradients = [multiply(wasm, dy!, false, weight!, false), multiply(wasm, dy!, true, x!, false)];
    if (bias) {
      const sum = wasm.output(bias.shape);
      sumRows(wasm, dy!, wasm.at(sum));
      gradients.push(sum);
    }
    return gradients;
  }),
  wasmKernel('SplitLinear', (wasm, inputs, attrs) => {
    const { at, output, scratch } = wasm;
    const [x, weight, bias] = listed(inputs);
    const [m, k] = x!.shape as [number, number];
    let first = 0;
    return (attrs['parts'] as number[]).map((n) => {
      const y = output([m, n]);
      const right = { b: at(weight) + 4 * first * k, ldb: k, transposeB: true };
      const initial = bias ? at(bias) + 4 * first : 0;
      const left = { a: at(x), lda: k, transposeA: false };
      gemm(wasm, { m, n, k, ...left, ...right, initial, c: at(y), ldc: n }, scratch(room(wasm, k, n)));
      first += n;
      return y;
    });
  }),
  wasmKernel('SplitLinearGrad', (wasm, { x, weight, bias, ...rest }) => {
    const { exports, at, output, scratch, run } = wasm;
    const parts = listed(rest);
    const [m, k] = x!.shape as [number, number];
    const dx = output([m, k]);
    const dweight = output(weight!.shape);
    const dbias = bias && output(bias.shape);
    // x as the right factor of every part's share of the weight's gradient; behind it, room for the other products.
    const widest = Math.max(...parts.map((dy) => dy.shape[1]!));
    const packed = scratch(exports.packedBytes(m, k) + room(wasm, widest, k));
    const other = packed + exports.packedBytes(m, k);
    const right = { k: m, n: k, b: at(x), ldb: k, transposeB: false };
    const nothing = { m: 0, a: 0, lda: 0, transposeA: false, c: 0, ldc: 0 };
    run(Program.pack, gemmNumbers({ ...right, ...nothing, packed, scratch: 0 }), worth({ m: 4, n: k, k: m }));
    let first = 0;
    for (const dy of parts) {
      const n = dy.shape[1]!;
      const own = { b: at(weight) + 4 * first * k, ldb: k, transposeB: false };
      const onto = first ? at(dx) : 0;
      const left = { a: at(dy), lda: n };
      const c = { c: at(dx), ldc: k, initial: onto, stride: k };
      gemm(wasm, { m, n: k, k: n, ...left, transposeA: false, ...own, ...c }, other);
      const into = { c: at(dweight) + 4 * first * k, ldc: k };
      const share = { m: n, n: k, k: m, ...left, transposeA: true, ...into };
      run(Program.product, gemmNumbers({ ...share, packed, scratch: other }), worth(share));
      if (dbias) sumRows(wasm, dy, at(dbias) + 4 * first);
      first += n;
    }
    return dbias ? [dx, dweight, dbias] : [dx, dweight];
  }),
];
