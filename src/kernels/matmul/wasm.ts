/** Matrix products on wasm (assembly/gemm.ts): packed once, so that a transposed operand costs no more than a plain one. */
import type * as tf from '@tensorflow/tfjs';
import { type WasmKernels, wasmKernel } from '../wasm/module.js';
import { listed, productGradients } from './gradients.js';

/** op(a) . op(b) + bias as a new [m, n] tensor. */
function multiply(
  { exports, at, output, scratch }: WasmKernels,
  a: tf.TensorInfo,
  transposeA: boolean,
  b: tf.TensorInfo,
  transposeB: boolean,
  bias?: tf.TensorInfo,
): tf.TensorInfo {
  const [m, k] = transposeA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
  const n = b.shape[transposeB ? 0 : 1]!;
  const c = output([m, n]);
  exports.gemm(
    m,
    n,
    k,
    at(a),
    Number(transposeA),
    at(b),
    Number(transposeB),
    at(bias),
    0,
    at(c),
    scratch(exports.packedBytes(k, n) + exports.gemmScratchBytes()),
  );
  return c;
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
      wasm.exports.sumRows(dy!.shape[0]!, dy!.shape[1]!, wasm.at(dy), wasm.at(sum));
      gradients.push(sum);
    }
    return gradients;
  }),
  wasmKernel('SplitLinear', ({ exports, at, output, scratch }, inputs, attrs) => {
    const [x, weight, bias] = listed(inputs);
    const [m, k] = x!.shape as [number, number];
    let first = 0;
    return (attrs['parts'] as number[]).map((n) => {
      const y = output([m, n]);
      const room = scratch(exports.packedBytes(k, n) + exports.gemmScratchBytes());
      const b = at(weight) + 4 * first * k;
      exports.gemm(m, n, k, at(x), 0, b, 1, bias ? at(bias) + 4 * first : 0, 0, at(y), room);
      first += n;
      return y;
    });
  }),
  wasmKernel('SplitLinearGrad', ({ exports, at, output, scratch }, { x, weight, bias, ...rest }) => {
    const parts = listed(rest);
    const [m, k] = x!.shape as [number, number];
    const dx = output([m, k]);
    const dweight = output(weight!.shape);
    const dbias = bias && output(bias.shape);
    // x as the right factor of every part's share of the weight's gradient; behind it, room for the other products.
    const widest = Math.max(...parts.map((dy) => dy.shape[1]!));
    const packed = scratch(
      exports.packedBytes(m, k) + exports.packedBytes(widest, k) + exports.gemmScratchBytes(),
    );
    const room = packed + exports.packedBytes(m, k);
    exports.packB(m, k, at(x), k, 0, packed);
    let first = 0;
    for (const dy of parts) {
      const n = dy.shape[1]!;
      exports.gemm(m, k, n, at(dy), 0, at(weight) + 4 * first * k, 0, first ? at(dx) : 0, k, at(dx), room);
      exports.gemmPacked(n, k, m, at(dy), n, 1, packed, at(dweight) + 4 * first * k, k, 0, room);
      if (dbias) exports.sumRows(m, n, at(dy), at(dbias) + 4 * first);
      first += n;
    }
    return dbias ? [dx, dweight, dbias] : [dx, dweight];
  }),
];
