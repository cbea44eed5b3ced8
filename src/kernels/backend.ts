/**
 * Choosing and opening a backend. The contract: after `openBackend(name)` every op of this room computes on it, with the
 * fused kernels that are registered for it and plain tfjs ops for the rest.
 *
 *   wasm      fused WebAssembly kernels beside tfjs's own; the default, needs nothing but Node
 *   composed  plain tfjs ops on tfjs's wasm backend: what the fused kernels are measured and tested against
 *   cpu       plain tfjs ops in JavaScript: slow, runs anywhere
 *   tensorflow  plain tfjs ops on libtensorflow, from a package that the user adds
 */
import * as tf from '@tensorflow/tfjs';
import { UserError } from '../util/errors.js';
import { loadTensorflow } from './tensorflow.js';
import { detectSimd, openWasmKernels, type SimdVariant } from './wasm/module.js';

export const BACKENDS = ['wasm', 'composed', 'cpu', 'tensorflow'] as const;
export type BackendName = (typeof BACKENDS)[number];

let variant: SimdVariant | undefined;
let wasmReady: Promise<void> | undefined;

/**
 * Opens a backend and makes it the current one. `auto` takes the fastest that is present.
 * @returns its name as it is recorded in results.
 * @throws UserError for a name that does not exist.
 */
export async function openBackend(name: string): Promise<BackendName> {
  const wanted = name === 'auto' ? 'wasm' : name;
  if (!(BACKENDS as readonly string[]).includes(wanted))
    throw new UserError(`unknown backend '${name}'`, {
      remedy: `Choose one of auto, ${BACKENDS.join(', ')}.`,
    });
  tf.enableProdMode();
  if (wanted === 'wasm' || wanted === 'composed') {
    wasmReady ??= prepareWasm();
    await wasmReady;
  }
  if (wanted === 'tensorflow') await loadTensorflow();
  if (!(await tf.setBackend(wanted)))
    throw new UserError(`the backend '${wanted}' did not open`, {
      remedy: 'Try --backend cpu, which runs anywhere.',
    });
  await tf.ready();
  return wanted as BackendName;
}

/** The SIMD instructions that the wasm kernels were built for; undefined until they are open. */
export function simdVariant(): SimdVariant | undefined {
  return variant;
}

/** True where the current backend has a fused kernel of that name. */
export function hasKernel(name: string): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined;
}

async function prepareWasm(): Promise<void> {
  const { setThreadsCount } = await import('@tensorflow/tfjs-backend-wasm');
  setThreadsCount(1);
  await tf.setBackend('wasm');
  await tf.ready();
  const owner = tf.backend();
  // The same kernels under a second name, before ours are added to the first.
  tf.copyRegisteredKernels('wasm', 'composed');
  tf.registerBackend('composed', () => owner);
  variant = process.env['PERFLAW_SIMD'] === 'baseline' ? 'baseline' : detectSimd();
  await openWasmKernels(owner, variant);
  const folders = await Promise.all([
    import('./selective-scan/wasm.js'),
    import('./causal-conv/wasm.js'),
    import('./layer-norm/wasm.js'),
    import('./rms-norm/wasm.js'),
    import('./identity/wasm.js'),
    import('./embedding/wasm.js'),
    import('./cross-entropy/wasm.js'),
    import('./sampled-cross-entropy/wasm.js'),
    import('./matmul/wasm.js'),
    import('./activation/wasm.js'),
    import('./dropout/wasm.js'),
    import('./adam/wasm.js'),
    import('./rank/wasm.js'),
  ]);
  for (const kernel of folders.flatMap((folder) => folder.kernels)) {
    if (tf.getKernel(kernel.kernelName, 'wasm')) tf.unregisterKernel(kernel.kernelName, 'wasm');
    tf.registerKernel(kernel);
  }
}
