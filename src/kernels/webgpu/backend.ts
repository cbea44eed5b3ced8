/** What the files of this folder know of tfjs's WebGPU backend, and what they add to it. */
import type * as tf from '@tensorflow/tfjs';
import type { Buffers } from './device/buffers.js';

/** What we use of tfjs's WebGPUBackend. */
export interface WebgpuBackend extends tf.KernelBackend {
  device: GPUDevice;
  /** Ours: who counts and times what is recorded (profile.ts). */
  observer?: DispatchObserver | undefined;
  /** Ours: what went wrong on the device. */
  trouble: Trouble;
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  dispatchCountInPass: number;
  /** Data that recorded, not yet submitted commands use: it is released after they are submitted. */
  commandQueueOwnedIds: WeakSet<object>;
  uniformPendingDisposal: GPUBuffer[];
  tensorMap: {
    get(dataId: object): {
      resource?: GPUBuffer;
      values: tf.BackendValues | null;
      dtype: tf.DataType;
      shape: number[];
    };
  };
  bufferManager: Buffers;
  /** Ours: bind groups and uniforms. */
  bindings: {
    bind(pipeline: Pipeline, buffers: readonly GPUBuffer[], values: Uint32Array<ArrayBuffer>): GPUBindGroup;
  };
  makeUniforms(values: TfjsUniform[]): {
    offset: number;
    size: number;
    buffer: GPUBuffer;
  };
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  uploadToGPU(dataId: object): void;
  makeTensorInfo(shape: number[], dtype: tf.DataType): tf.TensorInfo;
  /** How tfjs's own kernels come to a dispatch. */
  recordAndSubmit(program: object, output: tf.TensorInfo, inputs: tf.TensorInfo[], uniforms?: unknown): void;
}

/** The device is gone (removed, reset, out of memory): whatever lay on it is lost. */
export class DeviceLostError extends Error {
  constructor(message: string) {
    super(`the GPU device was lost: ${message}`);
    this.name = 'DeviceLostError';
  }
}

/** The first thing that went wrong on a device; WebGPU reports such things later and elsewhere. */
export interface Trouble {
  error?: Error;
}

/** Told of every dispatch while a profile is made. */
export interface DispatchObserver {
  begin(): void;
  end(
    program: string,
    tensors: tf.TensorInfo[],
    workgroups: number,
    work?: { flops?: number; bytes?: number },
  ): void;
  /** The program waits for values. */
  read(): void;
}

/** A pipeline with its layout and a number of its own. */
export interface Pipeline {
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
  number: number;
}

/** A number or some, as tfjs hands them to a program. */
export interface TfjsUniform {
  type: 'int32' | 'uint32' | 'float32';
  data: number[];
}
