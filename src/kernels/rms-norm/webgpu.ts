/** RMS norm's kernels on webgpu. */
import { normKernels } from '../webgpu/norm.js';

export const kernels = normKernels('RmsNorm', false);
