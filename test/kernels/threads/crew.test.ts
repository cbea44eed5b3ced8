import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KernelExports } from '../../../src/kernels/wasm/exports.js';
import { Crew } from '../../../src/kernels/wasm/threads/crew.js';
import { Program } from '../../../src/kernels/wasm/threads/programs.js';
import { lines, shareOf } from '../../../src/kernels/wasm/threads/share.js';
import { withSharedMemory } from '../../../src/kernels/wasm/threads/shared-memory.js';
import { spreadNumbers } from '../../../src/kernels/wasm/threads/spread.js';

const built = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url));

let crew: Crew;
let memory: WebAssembly.Memory;
let exports: KernelExports;

beforeAll(async () => {
  const module = await WebAssembly.compile(withSharedMemory(built('dist/kernels.wasm')));
  memory = new WebAssembly.Memory({ initial: 16, maximum: 65_536, shared: true });
  exports = (await WebAssembly.instantiate(module, { env: { memory } })).exports as unknown as KernelExports;
  crew = new Crew(exports, { memory, module, coefficients: 1024, wide: false });
});
afterAll(() => crew.resize(1));

describe('a crew', () => {
  it('does every call once, however many threads there are', async () => {
    const numbers = new Float32Array(memory.buffer, 65_536, 4000);
    // y = x for 40 calls of 100 elements: gatherRows of rows of one element
    const indices = new Int32Array(memory.buffer, 131_072, 4000).map((_, i) => 3999 - i);
    new Int32Array(memory.buffer, 131_072, 4000).set(indices);
    const out = new Float32Array(memory.buffer, 262_144, 4000);
    for (const threads of [1, 2, 5, 3]) {
      await crew.resize(threads);
      expect(crew.size).toBe(threads);
      for (let round = 0; round < 20; round++) {
        numbers.forEach((_, i) => {
          numbers[i] = i + round;
        });
        out.fill(-1);
        const calls = Array.from({ length: 40 }, (_, i) => [
          100,
          1,
          65_536,
          131_072 + 400 * i,
          262_144 + 400 * i,
        ]);
        crew.run(Program.spread, spreadNumbers(exports, 'gatherRows', calls));
        expect(Array.from(out)).toEqual(Array.from(numbers).reverse());
      }
    }
  });

  it('says what failed, wherever it did, and works again with new threads', async () => {
    await crew.resize(3);
    const wrong = spreadNumbers(
      exports,
      'gatherRows',
      Array.from({ length: 30 }, () => [100, 1, 0xffff_0000, 131_072, 262_144]),
    );
    expect(() => crew.run(Program.spread, wrong)).toThrow(
      'a thread of this process failed: memory access out of bounds',
    );
    const right = spreadNumbers(exports, 'zero', [[262_144, 4]]);
    expect(() => crew.run(Program.spread, right)).toThrow('a thread of this process failed');
    await crew.resize(1);
    await crew.resize(2);
    expect(crew.run(Program.spread, right)).toBe(0);
  });

  it('refuses more threads than there can be', async () => {
    await expect(crew.resize(65)).rejects.toThrow('at most 64 threads');
  });
});

describe('shares', () => {
  it('cover everything once, in whole steps but for the last', () => {
    for (const [total, parts, step] of [
      [10, 3, 1],
      [1600, 4, 64],
      [7, 4, 4],
      [3, 8, 1],
      [65, 2, 16],
    ] as const) {
      const shares = Array.from({ length: parts }, (_, i) => shareOf(total, i, parts, step));
      expect(shares[0]![0]).toBe(0);
      expect(shares.at(-1)![1]).toBe(total);
      for (let i = 1; i < parts; i++) {
        expect(shares[i]![0]).toBe(shares[i - 1]![1]);
        expect(shares[i]![0] % step === 0 || shares[i]![0] === total).toBe(true);
      }
    }
  });

  it('round addresses up beyond what 32 bits hold', () => {
    expect(lines(1)).toBe(64);
    expect(lines(3_000_000_001)).toBe(3_000_000_064);
  });
});

describe('shared memory', () => {
  const imported = (bytes: Uint8Array) => WebAssembly.Module.imports(new WebAssembly.Module(bytes));

  it.each([
    'dist/kernels.wasm',
    'node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm',
  ])('is all that changes in %s', (path) => {
    const bytes = new Uint8Array(built(path));
    const patched = withSharedMemory(bytes);
    expect(WebAssembly.validate(patched)).toBe(true);
    expect(imported(patched)).toEqual(imported(bytes));
    expect(WebAssembly.Module.exports(new WebAssembly.Module(patched))).toEqual(
      WebAssembly.Module.exports(new WebAssembly.Module(bytes)),
    );
    expect(Buffer.from(withSharedMemory(patched)).equals(patched)).toBe(true);
    expect(Math.abs(patched.length - bytes.length)).toBeLessThan(8);
  });

  it('leaves a module without memory as it is, and refuses half a one', () => {
    const empty = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0);
    expect(withSharedMemory(empty)).toEqual(empty);
    expect(() => withSharedMemory(empty.subarray(0, 9))).toThrow(RangeError);
  });
});
