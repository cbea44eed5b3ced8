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
import { Crew } from './threads/crew.js';
import { Program } from './threads/programs.js';
import { shareOf } from './threads/share.js';
import { withSharedMemory } from './threads/shared-memory.js';
import { OWN_SCRATCH, spreadNumbers } from './threads/spread.js';

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
  /** Threads that compute, the main one among them. */
  threads(): number;
  /** Runs one of Program on at most `most` threads. */
  run(program: number, numbers: readonly number[], most?: number): number;
  /**
   * Calls a compiled kernel on parts of its work that do not depend on each other, and on all of it at once with one thread.
   * @param callOf arguments for the pieces from..from + count of `total`; `scratch` is the thread's own.
   */
  spread(
    name: keyof KernelExports,
    total: number,
    parts: Parts,
    callOf: (from: number, count: number, scratch: number) => number[],
  ): void;
}

/** How work may be cut. */
export interface Parts {
  /** Pieces in the smallest part that is worth a thread's while: some 20 microseconds. */
  least: number;
  /** Parts begin at multiples of so many pieces. */
  step?: number;
  /** Bytes of scratch that a call needs. */
  scratch?: number;
}

let current: WasmKernels | undefined;
let crew: Crew | undefined;

/**
 * How many threads compute the kernels from here on; 1 ends all others. Numbers do not depend on it.
 * @throws UserError when threads cannot be started.
 */
export async function setKernelThreads(count: number): Promise<void> {
  if (crew && crew.size !== count) await crew.resize(count);
}

/** Parts for each thread: one that was held up leaves some to the others. */
const PARTS = 2;

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
  const bytes = readKernels(variant);
  const shared = (memory.buffer as unknown) instanceof SharedArrayBuffer;
  const module = await WebAssembly.compile(shared ? withSharedMemory(bytes) : bytes);
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const exports = instance.exports as unknown as KernelExports;
  const coefficients = owner.wasm._malloc(exports.coefficientBytes()) >>> 0;
  exports.placeCoefficients(coefficients);
  exports.useWideTiles(Number(wide));
  const own = new Crew(exports, { memory, module, coefficients, wide });
  crew = own;
  let address = 0;
  let size = 0;
  const scratch = (bytes: number) => {
    if (bytes > size) {
      if (address) owner.wasm._free(address);
      size = Math.ceil(bytes * 1.25);
      address = owner.wasm._malloc(size) >>> 0;
      if (!address)
        throw new RangeError(`out of memory: ${size} bytes of scratch on the wasm heap (4 GiB at most)`);
    }
    return address;
  };
  current = {
    exports,
    at: (tensor) => (tensor ? owner.dataIdMap.get(tensor.dataId).memoryOffset : 0),
    output: (shape, dtype = 'float32') => owner.makeOutput(shape, dtype),
    write: (scalar, value) => {
      new Float32Array(memory.buffer, owner.dataIdMap.get(scalar.dataId).memoryOffset, 1)[0] = value;
    },
    scratch,
    threads: () => own.size,
    run: (program, numbers, most) => own.run(program, numbers, most),
    spread(name, total, { least, step = 1, scratch: bytes = 0 }, callOf) {
      const parts = own.size === 1 ? 1 : Math.min(PARTS * own.size, Math.floor(total / least));
      if (parts < 2) {
        (exports[name] as (...numbers: number[]) => void)(...callOf(0, total, bytes && scratch(bytes)));
        return;
      }
      const calls = Array.from({ length: parts }, (_, part) => shareOf(total, part, parts, step))
        .filter(([from, until]) => from < until)
        .map(([from, until]) => callOf(from, until - from, OWN_SCRATCH));
      const room = { at: bytes && scratch(bytes * own.size), bytes };
      own.run(Program.spread, spreadNumbers(exports, name, calls, room), calls.length);
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
