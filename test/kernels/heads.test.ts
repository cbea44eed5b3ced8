import { describeHeadKernels } from '../../src/contract/head-kernels.js';

describeHeadKernels('wasm', 25);
describeHeadKernels('composed', 10);
describeHeadKernels('cpu', 4);
