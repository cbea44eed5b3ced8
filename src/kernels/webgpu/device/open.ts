/**
 * tfjs's WebGPU backend on Dawn in Node. tfjs reads a tensor synchronously through a browser's canvas, which Node has not:
 * here the result is mapped, and Dawn is given turns until it is there. What Dawn complains about comes out at the next read.
 */
import * as tf from '@tensorflow/tfjs';
import { UserError } from '../../../util/errors.js';
import { DeviceLostError, type Trouble, type WebgpuBackend } from '../backend.js';
import { MOST_DISPATCHES } from '../program.js';
import { Bindings, keepTfjsBindings } from './bindings.js';
import { Buffers } from './buffers.js';
import { type AdapterInfo, type DeviceDescription, findAdapter, forgetAdapter, LIMITS } from './dawn.js';
import { learnTurn, mapNow } from './turns.js';

export interface OpenedDevice {
  description: DeviceDescription;
  /** Whether it is gone; another one can be opened then. */
  isLost(): boolean;
}

/**
 * Opens the adapter's device with the adapter's own limits and registers it with tfjs as `webgpu`.
 * @throws UserError when there is no adapter, or when it refuses.
 */
export async function openWebgpu(): Promise<OpenedDevice> {
  const { adapter, device: description } = await findAdapter();
  const device = await requestDevice(adapter);
  await learnTurn(device);
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  // tfjs computes on the CPU what it has not uploaded yet, with other roundings: a training that goes on from a checkpoint
  // would not have the bits of one that never stopped.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', MOST_DISPATCHES);
  const backend = constructBackend(WebGPUBackend, device, adapter);
  const trouble = watch(device);
  backend.trouble = trouble;
  backend.bufferManager = new Buffers(device);
  backend.bindings = new Bindings(backend);
  keepTfjsBindings(backend);
  backend.uploadToGPU = (dataId) => upload(backend, dataId);
  backend.readSync = (dataId) => readNow(backend, dataId, trouble);
  backend.read = async (dataId) => backend.readSync(dataId);
  forgetAdapter();
  if (tf.findBackendFactory('webgpu')) tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => backend);
  return { description, isLost: () => trouble.error instanceof DeviceLostError };
}

/** The largest limits that the adapter has, and what measures and speeds kernels up where it is there. */
async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const limits = adapter.limits;
  const wanted = ['subgroups', 'timestamp-query'] as GPUFeatureName[];
  try {
    return await adapter.requestDevice({
      requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
      requiredLimits: Object.fromEntries(LIMITS.map((limit) => [limit, limits[limit]])),
    });
  } catch (error) {
    throw new UserError(`the GPU adapter refused to open: ${(error as Error).message}`, {
      remedy: '`perflaw doctor` shows what the adapter offers; --backend wasm needs no GPU.',
      cause: error,
    });
  }
}

/** tfjs's constructor refuses to run where there is no `navigator.gpu`: there is one as long as it takes. */
function constructBackend(
  Backend: new (device: GPUDevice, info?: GPUAdapterInfo) => unknown,
  device: GPUDevice,
  adapter: GPUAdapter,
): WebgpuBackend {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: true }, configurable: true });
  try {
    return new Backend(device, (adapter as GPUAdapter & { info: AdapterInfo }).info) as WebgpuBackend;
  } finally {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else delete (globalThis as { navigator?: unknown }).navigator;
  }
}

function watch(device: GPUDevice): Trouble {
  const trouble: Trouble = {};
  void device.lost.then(({ message }) => {
    trouble.error = new DeviceLostError(message);
  });
  device.addEventListener('uncapturederror', (event) => {
    const { message } = (event as GPUUncapturedErrorEvent).error;
    trouble.error ??= new Error(`WebGPU: ${message}`);
  });
  return trouble;
}

/**
 * Gives a tensor its buffer, and its values where it has some. The buffer has no unsubmitted use (what is released comes back after
 * a submission), so that writing it now is in order; tfjs makes and destroys a buffer for every upload.
 */
function upload(backend: WebgpuBackend, dataId: object): void {
  const data = backend.tensorMap.get(dataId);
  if (data.resource) return;
  const size = 4 * data.shape.reduce((product, n) => product * n, 1);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffer = backend.bufferManager.acquireBuffer(size, usage);
  if (data.values) {
    const Kind = data.dtype === 'float32' ? Float32Array : Int32Array;
    const values = data.values as Float32Array<ArrayBuffer>;
    backend.device.queue.writeBuffer(buffer, 0, values instanceof Kind ? values : Kind.from(values));
    data.values = null;
  }
  data.resource = buffer;
}

/** The values of a tensor, waited for. They are not kept on this side: kernels may change a tensor in place. */
function readNow(backend: WebgpuBackend, dataId: object, trouble: Trouble): tf.BackendValues {
  const { resource, values, dtype } = backend.tensorMap.get(dataId);
  if (values) return values;
  backend.observer?.read();
  const size = backend.bufferManager.sizeOf(resource!);
  const staging = backend.bufferManager.acquireBuffer(
    size,
    GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  );
  try {
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.commandEncoder!.copyBufferToBuffer(resource!, 0, staging, 0, size);
    backend.submitQueue();
    mapNow(staging);
    if (trouble.error) throw trouble.error;
    if (staging.mapState !== 'mapped') {
      trouble.error = new DeviceLostError('what it computed cannot be read');
      throw trouble.error;
    }
    const bytes = staging.getMappedRange().slice(0);
    if (dtype === 'bool') return Uint8Array.from(new Int32Array(bytes));
    return dtype === 'int32' ? new Int32Array(bytes) : new Float32Array(bytes);
  } finally {
    if (staging.mapState === 'mapped') staging.unmap();
    backend.bufferManager.releaseBuffer(staging);
  }
}
