/** The kernels built without fused multiply-adds, for engines that lack relaxed SIMD. */
import { beforeAll, expect, it } from 'vitest';
import { describeKernels } from '../../src/contract/kernels.js';
import { describeSampledCrossEntropy } from '../../src/contract/sampled-cross-entropy.js';
import { openBackend, simdVariant } from '../../src/kernels/backend.js';

process.env['PERFLAW_SIMD'] = 'baseline';

beforeAll(async () => {
  await openBackend('wasm');
});

it('runs without relaxed SIMD', () => expect(simdVariant()).toBe('baseline'));

describeKernels('wasm', 10);
describeSampledCrossEntropy('wasm', 10);
