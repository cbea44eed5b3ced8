/** What is kept from step to step on webgpu: buffers, bind groups, uniforms; scalars that come late; the count of what is done. */
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openBackend, profileWork } from '../../src/kernels/backend.js';
import { lateScalars } from '../../src/kernels/late.js';
import { layerNorm } from '../../src/kernels/layer-norm/op.js';
import { linear } from '../../src/kernels/matmul/op.js';
import { Buffers } from '../../src/kernels/webgpu/device/buffers.js';
import { type Program, webgpuKernel } from '../../src/kernels/webgpu/program.js';
import { noAdapter } from './adapter.js';

describe('buffers', () => {
  const device = () => {
    const made: { destroyed: boolean }[] = [];
    const createBuffer = () => {
      const buffer = {
        destroyed: false,
        destroy() {
          this.destroyed = true;
        },
      };
      made.push(buffer);
      return buffer;
    };
    return { made, buffers: new Buffers({ createBuffer } as unknown as GPUDevice) };
  };

  it('gives what was released, the lowest number first, whatever the order of the releases', () => {
    const { buffers, made } = device();
    const [a, b, c] = [0, 1, 2].map(() => buffers.acquireBuffer(16, 1));
    for (const buffer of [b!, c!, a!]) buffers.releaseBuffer(buffer);
    expect([0, 1, 2].map(() => buffers.acquireBuffer(16, 1))).toEqual([a, b, c]);
    expect(made.length).toBe(3);
    expect(buffers.acquireBuffer(16, 2)).not.toBe(a);
    expect(buffers.acquireBuffer(32, 1)).not.toBe(a);
  });

  it('counts what is in use, and not what is kept for ever', () => {
    const { buffers, made } = device();
    const [a, b] = [buffers.acquireBuffer(16, 1), buffers.acquireBuffer(16, 1)];
    buffers.keep(a);
    expect([buffers.numBytesUsed, buffers.getNumUsedBuffers()]).toEqual([16, 1]);
    buffers.releaseBuffer(b, false);
    expect([buffers.numBytesUsed, buffers.numBytesAllocated]).toEqual([0, 16]);
    expect(made.map(({ destroyed }) => destroyed)).toEqual([false, true]);
  });
});

const add: Program = {
  name: 'testAdd',
  threads: 1,
  code: () => 'fn run(group: u32, lane: u32) { x[group] += u.extra; }',
};

describe.skipIf(noAdapter)('on webgpu', () => {
  let bindGroups: ReturnType<typeof vi.spyOn>;

  beforeAll(async () => {
    const { findAdapter } = await import('../../src/kernels/webgpu/device/dawn.js');
    await findAdapter();
    bindGroups = vi.spyOn(GPUDevice.prototype, 'createBindGroup');
    await openBackend('webgpu');
    tf.registerKernel(
      webgpuKernel('TestAdd', (gpu, { x }, attrs) => {
        gpu.run(add, { write: { x }, floats: { extra: attrs['extra'] as number }, groups: x!.shape[0]! });
        return [];
      }),
    );
  });
  afterAll(() => {
    bindGroups.mockRestore();
  });

  it('uniforms differ from dispatch to dispatch of one submission, and of several', () => {
    tf.tidy(() => {
      const x = tf.tensor1d([0, 0, 0]);
      for (let round = 0; round < 3; round++) {
        for (const extra of [1, 10, 100, 1]) tf.engine().runKernel('TestAdd', { x }, { extra });
        expect([...x.dataSync()]).toEqual(Array(3).fill(112 * (round + 1)));
      }
    });
  });

  it('work that is repeated makes no bind group anew', () => {
    const values = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
    const work = () =>
      tf.tidy(() => {
        const x = tf.tensor2d(values, [4, 6]);
        const y = tf.relu(
          layerNorm(linear(x, tf.tensor2d(values, [4, 6])), tf.ones([4]), tf.zeros([4]), 1e-5),
        );
        return [...y.dataSync()];
      });
    const first = work();
    for (let i = 0; i < 4; i++) expect(work()).toEqual(first);
    bindGroups.mockClear();
    for (let i = 0; i < 3; i++) expect(work()).toEqual(first);
    expect(bindGroups).not.toHaveBeenCalled();
  });

  it('scalars come late, in order and all of them, without a read', async () => {
    const late = await lateScalars();
    expect(late.atOnce).toBe(false);
    const got: number[] = [];
    const wanted = Array.from({ length: 50 }, (_, i) => (i === 20 ? Number.NaN : i));
    let reads = 0;
    const counted = { begin: () => {}, end: () => {}, read: () => void reads++ };
    const backend = tf.backend() as unknown as { observer: unknown };
    backend.observer = counted;
    for (const value of wanted) {
      tf.tidy(() => late.add(tf.scalar(value)));
      got.push(...(await late.arrived()));
    }
    expect(got.length).toBeLessThan(50);
    got.push(...(await late.all()));
    backend.observer = undefined;
    expect(got).toEqual(wanted);
    expect(await late.all()).toEqual([]);
    expect(reads).toBe(0);
    late.dispose();
  });

  it('dispatches, bytes, operations and reads are counted', async () => {
    const a = tf.ones([8, 16]) as tf.Tensor2D;
    const b = tf.ones([4, 16]) as tf.Tensor2D;
    const profile = (await profileWork(() => {
      tf.tidy(() => tf.relu(linear(a, b)).dataSync());
    }))!;
    tf.dispose([a, b]);
    expect(profile.reads).toBe(1);
    const product = profile.dispatches.find(({ program }) => program === 'gemm')!;
    expect(product).toMatchObject({ flops: 2 * 8 * 4 * 16, bytes: 4 * (8 * 16 + 16 * 4 + 8 * 4) });
    expect(profile.dispatches.some(({ program }) => program.startsWith('tfjs '))).toBe(true);
    for (const { seconds } of profile.dispatches)
      if (seconds !== undefined) expect(seconds).toBeGreaterThanOrEqual(0);
  });

  it('no profile of another backend', async () => {
    await openBackend('cpu');
    let ran = false;
    const profile = await profileWork(() => {
      ran = true;
    });
    expect([profile, ran]).toEqual([undefined, false]);
    const late = await lateScalars();
    tf.tidy(() => late.add(tf.scalar(3)));
    expect(await late.arrived()).toEqual([3]);
    await openBackend('webgpu');
  });
});
