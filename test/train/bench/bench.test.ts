/** What `perflaw bench` measures, and the bounds beside it. */
import { describe, expect, it } from 'vitest';
import { openBackend } from '../../../src/kernels/backend.js';
import {
  boundOf,
  boundOfAdapter,
  DEVICE_NAMES,
  deviceBound,
  totalsByProgram,
} from '../../../src/train/bench/bound.js';
import { measureStep } from '../../../src/train/bench/measure.js';

describe('bounds', () => {
  const device = { name: 'a device', bandwidth: 1e12, flops: 1e13, launch: 1e-6 };

  it('the longest of moving, computing and launching', () => {
    expect(boundOf({ bytes: 1e9, flops: 1e9 }, device)).toEqual({ seconds: 1e-3, by: 'memory' });
    expect(boundOf({ bytes: 1e6, flops: 1e12 }, device)).toEqual({ seconds: 0.1, by: 'arithmetic' });
    expect(boundOf({ bytes: 10, flops: 10 }, device)).toEqual({ seconds: 1e-6, by: 'launch' });
  });

  it('sums by program, the longest first, and no time where one has none', () => {
    const record = (program: string, seconds: number | undefined, bytes = 0) => ({
      ...{ program, workgroups: 1, flops: 0 },
      ...{ seconds, bytes },
    });
    const totals = totalsByProgram(
      [record('a', 1e-3), record('b', 2e-3, 1e9), record('a', 3e-3), record('c', undefined)],
      device,
    );
    expect(totals.map(({ program, dispatches, seconds }) => [program, dispatches, seconds])).toEqual([
      ['a', 2, 4e-3],
      ['b', 1, 2e-3],
      ['c', 1, undefined],
    ]);
    expect(totals[1]!.boundBy).toEqual({ memory: 1e-3, arithmetic: 0, launch: 0 });
  });

  it('devices by name, and by what an adapter calls itself', () => {
    for (const name of DEVICE_NAMES) expect(deviceBound(name).bandwidth).toBeGreaterThan(1e9);
    expect(() => deviceBound('abacus')).toThrow(/no figures of a device 'abacus'/);
    expect(boundOfAdapter('NVIDIA H100 80GB HBM3')).toBe(deviceBound('h100'));
    expect(boundOfAdapter('NVIDIA GeForce RTX 4090 (nvidia)')).toBe(deviceBound('rtx4090'));
    expect(boundOfAdapter('SwiftShader')).toBeUndefined();
  });
});

it.each(['mamba4rec', 'tim4rec', 'ssd4rec'] as const)('a step of %s is measured on wasm', async (name) => {
  await openBackend('wasm');
  const model = { name, dim: 16, dState: 4, maxLength: 12, headDim: 8 };
  const measure = await measureStep(
    { model, rows: 2, items: 30, backend: 'wasm' },
    { steps: 1, rounds: 1, bound: undefined, fallback: deviceBound('h100') },
  );
  expect(measure).toMatchObject({ model: name, dim: 16, rows: 2, length: 12, backend: 'wasm' });
  expect(measure.gpu).toBeUndefined();
  expect(measure.loss).toBeGreaterThan(0);
  expect(measure.tokensPerSecond).toBeCloseTo(24 / measure.seconds, 6);
});
