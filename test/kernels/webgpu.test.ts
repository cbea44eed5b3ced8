import { describe } from 'vitest';
import { describeHeadKernels } from '../contract/head-kernels.js';
import { describeKernels } from '../contract/kernels.js';
import { noAdapter } from './adapter.js';

describe.skipIf(noAdapter)('webgpu', () => {
  describeKernels('webgpu', 4);
  describeHeadKernels('webgpu', 4);
});
