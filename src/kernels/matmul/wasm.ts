/** Matrix products on wasm (assembly/gemm.ts): packed once, so that a transposed operand costs no more than a plain one. */
import type * as tf from '@tensorflow/tfjs';
import { type WasmKernels, wasmKernel } from '../wasm/module.js';

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
    at(c),
    scratch(exports.packedBytes(k, n) + exports.gemmScratchBytes()),
  );
  return c;
}

export const kernels: tf.KernelConfig[] = [
  wasmKernel('MatMul2D', (wasm, { a, b }, attrs) =>
    multiply(wasm, a!, attrs['transposeA'] as boolean, b!, attrs['transposeB'] as boolean),
  ),
  wasmKernel('MatMul2DGrad', (wasm, { a, b, dy }, attrs) => {
    const transposeA = attrs['transposeA'] as boolean;
    const transposeB = attrs['transposeB'] as boolean;
    return [
      transposeA ? multiply(wasm, b!, transposeB, dy!, true) : multiply(wasm, dy!, false, b!, !transposeB),
      transposeB ? multiply(wasm, dy!, true, a!, transposeA) : multiply(wasm, a!, !transposeA, dy!, false),
    ];
  }),
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
];
