import { describe } from 'vitest';
import { describeHeadKernels } from '../../src/contract/head-kernels.js';
import { describeKernels } from '../../src/contract/kernels.js';
import { describeSampledCrossEntropy } from '../../src/contract/sampled-cross-entropy.js';
import { noAdapter } from './adapter.js';

describe.skipIf(noAdapter)('webgpu', () => {
  describeKernels('webgpu', 4);
  describeHeadKernels('webgpu', 4);
  describeSampledCrossEntropy('webgpu', 4);
});
