import { describeKernels } from '../../src/contract/kernels.js';

describeKernels('composed', 10);
