/**
 * The composed kernels on libtensorflow, where its package is installed or PERFLAW_TENSORFLOW names a folder with it
 * (test/tensorflow/build.sh makes one).
 */
import { describe, it } from 'vitest';
import { describeHeadKernels } from '../../src/contract/head-kernels.js';
import { describeKernels } from '../../src/contract/kernels.js';
import { findTensorflow } from '../../src/kernels/tensorflow.js';

if (findTensorflow()) {
  describeKernels('tensorflow', 10);
  describeHeadKernels('tensorflow', 10);
} else {
  console.log(
    'Skipped: kernels on tensorflow, no @tensorflow/tfjs-node (npm run build:tensorflow -- FOLDER).',
  );
  describe.skip('kernels on tensorflow', () => {
    it('needs @tensorflow/tfjs-node', () => {});
  });
}
