/**
 * WGSL programs of our own on tfjs's WebGPU backend. A kernel names its tensors, its constants (compiled in) and its
 * uniforms (free to change from call to call), and writes one function; declarations, pipelines, bindings and the split of
 * large dispatches are made here. Commands go into tfjs's own encoder, so they run in order with its own kernels.
 */
import type * as tf from '@tensorflow/tfjs';
import type { Pipeline, WebgpuBackend } from './backend.js';

/** Values compiled into a program: each combination is a pipeline of its own, so only what seldom changes. */
export type Constants = Record<string, number | boolean>;

export interface Program {
  /** Unique among programs. */
  name: string;
  /** Threads of a workgroup, at most 256; in WGSL `THREADS`. */
  threads: number | ((constants: Constants) => number);
  /**
   * WGSL with `fn run(group: u32, lane: u32)`: one workgroup's work. In scope: every tensor of the call as an array under its
   * name, every constant under its name, uniforms as `u.name`, and `u.groups`.
   * @param has whether the call passes a tensor of that name (optional inputs).
   */
  code(constants: Constants, has: (tensor: string) => boolean): string;
}

export interface Call {
  /** Tensors by name; absent ones are left out. One tensor may not be read and written. */
  read?: Record<string, tf.TensorInfo | undefined>;
  /** Written, or read and written in place. */
  write: Record<string, tf.TensorInfo | undefined>;
  /** Names of tensors bound as arrays of vec4f, whose size must divide by 4. */
  vectors?: string[];
  /** Names of written int32 tensors bound as arrays of atomics. */
  atomics?: string[];
  constants?: Constants;
  /** u32 */
  uniforms?: Record<string, number>;
  /** f32 */
  floats?: Record<string, number>;
  /** Workgroups. */
  groups: number;
  /** For profiles: operations that it must do, and bytes that it must move where that is not every tensor once. */
  work?: { flops?: number; bytes?: number };
}

/** What a kernel works with. */
export interface WebgpuKernels {
  device: GPUDevice;
  run(program: Program, call: Call): void;
  /** A new tensor, not initialised. */
  output(shape: number[], dtype?: 'float32' | 'int32'): tf.TensorInfo;
  /** A tensor that lives until the kernel returns. */
  scratch(shape: number[], dtype?: 'float32' | 'int32'): tf.TensorInfo;
}

const pipelines = new WeakMap<GPUDevice, Map<string, Pipeline>>();

/** A tfjs kernel for the webgpu backend. */
export function webgpuKernel(
  kernelName: string,
  run: (
    gpu: WebgpuKernels,
    inputs: tf.NamedTensorInfoMap,
    attrs: tf.NamedAttrMap,
  ) => tf.TensorInfo | tf.TensorInfo[],
): tf.KernelConfig {
  return {
    kernelName,
    backendName: 'webgpu',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const owner = backend as WebgpuBackend;
      const scratch: tf.TensorInfo[] = [];
      const output: WebgpuKernels['output'] = (shape, dtype = 'float32') =>
        owner.makeTensorInfo(shape, dtype);
      try {
        return run(
          {
            device: owner.device,
            run: (program, call) => dispatch(owner, program, call),
            output,
            scratch: (shape, dtype) => {
              const tensor = output(shape, dtype);
              scratch.push(tensor);
              return tensor;
            },
          },
          inputs as tf.NamedTensorInfoMap,
          attrs ?? {},
        );
      } finally {
        for (const { dataId } of scratch) owner.disposeData(dataId);
      }
    },
  };
}

type Binding = [name: string, tensor: tf.TensorInfo];

