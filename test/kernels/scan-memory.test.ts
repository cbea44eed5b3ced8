/** The scans on memory that held something else before: no number may come from what was never written. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { KernelExports } from '../../src/kernels/wasm/exports.js';

/** Shapes with a last block that is no whole one, and with none. */
const SHAPES = [
  { length: 5, channels: 6, states: 3, heads: 3 },
  { length: 37, channels: 13, states: 7, heads: 1 },
  { length: 32, channels: 16, states: 8, heads: 2 },
];

it.each(SHAPES)('%o', async ({ length, channels, states, heads }) => {
  const memory = new WebAssembly.Memory({ initial: 64 });
  const module = await WebAssembly.compile(readFileSync(new URL('../../dist/kernels.wasm', import.meta.url)));
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const kernels = instance.exports as unknown as KernelExports;
  const floats = new Float32Array(memory.buffer);

  const run = (name: 'scan' | 'headScan', filling: number): Float32Array[] => {
    floats.fill(filling);
    kernels.placeCoefficients(64);
    let at = 1024;
    const place = (count: number) => {
      const here = at;
      at += 64 * Math.ceil((4 * count) / 64);
      return here;
    };
    const input = (count: number) => {
      const here = place(count);
      for (let i = 0; i < count; i++) floats[here / 4 + i] = Math.sin(i + here);
      return here;
    };
    const wide = length * channels;
    const groups = name === 'scan' ? channels : heads;
    const widths = name === 'scan' ? [channels, states] : [channels, heads, states];
    const [x, delta] = [input(wide), input(length * groups)];
    const A = input(name === 'scan' ? channels * states : heads);
    const [B, C, D] = [input(length * states), input(length * states), input(groups)];
    const [z, bias, dy] = [input(wide), input(groups), input(wide)];
    const reset = place(length);
    new Int32Array(memory.buffer, reset, length).fill(0);
    const call = (part: string, ...numbers: number[]) =>
      (kernels as unknown as Record<string, (...numbers: number[]) => number>)[name + part]!(...numbers);
    const [y, kept] = [place(wide), place(call('KeptFloats', length, ...widths))];
    const sizes = [wide, length * groups, name === 'scan' ? channels * states : heads];
    sizes.push(length * states, length * states, groups, wide, groups);
    const gradients = sizes.map(place);
    const scratch = ['ForwardBytes', 'BackwardKeptBytes', 'BackwardBytes'].map((part) =>
      place(call(part, ...widths) / 4),
    );
    const inputs = [x, delta, A, B, C, D, z, bias, 1, reset];
    call('Forward', 1, length, ...widths, ...inputs, y, kept, scratch[0]!);
    for (let block = Math.ceil(length / 16) - 1; block >= 0; block--) {
      const place = [0, block, 0, groups, 0, 0, scratch[1]!, scratch[2]!];
      call('Backward', ...place, 1, length, ...widths, ...inputs, dy, ...gradients, kept);
    }
    return [y, ...gradients].map((from, i) =>
      floats.slice(from / 4, from / 4 + (i === 0 ? wide : sizes[i - 1]!)),
    );
  };

  for (const name of ['scan', 'headScan'] as const) {
    const clean = run(name, 0);
    for (const values of clean) expect(values.every(Number.isFinite)).toBe(true);
    expect(run(name, Number.NaN)).toEqual(clean);
  }
});
