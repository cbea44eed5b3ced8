/**
 * A clone on wasm that shares the values, counted by reference as in tfjs's own Reshape, where tfjs copies them. Its tape
 * clones whatever a gradient will need, some three hundred tensors a training step. Tensors never change in place, with one
 * exception: the optimiser's step writes into variables, after the tape is gone.
 */
import type * as tf from '@tensorflow/tfjs';

export const kernels: tf.KernelConfig[] = [
  {
    kernelName: 'Identity',
    backendName: 'wasm',
    kernelFunc: ({ inputs, backend }) => {
      const x = inputs['x']!;
      (backend as tf.KernelBackend).incRef(x.dataId);
      return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
    },
  },
];
