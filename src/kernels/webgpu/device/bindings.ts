/**
 * Bind groups and uniforms, kept from step to step. Making them is most of what a dispatch costs on this side (Dawn in Node reads a
 * descriptor field by field), and a training's steps bind the same buffers again and again. Ours are found by pipeline and
 * buffers, each with a buffer of its own for its uniforms, which is written where they differ from the last time; those of tfjs's own
 * kernels by what tfjs passes.
 */
import type { Pipeline, TfjsUniform, WebgpuBackend } from '../backend.js';

/** What one pipeline binds to some buffers. */
interface Kept {
  group: GPUBindGroup;
  uniforms: GPUBuffer;
  /** What the uniforms hold. */
  values: Uint32Array<ArrayBuffer>;
  /** The submission for which it was last recorded. */
  submission: number;
}

/** Bind groups that are kept; beyond these all are made anew. A step has some hundreds. */
const MOST = 1 << 14;
const UNIFORMS = () => GPUBufferUsage.COPY_DST | GPUBufferUsage.UNIFORM;

export class Bindings {
  private readonly groups = new Map<string, Kept>();
  private submission = 0;
  /** Dawn's own, not the one that remembers tfjs's. */
  private readonly createBindGroup: GPUDevice['createBindGroup'];

  constructor(private readonly backend: WebgpuBackend) {
    this.createBindGroup = backend.device.createBindGroup.bind(backend.device);
    const submit = backend.submitQueue;
    backend.submitQueue = () => {
      this.submission++;
      submit.call(backend);
    };
  }

  /** The bind group of `buffers`, in their order, and after them of uniforms that hold `values`. */
  bind(pipeline: Pipeline, buffers: readonly GPUBuffer[], values: Uint32Array<ArrayBuffer>): GPUBindGroup {
    const { bufferManager: manager, device } = this.backend;
    let key = `${pipeline.number}`;
    for (const buffer of buffers) key += ` ${manager.numberOf(buffer)}`;
    const kept = this.groups.get(key);
    // A write comes before all that is recorded and not yet submitted: it must not reach what was recorded with other values.
    if (kept && kept.submission === this.submission && !same(kept.values, values))
      return this.passing(pipeline, buffers, values);
    if (kept) {
      kept.submission = this.submission;
      if (same(kept.values, values)) return kept.group;
      kept.values = values;
      device.queue.writeBuffer(kept.uniforms, 0, values);
      return kept.group;
    }
    if (this.groups.size >= MOST) this.groups.clear();
    const uniforms = device.createBuffer({ size: values.byteLength, usage: UNIFORMS() });
    device.queue.writeBuffer(uniforms, 0, values);
    const group = this.make(pipeline, buffers, uniforms);
    this.groups.set(key, { group, uniforms, values, submission: this.submission });
    return group;
  }

  /** For one dispatch only. */
  private passing(
    pipeline: Pipeline,
    buffers: readonly GPUBuffer[],
    values: Uint32Array<ArrayBuffer>,
  ): GPUBindGroup {
    const { bufferManager, device, uniformPendingDisposal } = this.backend;
    const uniforms = bufferManager.acquireBuffer(values.byteLength, UNIFORMS());
    device.queue.writeBuffer(uniforms, 0, values);
    uniformPendingDisposal.push(uniforms);
    return this.make(pipeline, buffers, uniforms);
  }

  private make({ layout }: Pipeline, buffers: readonly GPUBuffer[], uniforms: GPUBuffer): GPUBindGroup {
    return this.createBindGroup({
      layout,
      entries: [...buffers, uniforms].map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  }
}

function same(a: Uint32Array, b: Uint32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

interface TfjsBinding {
  offset: number;
  size: number;
  buffer: GPUBuffer;
}

/** What tfjs's own kernels bind: uniforms by their values, bind groups by their layout and buffers. */
export function keepTfjsBindings(backend: WebgpuBackend): void {
  const { device } = backend;
  const uniforms = new Map<string, TfjsBinding>();
  const seen = new Set<string>();
  const make = backend.makeUniforms;
  backend.makeUniforms = (values: TfjsUniform[]) => {
    const key = values.map(({ type, data }) => `${type[0]}${data}`).join(' ');
    const kept = uniforms.get(key);
    if (kept) return kept;
    const made = make.call(backend, values);
    // Values that come a second time will come again: their buffer is not given back.
    if (seen.has(key) && uniforms.size < MOST) {
      uniforms.set(key, made);
      backend.uniformPendingDisposal.pop();
      backend.bufferManager.keep(made.buffer);
    } else {
      if (seen.size >= MOST) seen.clear();
      seen.add(key);
    }
    return made;
  };
  const groups = new Map<string, GPUBindGroup>();
  const layouts = new WeakMap<object, number>();
  let layoutCount = 0;
  const createBindGroup = device.createBindGroup.bind(device);
  replace(device, 'createBindGroup', (descriptor: GPUBindGroupDescriptor) => {
    const layout = layouts.get(descriptor.layout) ?? layoutCount++;
    layouts.set(descriptor.layout, layout);
    let key = `${layout}`;
    for (const { resource } of descriptor.entries)
      key += ` ${backend.bufferManager.numberOf((resource as GPUBufferBinding).buffer)}`;
    const kept = groups.get(key);
    if (kept) return kept;
    const group = createBindGroup(descriptor);
    if (groups.size >= MOST) groups.clear();
    groups.set(key, group);
    return group;
  });
  // tfjs asks a pipeline for its layout at every dispatch, and gets another object each time.
  const createComputePipeline = device.createComputePipeline.bind(device);
  replace(device, 'createComputePipeline', (descriptor: GPUComputePipelineDescriptor) => {
    const pipeline = createComputePipeline(descriptor);
    const layout = pipeline.getBindGroupLayout(0);
    replace(pipeline, 'getBindGroupLayout', () => layout);
    return pipeline;
  });
}

/** An own property of Dawn's object, in front of its method. */
function replace(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, configurable: true });
}
