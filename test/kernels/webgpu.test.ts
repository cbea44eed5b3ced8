import { describe } from 'vitest';
import { describeKernels } from '../contract/kernels.js';
import { noAdapter } from './adapter.js';

describe.skipIf(noAdapter)('webgpu', () => describeKernels('webgpu', 4));
