/** The selective scan's kernels on wasm (assembly/selective-scan.ts). */
import type * as tf from '@tensorflow/tfjs';
import { wasmKernel } from '../wasm/module.js';

export const kernels: tf.KernelConfig[] = [
  wasmKernel(
    'SelectiveScan',
    ({ exports, at, output, scratch }, { x, delta, A, B, C, D, z, deltaBias, reset }, attrs) => {
      const [batch, length, channels] = x!.shape as [number, number, number];
      const states = A!.shape[1]!;
      const y = output([batch, length, channels]);
      exports.scanForward(
        batch,
        length,
        channels,
        states,
        at(x),
        at(delta),
        at(A),
        at(B),
        at(C),
        at(D),
        at(z),
        at(deltaBias),
        Number(attrs['deltaSoftplus']),
        at(reset),
        at(y),
        scratch(exports.scanScratchBytes(length, states)),
      );
      return y;
    },
  ),
  wasmKernel(
    'SelectiveScanGrad',
    ({ exports, at, output, scratch }, { x, delta, A, B, C, D, z, deltaBias, reset, dy }, attrs) => {
      const [batch, length, channels] = x!.shape as [number, number, number];
      const states = A!.shape[1]!;
      const like = (tensor: tf.TensorInfo | undefined) => tensor && output(tensor.shape);
      const [dx, ddelta, dA, dB, dC] = [x, delta, A, B, C].map((tensor) => output(tensor!.shape));
      const [dD, dz, dbias] = [D, z, deltaBias].map(like);
      exports.scanBackward(
        batch,
        length,
        channels,
        states,
        at(x),
        at(delta),
        at(A),
        at(B),
        at(C),
        at(D),
        at(z),
        at(deltaBias),
        Number(attrs['deltaSoftplus']),
        at(reset),
        at(dy),
        at(dx),
        at(ddelta),
        at(dA),
        at(dB),
        at(dC),
        at(dD),
        at(dz),
        at(dbias),
        scratch(exports.scanScratchBytes(length, states)),
      );
      return [dx!, ddelta!, dA!, dB!, dC!, dD, dz, dbias].filter((tensor) => tensor !== undefined);
    },
  ),
  wasmKernel(
    'HeadScan',
    ({ exports, at, output, scratch }, { x, delta, A, B, C, D, z, deltaBias, reset }, attrs) => {
      const [batch, length, channels] = x!.shape as [number, number, number];
      const [heads, states] = [A!.shape[0]!, B!.shape[2]!];
      const y = output([batch, length, channels]);
      exports.headScanForward(
        batch,
        length,
        channels,
        heads,
        states,
        at(x),
        at(delta),
        at(A),
        at(B),
        at(C),
        at(D),
        at(z),
        at(deltaBias),
        Number(attrs['deltaSoftplus']),
        at(reset),
        at(y),
        scratch(exports.headScanScratchBytes(length, states)),
      );
      return y;
    },
  ),
  wasmKernel(
    'HeadScanGrad',
    ({ exports, at, output, scratch }, { x, delta, A, B, C, D, z, deltaBias, reset, dy }, attrs) => {
      const [batch, length, channels] = x!.shape as [number, number, number];
      const [heads, states] = [A!.shape[0]!, B!.shape[2]!];
      const like = (tensor: tf.TensorInfo | undefined) => tensor && output(tensor.shape);
      const [dx, ddelta, dA, dB, dC] = [x, delta, A, B, C].map((tensor) => output(tensor!.shape));
      const [dD, dz, dbias] = [D, z, deltaBias].map(like);
      exports.headScanBackward(
        batch,
        length,
        channels,
        heads,
        states,
        at(x),
        at(delta),
        at(A),
        at(B),
        at(C),
        at(D),
        at(z),
        at(deltaBias),
        Number(attrs['deltaSoftplus']),
        at(reset),
        at(dy),
        at(dx),
        at(ddelta),
        at(dA),
        at(dB),
        at(dC),
        at(dD),
        at(dz),
        at(dbias),
        scratch(exports.headScanScratchBytes(length, states)),
      );
      return [dx!, ddelta!, dA!, dB!, dC!, dD, dz, dbias].filter((tensor) => tensor !== undefined);
    },
  ),
];
