/** The causal convolution's kernels on wasm (assembly/causal-conv.ts). */
import type * as tf from '@tensorflow/tfjs';
import { wasmKernel } from '../wasm/module.js';

export const kernels: tf.KernelConfig[] = [
  wasmKernel('CausalConv', ({ exports, at, output, scratch }, { x, weight, bias, reset }, attrs) => {
    const [batch, length, channels] = x!.shape as [number, number, number];
    const width = weight!.shape[1]!;
    const y = output(x!.shape);
    exports.convForward(
      batch,
      length,
      channels,
      width,
      at(x),
      at(weight),
      at(bias),
      attrs['activation'] as number,
      at(reset),
      at(y),
      scratch(exports.convScratchBytes(channels, width)),
    );
    return y;
  }),
  wasmKernel('CausalConvGrad', ({ exports, at, output, scratch }, { x, weight, bias, reset, dy }, attrs) => {
    const [batch, length, channels] = x!.shape as [number, number, number];
    const width = weight!.shape[1]!;
    const dx = output(x!.shape);
    const dw = output(weight!.shape);
    const dbias = bias && output(bias.shape);
    exports.convBackward(
      batch,
      length,
      channels,
      width,
      at(x),
      at(weight),
      at(bias),
      attrs['activation'] as number,
      at(reset),
      at(dy),
      at(dx),
      at(dw),
      at(dbias),
      scratch(exports.convScratchBytes(channels, width)),
    );
    return dbias ? [dx, dw, dbias] : [dx, dw];
  }),
];
