/**
 * Layer norm and RMS norm in WGSL: a workgroup a row. On the way back a workgroup takes a slab of rows and adds up what they
 * give to gamma and beta; the slabs are added afterwards, in a fixed order.
 *
 *   xhat = (x - mean) r,  r = 1 / sqrt(var + eps);  y = gamma xhat + beta
 *   dx = r (dxhat - mean(dxhat) - xhat mean(dxhat xhat)),  dxhat = gamma dy
 *
 * RMS norm is the same without both means of x and of dxhat, and without beta.
 */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { type Constants, type Program, type WebgpuKernels, webgpuKernel } from './program.js';
import { sumRows } from './sum-rows.js';
import { powerOfTwo, sumOver } from './wgsl.js';

const threads = ({ WIDTH }: Constants) => powerOfTwo(WIDTH as number, 32, 256);

/** Mean and 1 / deviation of row `row`, over all threads; mean 0 for RMS norm. */
const STATISTICS = `
fn statistics(row: u32, lane: u32) -> vec2f {
  var mean = 0.0;
  if (CENTRED) {
    var sum = 0.0;
    for (var j = lane; j < WIDTH; j += THREADS) { sum += x[row * WIDTH + j]; }
    mean = sumOver(lane, vec2f(sum, 0.0)).x / f32(WIDTH);
  }
  var square = 0.0;
  for (var j = lane; j < WIDTH; j += THREADS) { let v = x[row * WIDTH + j] - mean; square += v * v; }
  let variance = sumOver(lane, vec2f(square, 0.0)).x / f32(WIDTH);
  return vec2f(mean, 1.0 / sqrt(variance + u.epsilon));
}`;

const forward: Program = {
  name: 'norm',
  threads,
  code: (_, has) => `${sumOver('vec2f')}${STATISTICS}
fn run(row: u32, lane: u32) {
  let s = statistics(row, lane);
  for (var j = lane; j < WIDTH; j += THREADS) {
    let i = row * WIDTH + j;
    y[i] = (x[i] - s.x) * s.y * gamma[j]${has('beta') ? ' + beta[j]' : ''};
  }
}`,
};

const backward: Program = {
  name: 'normGrad',
  threads,
  code: (_, has) => `${sumOver('vec2f')}${STATISTICS}
const OWN = (WIDTH + THREADS - 1) / THREADS;
fn run(slab: u32, lane: u32) {
  var toGamma: array<f32, OWN>;
  var toBeta: array<f32, OWN>;
  for (var row = slab * u.slab; row < min((slab + 1) * u.slab, u.rows); row++) {
    let s = statistics(row, lane);
    var sums = vec2f(0.0);
    for (var j = lane; j < WIDTH; j += THREADS) {
      let i = row * WIDTH + j;
      let g = dy[i] * gamma[j];
      sums += vec2f(g, g * (x[i] - s.x) * s.y);
    }
    let means = sumOver(lane, sums) / f32(WIDTH);
    for (var k = 0u; k < OWN; k++) {
      let j = lane + k * THREADS;
      if (j < WIDTH) {
        let i = row * WIDTH + j;
        let xhat = (x[i] - s.x) * s.y;
        dx[i] = s.y * (dy[i] * gamma[j] - select(0.0, means.x, CENTRED) - xhat * means.y);
        toGamma[k] += dy[i] * xhat;
        toBeta[k] += dy[i];
      }
    }
  }
  for (var k = 0u; k < OWN; k++) {
    let j = lane + k * THREADS;
    if (j < WIDTH) {
      dgamma[slab * WIDTH + j] = toGamma[k];
      ${has('dbeta') ? 'dbeta[slab * WIDTH + j] = toBeta[k];' : ''}
    }
  }
}`,
};

/** Slabs on the way back: enough to fill a large GPU. */
const SLABS = 1024;

/** The kernels `name` and `nameGrad`. */
export function normKernels(name: string, centred: boolean): tf.KernelConfig[] {
  const sizes = (x: tf.TensorInfo, gamma: tf.TensorInfo) => {
    const width = gamma.shape[0]!;
    return { width, rows: sizeOf(x) / width, constants: { WIDTH: width, CENTRED: centred } };
  };
  return [
    webgpuKernel(name, (gpu, { x, gamma, beta }, attrs) => {
      const { rows, constants } = sizes(x!, gamma!);
      const y = gpu.output(x!.shape);
      gpu.run(forward, {
        read: { x, gamma, beta },
        write: { y },
        constants,
        floats: { epsilon: attrs['epsilon'] as number },
        groups: rows,
      });
      return y;
    }),
    webgpuKernel(`${name}Grad`, (gpu, { x, gamma, dy }, attrs) => {
      const { rows, width, constants } = sizes(x!, gamma!);
      const slab = Math.max(1, Math.ceil(rows / SLABS));
      const slabs = Math.ceil(rows / slab);
      const dx = gpu.output(x!.shape);
      const partial = () => gpu.scratch([slabs, width]);
      const [dgamma, dbeta] = [partial(), centred ? partial() : undefined];
      gpu.run(backward, {
        read: { x, gamma, dy },
        write: { dx, dgamma, dbeta },
        constants,
        uniforms: { rows, slab },
        floats: { epsilon: attrs['epsilon'] as number },
        groups: slabs,
      });
      return [dx, ...[dgamma, dbeta].flatMap((part) => (part ? [total(gpu, part, slabs, width)] : []))];
    }),
  ];
}

function total(gpu: WebgpuKernels, partial: tf.TensorInfo, slabs: number, width: number): tf.TensorInfo {
  const sum = gpu.output([width]);
  sumRows(gpu, partial, slabs, sum);
  return sum;
}
