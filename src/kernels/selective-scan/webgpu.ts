/** The selective scan's kernels on webgpu (wgsl-forward.ts, wgsl-backward.ts, wgsl-around.ts), for both forms of the op. */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { type WebgpuKernels, webgpuKernel } from '../webgpu/program.js';
import { sumRows } from '../webgpu/sum-rows.js';
import { addTiles, EPILOGUE_ROWS, fold, scanEpilogue, scanPrologue, unpad } from './wgsl-around.js';
import { backwardTile, scanBackward } from './wgsl-backward.js';
import { forwardTile, packParameters, quadTensors, scanForward, spreadStates } from './wgsl-forward.js';

type Inputs = tf.NamedTensorInfoMap;

/**
 * Operations a channel, state and step: dt A, exp, decay h, dt B x + (2), C h + (2). On the way back the first five twice,
 * and fourteen more.
 */
const FORWARD_FLOPS = 7;
const BACKWARD_FLOPS = 24;

const bytesOf = (...tensors: (tf.TensorInfo | undefined)[]) =>
  tensors.reduce((sum, tensor) => sum + (tensor ? 4 * sizeOf(tensor) : 0), 0);

function sizesOf({ x, delta, B }: Inputs) {
  const [batch, length, channels] = x!.shape as [number, number, number];
  return { batch, length, channels, groups: delta!.shape[2]!, states: B!.shape[2]!, rows: batch * length };
}

function forward(
  gpu: WebgpuKernels,
  inputs: Inputs,
  attrs: tf.NamedAttrMap,
  perHead: boolean,
): tf.TensorInfo {
  const { x, delta, A, B, C, D, z, deltaBias, reset } = inputs;
  const { batch, length, channels, groups, states } = sizesOf(inputs);
  const sizeA = sizeOf(A!);
  const parameters = gpu.scratch([sizeA + 2 * groups]);
  gpu.run(packParameters, {
    read: { A, D, deltaBias },
    write: { parameters },
    uniforms: { sizeA, groupsOf: groups },
    groups: Math.ceil(Math.max(sizeA, groups) / 64),
  });
  const y = gpu.output(x!.shape);
  const { tile } = forwardTile(spreadStates(states, 32).lanes);
  gpu.run(scanForward, {
    read: { x, delta, B, C, z, reset, parameters },
    write: { y },
    vectors: quadTensors(states, ['B', 'C']),
    constants: {
      CHANNELS: channels,
      STATES: states,
      GROUPS: groups,
      PER_HEAD: perHead,
      SOFT: Boolean(attrs['deltaSoftplus']),
      SKIP: D !== undefined,
      BIASED: deltaBias !== undefined,
    },
    uniforms: { length },
    groups: batch * Math.ceil(channels / tile),
    work: { flops: FORWARD_FLOPS * batch * length * channels * states, bytes: bytesOf(x, delta, B, C, z, y) },
  });
  return y;
}

