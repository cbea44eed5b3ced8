/**
 * Our WebAssembly kernels on the heap of tfjs's wasm backend: both modules share one memory, so a tensor is handed over as
 * an address and nothing is copied. The kernels own no memory (no data segment, no stack); scratch, and a little room for
 * their constants, come from the backend's own allocator.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type * as tf from '@tensorflow/tfjs';
import { fileError } from '../../util/errors.js';
import type { KernelExports } from './exports.js';
import type { Simd, SimdVariant } from './simd.js';

/** What we use of tfjs's BackendWasm: its public methods, and its module's heap. */
interface BackendWasm extends tf.KernelBackend {
  wasm: {
    asm: Record<string, unknown>;
    _malloc(bytes: number): number;
    _free(address: number): void;
  };
  dataIdMap: { get(dataId: object): { memoryOffset: number } };
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo;
}

export interface WasmKernels {
  exports: KernelExports;
  /** Address of a tensor's first element; 0 for an absent one. */
  at(tensor: tf.TensorInfo | undefined): number;
  /** A new tensor, not initialised. */
  output(shape: number[], dtype?: 'float32' | 'int32'): tf.TensorInfo;
  /** Sets the value of a scalar tensor. */
  write(scalar: tf.TensorInfo, value: number): void;
  /** Address of at least so many bytes, good until the next call. */
  scratch(bytes: number): number;
}

let current: WasmKernels | undefined;

/**
 * Instantiates the kernels on the heap of the wasm backend that tfjs has opened.
 * @throws UserError when the built module is missing.
 */
export async function openWasmKernels(
  backend: tf.KernelBackend,
  { variant, wide }: Simd,
): Promise<WasmKernels> {
  const owner = backend as BackendWasm;
  const memory = Object.values(owner.wasm.asm).find((value) => value instanceof WebAssembly.Memory);
  if (!memory) throw new Error('the wasm backend of this tfjs version does not show its memory');
  const module = await WebAssembly.compile(readKernels(variant));
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const exports = instance.exports as unknown as KernelExports;
  exports.placeCoefficients(owner.wasm._malloc(exports.coefficientBytes()) >>> 0);
  exports.useWideTiles(Number(wide));
  let address = 0;
  let size = 0;
  current = {
    exports,
    at: (tensor) => (tensor ? owner.dataIdMap.get(tensor.dataId).memoryOffset : 0),
    output: (shape, dtype = 'float32') => owner.makeOutput(shape, dtype),
    write: (scalar, value) => {
      new Float32Array(memory.buffer, owner.dataIdMap.get(scalar.dataId).memoryOffset, 1)[0] = value;
    },
    scratch: (bytes) => {
      if (bytes > size) {
        if (address) owner.wasm._free(address);
        size = Math.ceil(bytes * 1.25);
        address = owner.wasm._malloc(size) >>> 0;
        if (!address)
          throw new RangeError(`out of memory: ${size} bytes of scratch on the wasm heap (4 GiB at most)`);
      }
      return address;
    },
  };
  return current;
}

/** The files that `npm run build` leaves in dist/, found from src/ and from dist/ alike. */
function readKernels(variant: SimdVariant): Uint8Array<ArrayBuffer> {
  const name = variant === 'relaxed' ? 'kernels-relaxed.wasm' : 'kernels.wasm';
  const path = fileURLToPath(new URL(`../../../dist/${name}`, import.meta.url));
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    throw fileError(error, path, 'read the compiled kernels; `npm run build` makes them');
  }
}

/** A tfjs kernel for the wasm backend, made of a function over addresses. */
export function wasmKernel(
  kernelName: string,
  run: (
    kernels: WasmKernels,
    inputs: tf.NamedTensorInfoMap,
    attrs: tf.NamedAttrMap,
  ) => tf.TensorInfo | tf.TensorInfo[],
): tf.KernelConfig {
  return {
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => run(current!, inputs, attrs ?? {}),
  };
}
