import { describeKernels } from '../../src/contract/kernels.js';

describeKernels('cpu', 4);
