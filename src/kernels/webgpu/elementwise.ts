/** Kernels over every element alone, four at a time: y[i] = f(x[i], ...). */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import type { Program, WebgpuKernels } from './program.js';

/** Workgroups of this many threads, each with four elements. */
const THREADS = 256;

/**
 * A program whose threads write `y` from inputs of the same shape.
 * @param functions WGSL in front.
 * @param body statements over `i` (the element) that return a f32; inputs are arrays under their names.
 */
export function elementwise(name: string, functions: string, body: string): Program {
  return {
    name,
    threads: THREADS,
    code: () => `${functions}
fn element(i: u32) -> f32 { ${body} }
fn run(group: u32, lane: u32) {
  // Neighbouring threads take neighbouring elements.
  for (var j = 0u; j < 4; j++) {
    let i = (group * 4 + j) * THREADS + lane;
    if (i < u.size) { y[i] = element(i); }
  }
}`,
  };
}

/** Runs it: a new tensor of the shape of the first input. */
export function mapElements(
  gpu: WebgpuKernels,
  program: Program,
  read: Record<string, tf.TensorInfo>,
  numbers: { uniforms?: Record<string, number>; floats?: Record<string, number> } = {},
): tf.TensorInfo {
  const first = Object.values(read)[0]!;
  const size = sizeOf(first);
  const y = gpu.output(first.shape);
  gpu.run(program, {
    read,
    write: { y },
    uniforms: { size, ...numbers.uniforms },
    floats: numbers.floats ?? {},
    groups: Math.ceil(size / (4 * THREADS)),
  });
  return y;
}
