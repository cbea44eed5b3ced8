/** The Mamba-2 kernels built without fused multiply-adds, for engines that lack relaxed SIMD. */
import { describeHeadKernels } from '../../src/contract/head-kernels.js';

process.env['PERFLAW_SIMD'] = 'baseline';

describeHeadKernels('wasm', 8);
