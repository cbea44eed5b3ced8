/** Adam on webgpu, in place: as many parameters a dispatch as the device binds tensors; the clipping stays on the GPU. */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { type Program, type WebgpuKernels, webgpuKernel } from '../webgpu/program.js';
import { sumOver } from '../webgpu/wgsl.js';

const each = (n: number, line: (i: number) => string) =>
  Array.from({ length: n }, (_, i) => line(i)).join('\n');

/** Uniforms end0, end1, ...: where each tensor ends when they stand one behind the other. */
const ends = (sizes: number[]) => {
  let end = 0;
  return Object.fromEntries(
    sizes.map((size, i) => {
      end += size;
      return [`end${i}`, end];
    }),
  );
};

/** Statements of `inside(tensor)` for element `i` of tensor number t. */
const choose = (n: number, inside: (t: number) => string) =>
  each(
    n,
    (t) => `if (at < u.end${t}) { let i = at${t > 0 ? ` - u.end${t - 1}` : ''}; ${inside(t)} return; }`,
  );

/** The step of assembly/elementwise.ts; `keep` is 1 - rate decay. */
const adam: Program = {
  name: 'adam',
  threads: 256,
  code: ({ TENSORS }, has) => `
fn run(group: u32, lane: u32) {
  let at = group * THREADS + lane;
  let clip = ${has('clip') ? 'clip[0]' : 'u.clip'};
  ${choose(
    TENSORS as number,
    (t) => `
    let g = clip * g${t}[i];
    let m = fma(u.beta1, m${t}[i], u.rest1 * g);
    let v = fma(u.beta2, v${t}[i], u.rest2 * g * g);
    m${t}[i] = m;
    v${t}[i] = v;
    p${t}[i] = p${t}[i] * u.keep - m * u.rate / (sqrt(v / u.correction2) + u.epsilon);`,
  )}
}`,
};

/** Elements that one workgroup squares and adds. */
const BLOCK = 4096;

const squares: Program = {
  name: 'squares',
  threads: 256,
  code: ({ TENSORS }) => `${sumOver('f32', 256)}
fn square(at: u32) -> f32 {
  ${each(TENSORS as number, (t) => `if (at < u.end${t}) { let v = x${t}[at${t > 0 ? ` - u.end${t - 1}` : ''}]; return v * v; }`)}
  return 0.0;
}
fn run(group: u32, lane: u32) {
  var sum = 0.0;
  for (var j = lane; j < ${BLOCK}; j += THREADS) { sum += square(group * ${BLOCK} + j); }
  let total = sumOver(lane, sum);
  if (lane == 0) { y[u.first + group] = total; }
}`,
};

/** min(1, norm / sqrt(sum of x)) */
const factor: Program = {
  name: 'clipFactor',
  threads: 256,
  code: () => `${sumOver('f32', 256)}
fn run(group: u32, lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < u.size; i += THREADS) { sum += x[i]; }
  let norm = sqrt(sumOver(lane, sum));
  if (lane == 0) { y[0] = select(1.0, u.norm / norm, norm > u.norm); }
}`,
};

/** Slices of at most `n` of a list. */
function slices<T>(list: readonly T[], n: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / n) }, (_, i) => list.slice(i * n, (i + 1) * n));
}

/** Inputs `name0`, `name1`, ... */
function numbered(inputs: tf.NamedTensorInfoMap, name: string): tf.TensorInfo[] {
  const list: tf.TensorInfo[] = [];
  for (let i = 0; inputs[`${name}${i}`]; i++) list.push(inputs[`${name}${i}`]!);
  return list;
}

const bindings = (gpu: WebgpuKernels) => gpu.device.limits.maxStorageBuffersPerShaderStage;

export const kernels: tf.KernelConfig[] = [
  webgpuKernel('AdamSteps', (gpu, inputs, attrs) => {
    const s = attrs as Record<string, number>;
    const perDispatch = Math.floor((bindings(gpu) - (inputs['clip'] ? 1 : 0)) / 4);
    const all = numbered(inputs, 'p').map((_, i) => i);
    for (const part of slices(all, perDispatch)) {
      const named = (name: string) =>
        Object.fromEntries(part.map((index, i) => [`${name}${i}`, inputs[`${name}${index}`]!]));
      const uniforms = ends(part.map((index) => sizeOf(inputs[`p${index}`]!)));
      gpu.run(adam, {
        read: { ...named('g'), clip: inputs['clip'] },
        write: { ...named('p'), ...named('m'), ...named('v') },
        constants: { TENSORS: part.length },
        uniforms,
        floats: {
          clip: s['clip'] ?? 1,
          rate: s['rate']! / s['correction1']!,
          beta1: s['beta1']!,
          rest1: 1 - s['beta1']!,
          beta2: s['beta2']!,
          rest2: 1 - s['beta2']!,
          epsilon: s['epsilon']!,
          correction2: s['correction2']!,
          keep: 1 - s['rate']! * s['weightDecay']!,
        },
        groups: Math.ceil(uniforms[`end${part.length - 1}`]! / 256),
      });
    }
    return [];
  }),
  webgpuKernel('ClipFactor', (gpu, inputs, attrs) => {
    const parts = slices(numbered(inputs, 'x'), bindings(gpu) - 1).map((tensors) => {
      const uniforms = ends(tensors.map(sizeOf));
      return { tensors, uniforms, groups: Math.ceil(uniforms[`end${tensors.length - 1}`]! / BLOCK) };
    });
    const size = parts.reduce((sum, { groups }) => sum + groups, 0);
    const sums = gpu.scratch([size]);
    let first = 0;
    for (const { tensors, uniforms, groups } of parts) {
      gpu.run(squares, {
        read: Object.fromEntries(tensors.map((x, i) => [`x${i}`, x])),
        write: { y: sums },
        constants: { TENSORS: tensors.length },
        uniforms: { ...uniforms, first },
        groups,
      });
      first += groups;
    }
    const y = gpu.output([]);
    gpu.run(factor, {
      read: { x: sums },
      write: { y },
      uniforms: { size },
      floats: { norm: attrs['norm'] as number },
      groups: 1,
    });
    return y;
  }),
];