function backward(
  gpu: WebgpuKernels,
  inputs: Inputs,
  attrs: tf.NamedAttrMap,
  perHead: boolean,
): tf.TensorInfo[] {
  const { x, delta, A, B, C, D, z, deltaBias, reset, dy } = inputs;
  const { batch, length, channels, groups, states, rows } = sizesOf(inputs);
  const { quads, tile, chunk } = backwardTile(states);
  const constants = { CHANNELS: channels, GROUPS: groups };
  const SOFT = Boolean(attrs['deltaSoftplus']);
  const steps = gpu.scratch([rows, channels, 4]);
  const dz = z && gpu.output(z.shape);
  gpu.run(scanPrologue, {
    read: { x, delta, z, deltaBias, reset, dy },
    write: { steps, dz },
    vectors: ['steps'],
    constants: { ...constants, SOFT },
    uniforms: { size: rows * channels },
    groups: Math.ceil((rows * channels) / 128),
  });

  const tiles = Math.ceil(channels / tile);
  const out = gpu.scratch([rows, channels, 4]);
  const parts = gpu.scratch([tiles, rows, 2, quads, 4]);
  const partsOfA = gpu.scratch([batch, channels, quads, 4]);
  const kept = gpu.scratch([batch, Math.ceil(length / chunk), channels, quads, 4]);
  gpu.run(scanBackward, {
    read: { steps, A, B, C },
    write: {
      out,
      dBC: parts,
      dA: partsOfA,
      kept: gpu.scratch([batch, Math.ceil(length / chunk), channels, quads, 4]),
    },
    vectors: ['steps', 'out', 'dBC', 'dA', 'kept', ...quadTensors(states, ['B', 'C'])],
    constants: { ...constants, STATES: states, PER_HEAD: perHead, GATED: z !== undefined },
    uniforms: { length },
    groups: batch * tiles,
    work: {
      flops: BACKWARD_FLOPS * rows * channels * states,
      bytes: bytesOf(steps, out, B, C, parts, kept, kept),
    },
  });

  const [dB, dC] = [gpu.output(B!.shape), gpu.output(C!.shape)];
  gpu.run(addTiles, {
    read: { parts },
    write: { dB, dC },
    constants: { STATES: states },
    uniforms: { rows, tiles },
    groups: Math.ceil((rows * states) / 128),
  });

  const slabs = Math.ceil(rows / EPILOGUE_ROWS);
  const dx = gpu.output(x!.shape);
  const ddelta = gpu.output(delta!.shape);
  const perChannel = perHead ? gpu.scratch([rows, channels]) : ddelta;
  const [dD, dBias] = [D, deltaBias].map((tensor) => tensor && gpu.scratch([slabs, channels]));
  gpu.run(scanEpilogue, {
    read: { steps, out, D },
    write: { dx, ddelta: perChannel, dz, dD, dBias },
    vectors: ['steps', 'out'],
    constants: { ...constants, SOFT },
    uniforms: { rows },
    groups: slabs * Math.ceil(channels / 64),
  });
  if (perHead) addUp(gpu, perChannel, ddelta);

  const overRows = (part: tf.TensorInfo): tf.TensorInfo => {
    const total = gpu.output([groups]);
    const sums = perHead ? gpu.scratch([channels]) : total;
    sumRows(gpu, part, slabs, sums);
    if (perHead) addUp(gpu, sums, total);
    return total;
  };
  const dA = gradientOfA(gpu, partsOfA, A!, states);
  return [
    ...[dx, ddelta, dA, dB, dC],
    ...(dD ? [overRows(dD)] : []),
    ...(dz ? [dz] : []),
    ...(dBias ? [overRows(dBias)] : []),
  ];
}

/** From parts [batch, channels, quads, 4]: over sequences, and where A is [heads] over the channels and states of a head. */
function gradientOfA(
  gpu: WebgpuKernels,
  parts: tf.TensorInfo,
  A: tf.TensorInfo,
  states: number,
): tf.TensorInfo {
  const [batch, channels, quads] = parts.shape as [number, number, number];
  const dA = gpu.output(A.shape);
  if (A.shape.length === 2 && states === quads * 4) {
    sumRows(gpu, parts, batch, dA);
    return dA;
  }
  const sums = gpu.scratch([channels, quads * 4]);
  sumRows(gpu, parts, batch, sums);
  if (A.shape.length === 1) addUp(gpu, sums, dA);
  else
    gpu.run(unpad, {
      read: { x: sums },
      write: { y: dA },
      constants: { STATES: states },
      uniforms: { size: sizeOf(dA) },
      groups: Math.ceil(sizeOf(dA) / 64),
    });
  return dA;
}

/** Each entry of y is the sum of as many neighbours in x as there are for it. */
function addUp(gpu: WebgpuKernels, x: tf.TensorInfo, y: tf.TensorInfo): void {
  const size = sizeOf(y);
  gpu.run(fold, {
    read: { x },
    write: { y },
    uniforms: { size, stride: sizeOf(x) / size },
    groups: Math.ceil(size / 64),
  });
}

function scanKernels(name: string, perHead: boolean): tf.KernelConfig[] {
  return [
    webgpuKernel(name, (gpu, inputs, attrs) => forward(gpu, inputs, attrs, perHead)),
    webgpuKernel(`${name}Grad`, (gpu, inputs, attrs) => backward(gpu, inputs, attrs, perHead)),
  ];
}

export const kernels: tf.KernelConfig[] = [
  ...scanKernels('SelectiveScan', false),
  ...scanKernels('HeadScan', true),
];
