import { describeKernels } from '../contract/kernels.js';

describeKernels('composed', 10);