/** Records one dispatch. */
function dispatch(backend: WebgpuBackend, program: Program, call: Call): void {
  if (call.groups === 0) return;
  const present = (tensors: Call['write'] = {}) =>
    Object.entries(tensors).filter((entry): entry is Binding => entry[1] !== undefined);
  const read = present(call.read);
  const written = present(call.write);
  const bindings = [...read, ...written];
  for (const [, { dataId }] of bindings) {
    backend.uploadToGPU(dataId);
    backend.commandQueueOwnedIds.add(dataId);
  }
  // A copy of the values on this side would be stale.
  for (const [, { dataId }] of written) backend.tensorMap.get(dataId).values = null;
  const pipeline = pipelineOf(backend, program, call, read, written);
  const buffers = bindings.map(([, { dataId }]) => backend.tensorMap.get(dataId).resource!);
  const bindGroup = backend.bindings.bind(pipeline, buffers, uniformsOf(call));
  backend.ensureCommandEncoderReady();
  backend.observer?.begin();
  backend.computePassEncoder ??= backend.commandEncoder!.beginComputePass();
  backend.computePassEncoder.setPipeline(pipeline.pipeline);
  backend.computePassEncoder.setBindGroup(0, bindGroup);
  const wide = Math.min(call.groups, backend.device.limits.maxComputeWorkgroupsPerDimension);
  backend.computePassEncoder.dispatchWorkgroups(wide, Math.ceil(call.groups / wide));
  const tensors = bindings.map(([, tensor]) => tensor);
  backend.observer?.end(program.name, tensors, call.groups, call.work);
  if (backend.dispatchCountInPass++ === 0) recorded = 0;
  for (const [, { dataId }] of written)
    recorded += backend.bufferManager.sizeOf(backend.tensorMap.get(dataId).resource!);
  if (
    backend.dispatchCountInPass >= MOST_DISPATCHES ||
    (backend.dispatchCountInPass >= FEW_DISPATCHES && recorded > MANY_BYTES)
  ) {
    backend.endComputePassEncoder();
    backend.submitQueue();
  }
}

/**
 * Dispatches between two submissions: each submission costs as much as many dispatches, but what is released in between can be used
 * again only after it, so where much is written they come more often.
 */
export const MOST_DISPATCHES = 60;
const FEW_DISPATCHES = 15;
const MANY_BYTES = 1 << 27;

/** Bytes written since the last submission. */
let recorded = 0;

/** Numbers of a call, `groups` first, in the order of the struct that the program declares. */
function uniformsOf({ groups, uniforms = {}, floats = {} }: Call): Uint32Array<ArrayBuffer> {
  const whole = [groups, ...Object.values(uniforms)];
  const real = Object.values(floats);
  const bytes = new ArrayBuffer(Math.ceil((whole.length + real.length) / 4) * 16);
  const values = new Uint32Array(bytes);
  values.set(whole);
  new Float32Array(bytes).set(real, whole.length);
  return values;
}

function pipelineOf(
  { device }: WebgpuBackend,
  program: Program,
  call: Call,
  read: Binding[],
  written: Binding[],
): Pipeline {
  const { constants = {}, vectors = [], atomics = [] } = call;
  const names = [...read, ...written].map(([name, { dtype }]) => `${name}:${dtype}`);
  const key = `${program.name} ${Object.values(constants)} ${names} ${vectors} ${atomics}`;
  const cache = pipelines.get(device) ?? new Map<string, Pipeline>();
  pipelines.set(device, cache);
  const known = cache.get(key);
  if (known) return known;
  const code = wgsl(program, call, read, written);
  const module = device.createShaderModule({ code, label: key });
  const pipeline = device.createComputePipeline({
    compute: { module, entryPoint: 'main' },
    label: key,
    layout: 'auto',
  });
  const made = { pipeline, layout: pipeline.getBindGroupLayout(0), number: cache.size };
  cache.set(key, made);
  return made;
}

/** The whole source of a program for one combination of constants and tensors. */
export function wgsl(program: Program, call: Call, read: Binding[], written: Binding[]): string {
  const { constants = {}, vectors = [], atomics = [], uniforms = {}, floats = {} } = call;
  const element = ([name, { dtype }]: Binding) =>
    vectors.includes(name)
      ? 'vec4f'
      : atomics.includes(name)
        ? 'atomic<i32>'
        : dtype === 'float32'
          ? 'f32'
          : 'i32';
  const declarations = [...read, ...written].map((binding, i) => {
    const access = i < read.length ? 'read' : 'read_write';
    return `@group(0) @binding(${i}) var<storage, ${access}> ${binding[0]}: array<${element(binding)}>;`;
  });
  const fields = [
    'groups: u32',
    ...Object.keys(uniforms).map((name) => `${name}: u32`),
    ...Object.keys(floats).map((name) => `${name}: f32`),
  ];
  const threads = typeof program.threads === 'number' ? program.threads : program.threads(constants);
  const present = new Set([...read, ...written].map(([name]) => name));
  return `
struct Uniforms { ${fields.join(', ')} }
${declarations.join('\n')}
@group(0) @binding(${declarations.length}) var<uniform> u: Uniforms;
const THREADS = ${threads}u;
${Object.entries(constants)
  .map(
    ([name, value]) =>
      `const ${name} = ${value}${typeof value === 'number' && Number.isInteger(value) ? 'u' : ''};`,
  )
  .join('\n')}
${program.code(constants, (name) => present.has(name))}
@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = id.y * count.x + id.x;
  if (group < u.groups) { run(group, lane); }
}`;
}
