/**
 * The kernels where V8 joins pairs of vectors, in what its optimising compiler makes of them: on the flags below from a
 * kernel's first calls on. A trial's numbers must not depend on it, bit for bit.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeHeadKernels } from '../../src/contract/head-kernels.js';
import { describeKernels } from '../../src/contract/kernels.js';
import { hasWideVectors, openBackend } from '../../src/kernels/backend.js';
import { chooseSimd } from '../../src/kernels/wasm/simd.js';

const OPTIMISED = ['--wasm-sync-tier-up', '--wasm-tiering-budget=1'];

const { wide } = chooseSimd('');
if (!wide) console.log('wide vectors are not tested: they need Node 24 to 26 on an x64 processor with AVX2');

describe.skipIf(!wide)('wide vectors', () => {
  beforeAll(async () => {
    for (const flag of OPTIMISED) setFlagsFromString(flag);
    await openBackend('wasm');
  });

  it('are on', () => expect(hasWideVectors()).toBe(true));

  describeKernels('wasm', 10);
  describeHeadKernels('wasm', 10);

  it.each(['mamba4rec', 'tim4rec', 'ssd4rec'])('train %s to the same bits', (model) => {
    const train = (simd: string, ...words: string[]) =>
      execFileSync(
        process.execPath,
        [...OPTIMISED, fileURLToPath(new URL('programs/train-bits.mjs', import.meta.url)), model, ...words],
        { env: { ...process.env, PERFLAW_SIMD: simd }, encoding: 'utf8' },
      );
    const relaxed = train('relaxed');
    expect(relaxed).toMatch(/^[0-9a-f]{64}\n$/);
    expect(train('wide')).toBe(relaxed);
    expect(train('wide', '3', 'large')).toBe(train('relaxed', '1', 'large'));
  });
});

it('an unknown choice is an error', () => {
  expect(() => chooseSimd('mmx')).toThrow("PERFLAW_SIMD is 'mmx'");
});
