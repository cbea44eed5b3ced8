import { describe } from 'vitest';
import { describeHeadKernels } from '../contract/head-kernels.js';
import { describeKernels } from '../contract/kernels.js';
import { describeSampledCrossEntropy } from '../contract/sampled-cross-entropy.js';
import { noAdapter } from './adapter.js';

describe.skipIf(noAdapter)('webgpu', () => {
  describeKernels('webgpu', 4);
  describeHeadKernels('webgpu', 4);
  describeSampledCrossEntropy('webgpu', 4);
});
