/** The harness for WGSL programs: splits of large dispatches, changes in place, and what goes wrong on a device. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { type Program, webgpuKernel } from '../../src/kernels/webgpu/program.js';
import { noAdapter } from './adapter.js';

const count: Program = {
  name: 'testCount',
  threads: 1,
  code: () => 'fn run(group: u32, lane: u32) { y[group] = f32(group); }',
};

const double: Program = {
  name: 'testDouble',
  threads: 4,
  code: (_, has) => `
fn run(group: u32, lane: u32) {
  let i = group * THREADS + lane;
  if (i < u.size) { x[i] = 2.0 * x[i]${has('shift') ? ' + shift[0]' : ''} + u.extra; }
}`,
};

describe.skipIf(noAdapter)('programs on webgpu', () => {
  beforeAll(async () => {
    await openBackend('webgpu');
    tf.registerKernel(
      webgpuKernel('TestCount', (gpu, _, attrs) => {
        const groups = attrs['groups'] as number;
        const y = gpu.output([groups]);
        gpu.run(count, { write: { y }, groups });
        return y;
      }),
    );
    tf.registerKernel(
      webgpuKernel('TestDouble', (gpu, { x, shift }) => {
        const size = x!.shape[0]!;
        gpu.run(double, {
          read: { shift },
          write: { x },
          uniforms: { size },
          floats: { extra: 0.5 },
          groups: Math.ceil(size / 4),
        });
        return [];
      }),
    );
    tf.registerKernel(
      webgpuKernel('TestFaulty', (gpu) => {
        const y = gpu.output([1]);
        gpu.run(
          { ...count, name: 'testFaulty', code: () => 'fn run(group: u32, lane: u32) { y[0] = nothing; }' },
          {
            write: { y },
            groups: 1,
          },
        );
        return y;
      }),
    );
  });

  const run = (name: string, inputs: tf.NamedTensorMap = {}, attrs: tf.NamedAttrMap = {}) =>
    tf.engine().runKernel(name, inputs, attrs) as tf.Tensor;

  it('runs every workgroup once, beyond the 65,535 that one dimension holds', () => {
    tf.tidy(() => {
      for (const groups of [1, 65_535, 65_536, 140_001]) {
        const y = run('TestCount', {}, { groups }).dataSync();
        expect(y.every((v, i) => v === i)).toBe(true);
      }
    });
  });

  it('changes a tensor in place, read before or not, with and without an optional input', () => {
    tf.tidy(() => {
      const x = tf.tensor1d([1, 2, 3, 4, 5]);
      run('TestDouble', { x });
      expect([...x.dataSync()]).toEqual([2.5, 4.5, 6.5, 8.5, 10.5]);
      run('TestDouble', { x, shift: tf.tensor1d([1]) });
      expect([...x.dataSync()]).toEqual([6.5, 10.5, 14.5, 18.5, 22.5]);
    });
  });

  it('frees what a kernel needed meanwhile, on the GPU too', () => {
    const step = () => tf.tidy(() => void run('TestCount', {}, { groups: 10 }).dataSync());
    step();
    const before = tf.memory() as tf.MemoryInfo & { numBytesInGPU: number; numBytesAllocatedInGPU: number };
    for (let i = 0; i < 50; i++) step();
    const after = tf.memory() as typeof before;
    expect(after.numTensors).toBe(before.numTensors);
    expect(after.numBytesInGPU).toBe(before.numBytesInGPU);
    expect(after.numBytesAllocatedInGPU).toBe(before.numBytesAllocatedInGPU);
  });

  it('tells of a faulty program where its result is read', async () => {
    const y = tf.tidy(() => run('TestFaulty'));
    await new Promise(setImmediate);
    expect(() => y.dataSync()).toThrow(/nothing/);
  });
});
