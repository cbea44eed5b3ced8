/** The causal convolution's kernels on wasm (assembly/causal-conv.ts): forward by rows, backward by channels. */
import type * as tf from '@tensorflow/tfjs';
import { wasmKernel } from '../wasm/module.js';

export const kernels: tf.KernelConfig[] = [
  wasmKernel('CausalConv', ({ exports, at, output, spread }, { x, weight, bias, reset }, attrs) => {
    const [batch, length, channels] = x!.shape as [number, number, number];
    const width = weight!.shape[1]!;
    const y = output(x!.shape);
    const row = 4 * length * channels;
    const [from, resets, to] = [at(x), at(reset), at(y)];
    const weights = [at(weight), at(bias), attrs['activation'] as number];
    const parts = { least: Math.ceil(32_768 / row), scratch: exports.convScratchBytes(channels, width) };
    spread('convForward', batch, parts, (first, rows, scratch) => [
      rows,
      length,
      channels,
      width,
      from + first * row,
      ...weights,
      resets && resets + 4 * first * length,
      to + first * row,
      scratch,
    ]);
    return y;
  }),
  wasmKernel('CausalConvGrad', ({ exports, at, output, spread }, { x, weight, bias, reset, dy }, attrs) => {
    const [batch, length, channels] = x!.shape as [number, number, number];
    const width = weight!.shape[1]!;
    const dx = output(x!.shape);
    const dw = output(weight!.shape);
    const dbias = bias && output(bias.shape);
    const [resets, activation] = [at(reset), attrs['activation'] as number];
    const by = (tensor: tf.TensorInfo | undefined, bytes: number) => {
      const address = at(tensor);
      return (first: number) => address && address + bytes * first;
    };
    const channel = { x: by(x, 4), dy: by(dy, 4), dx: by(dx, 4), bias: by(bias, 4), dbias: by(dbias, 4) };
    const taps = { w: by(weight, 4 * width), dw: by(dw, 4 * width) };
    // Fewer channels than a cache line holds would make threads write to one line.
    const parts = {
      least: Math.max(16, Math.ceil(16_384 / (batch * length))),
      step: 16,
      scratch: exports.convScratchBytes(channels, width),
    };
    spread('convBackward', channels, parts, (first, count, scratch) => [
      batch,
      length,
      count,
      channels,
      width,
      channel.x(first),
      taps.w(first),
      channel.bias(first),
      activation,
      resets,
      channel.dy(first),
      channel.dx(first),
      taps.dw(first),
      channel.dbias(first),
      scratch,
    ]);
    return dbias ? [dx, dw, dbias] : [dx, dw];
  }),
];
