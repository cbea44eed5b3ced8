import { describeKernels } from '../contract/kernels.js';

describeKernels('cpu', 4);
