/** Layer normalisation's kernels on webgpu. */
import { normKernels } from '../webgpu/norm.js';

export const kernels = normKernels('LayerNorm', true);
