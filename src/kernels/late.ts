/** Scalars whose values are wanted some time later: on a GPU nobody waits for them, elsewhere they are there at once. */
import * as tf from '@tensorflow/tfjs';
import type { WebgpuBackend } from './webgpu/backend.js';

export interface LateScalars {
  /** Whether values are there at once, so that what follows may depend on them. */
  readonly atOnce: boolean;
  /** Takes a scalar, and sends what was recorded for the GPU on its way: the end of a step. */
  add(scalar: tf.Tensor): void;
  /** Values that have come since the last call, in the order in which they were added; waits only where the GPU is far behind. */
  arrived(): Promise<number[]>;
  /** All values that have not been returned yet, waited for. */
  all(): Promise<number[]>;
  dispose(): void;
}

/** For the backend that is open. */
export async function lateScalars(): Promise<LateScalars> {
  if (tf.getBackend() === 'webgpu') {
    const { GpuScalars } = await import('./webgpu/device/gpu-scalars.js');
    return new GpuScalars(tf.backend() as WebgpuBackend);
  }
  let values: number[] = [];
  const take = async () => {
    const taken = values;
    values = [];
    return taken;
  };
  return {
    atOnce: true,
    add: (scalar) => void values.push(scalar.dataSync()[0]!),
    arrived: take,
    all: take,
    dispose: () => {},
  };
}
