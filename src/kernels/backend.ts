/**
 * Choosing and opening a backend. The contract: after `openBackend(name)` every op of this room computes on it, with the
 * fused kernels that are registered for it and plain tfjs ops for the rest.
 *
 *   wasm      fused WebAssembly kernels beside tfjs's own; needs nothing but Node
 *   webgpu    fused WGSL kernels beside tfjs's own, on any modern GPU, through Dawn
 *   composed  plain tfjs ops on tfjs's wasm backend: what the fused kernels are measured and tested against
 *   cpu       plain tfjs ops in JavaScript: slow, runs anywhere
 *   tensorflow  plain tfjs ops on libtensorflow, from a package that the user adds
 */
import * as tf from '@tensorflow/tfjs';
import { UserError } from '../util/errors.js';
import { type BackendName, resolveBackend } from './choose.js';
import { loadTensorflow } from './tensorflow.js';
import { openWasmKernels, setKernelThreads } from './wasm/module.js';
import { chooseSimd, type Simd, type SimdVariant } from './wasm/simd.js';
import { whileSharing } from './wasm/threads/shared-memory.js';
import type { WebgpuBackend } from './webgpu/backend.js';
import type { DeviceDescription } from './webgpu/device/dawn.js';
import type { OpenedDevice } from './webgpu/device/open.js';
import type { Profile } from './webgpu/device/profile.js';

let simd: Simd | undefined;
let wasmReady: Promise<void> | undefined;
let webgpuReady: Promise<OpenedDevice> | undefined;
let gpu: OpenedDevice | undefined;
const said = new Set<string>();

/**
 * Opens a backend and makes it the current one; see resolveBackend for `auto`.
 * @param say receives what a person should know of the choice, each thing once a process.
 * @returns its name as it is recorded in results.
 * @throws UserError for a name that does not exist, or when the backend does not open.
 */
export async function openBackend(
  name: string,
  say: (note: string) => void = () => {},
): Promise<BackendName> {
  const wanted = await resolveBackend(name);
  const sayOnce = (note: string) => {
    if (!said.has(note)) say(note);
    said.add(note);
  };
  try {
    await open(wanted);
  } catch (error) {
    if (name !== 'auto' || wanted !== 'webgpu') throw error;
    sayOnce(`The GPU is not used: ${(error as Error).message}. --backend wasm instead.`);
    return openBackend('wasm');
  }
  if (wanted === 'webgpu' && gpu!.description.software)
    sayOnce(
      `No GPU: webgpu runs on ${gpu!.description.name}, right but slow. --backend wasm is faster here.`,
    );
  if (wanted === 'webgpu' && name === 'auto') sayOnce(`Backend webgpu on ${gpu!.description.name}.`);
  return wanted;
}

async function open(wanted: BackendName): Promise<void> {
  tf.enableProdMode();
  if (wanted === 'wasm' || wanted === 'composed') {
    wasmReady ??= prepareWasm();
    await wasmReady;
  }
  if (wanted === 'webgpu') {
    if (gpu?.isLost()) webgpuReady = undefined;
    webgpuReady ??= prepareWebgpu();
    gpu = await webgpuReady;
  }
  if (wanted === 'tensorflow') await loadTensorflow();
  if (!(await tf.setBackend(wanted)))
    throw new UserError(`the backend '${wanted}' did not open`, {
      remedy: 'Try --backend cpu, which runs anywhere.',
    });
  await tf.ready();
}

/** The GPU that webgpu computes on; undefined while another backend is the current one. */
export function currentDevice(): DeviceDescription | undefined {
  return tf.getBackend() === 'webgpu' ? gpu?.description : undefined;
}

/**
 * Runs `work` and says what it had the GPU do; undefined, and nothing is run, while another backend than webgpu is open.
 * @param timed whether each dispatch is timed, for which they run one by one.
 */
export async function profileWork(work: () => void, timed = true): Promise<Profile | undefined> {
  if (tf.getBackend() !== 'webgpu') return undefined;
  const { profileDispatches } = await import('./webgpu/device/profile.js');
  return profileDispatches(tf.backend() as WebgpuBackend, work, timed);
}

/** The SIMD instructions that the wasm kernels were built for; undefined until they are open. */
export function simdVariant(): SimdVariant | undefined {
  return simd?.variant;
}

/** Whether the engine was asked to join pairs of vectors: faster, the same values. */
export function hasWideVectors(): boolean {
  return simd?.wide ?? false;
}

/**
 * How many threads compute on wasm from here on, the calling one among them; 1 ends all others. Numbers do not depend on it. Other
 * backends have threads of their own, or none: nothing changes for them.
 * @returns how many it is now.
 * @throws UserError when threads cannot be started.
 */
export async function setThreads(count: number): Promise<number> {
  if (tf.getBackend() !== 'wasm') return 1;
  await setKernelThreads(count);
  return count;
}

async function prepareWasm(): Promise<void> {
  simd = chooseSimd();
  const { setThreadsCount } = await import('@tensorflow/tfjs-backend-wasm');
  setThreadsCount(1);
  await whileSharing(async () => {
    await tf.setBackend('wasm');
    await tf.ready();
  });
  const owner = tf.backend();
  // The same kernels under a second name, before ours are added to the first.
  tf.copyRegisteredKernels('wasm', 'composed');
  tf.registerBackend('composed', () => owner);
  await openWasmKernels(owner, simd);
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
    import('./arithmetic/wasm.js'),
    import('./dropout/wasm.js'),
    import('./adam/wasm.js'),
    import('./rank/wasm.js'),
  ]);
  register(folders.flatMap((folder) => folder.kernels));
}

async function prepareWebgpu(): Promise<OpenedDevice> {
  const { openWebgpu } = await import('./webgpu/device/open.js');
  const device = await openWebgpu();
  // What has no WGSL here is composed of tfjs's own ops, on the GPU too.
  const folders = await Promise.all([
    import('./selective-scan/webgpu.js'),
    import('./causal-conv/webgpu.js'),
    import('./embedding/webgpu.js'),
    import('./layer-norm/webgpu.js'),
    import('./rms-norm/webgpu.js'),
    import('./matmul/webgpu.js'),
    import('./activation/webgpu.js'),
    import('./dropout/webgpu.js'),
    import('./cross-entropy/webgpu.js'),
    import('./sampled-cross-entropy/webgpu.js'),
    import('./adam/webgpu.js'),
    import('./rank/webgpu.js'),
  ]);
  register(folders.flatMap((folder) => folder.kernels));
  return device;
}

/** Adds kernels to tfjs's registry, in place of its own of the same name. */
function register(kernels: tf.KernelConfig[]): void {
  for (const kernel of kernels) {
    const { kernelName, backendName } = kernel;
    if (tf.getKernel(kernelName, backendName)) tf.unregisterKernel(kernelName, backendName);
    tf.registerKernel(kernel);
  }
}
