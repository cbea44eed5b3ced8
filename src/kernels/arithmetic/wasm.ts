/**
 * Sums and products of two tensors of one shape on wasm (assembly/elementwise.ts), where tfjs's own kernels compute them on one thread
 * and a number at a time. All other cases stay with tfjs's.
 */
import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { type WasmKernels, wasmKernel } from '../wasm/module.js';

/** Elements. */
const PARTS = { least: 16_384, step: 16 };

function byElement(kernelName: string, compiled: 'sums' | 'products'): tf.KernelConfig {
  // Of the backend that has tfjs's kernels alone, on the same heap.
  const others = tf.getKernel(kernelName, 'composed').kernelFunc;
  const run = ({ at, output, spread }: WasmKernels, { a, b }: tf.NamedTensorInfoMap) => {
    const out = output(a!.shape);
    const [left, right, to] = [at(a), at(b), at(out)];
    spread(compiled, sizeOf(a!), PARTS, (first, n) => [
      n,
      left + 4 * first,
      right + 4 * first,
      to + 4 * first,
    ]);
    return out;
  };
  const own = wasmKernel(kernelName, run).kernelFunc;
  return {
    kernelName,
    backendName: 'wasm',
    kernelFunc: (args) => {
      const { a, b } = args.inputs as Record<'a' | 'b', tf.TensorInfo>;
      const alike = a.dtype === 'float32' && b.dtype === 'float32' && tf.util.arraysEqual(a.shape, b.shape);
      return (alike ? own : others)(args);
    },
  };
}

export const kernels: tf.KernelConfig[] = [byElement('Add', 'sums'), byElement('Multiply', 'products')];
