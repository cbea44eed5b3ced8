/**
 * Layer norm and RMS norm in WGSL: some lanes a row, several narrow rows a workgroup. On the way back a workgroup takes a slab
 * of rows, and each of its lanes adds up what they give to its columns of gamma and beta; the parts are added afterwards, in a
 * fixed order.
 *
 *   xhat = (x - mean) r,  r = 1 / sqrt(var + eps);  y = gamma xhat + beta
 *   dx = r (dxhat - mean(dxhat) - xhat mean(dxhat xhat)),  dxhat = gamma dy
 *
 * RMS norm is the same without both means of x and of dxhat, and without beta. In a constant row r is 0 (layer-norm/reference.ts).
 */
import type * as tf from '@tensorflow/tfjs';
import { CONSTANT_ROW } from '../layer-norm/reference.js';
import { sizeOf } from '../shapes.js';
import { type Constants, type Program, type WebgpuKernels, webgpuKernel } from './program.js';
import { sumRows } from './sum-rows.js';
import { powerOfTwo, sumOver } from './wgsl.js';

/** Lanes of a row, about four columns each, and threads of a workgroup, which are those of one row or more. */
function arrangement({ WIDTH }: Constants) {
  const across = powerOfTwo((WIDTH as number) / 4, 1, 256);
  return { across, threads: Math.max(64, across) };
}

const threads = (constants: Constants) => arrangement(constants).threads;

/** Rows that a workgroup takes side by side. */
function rowsBeside(constants: Constants): number {
  const { across, threads: all } = arrangement(constants);
  return all / across;
}

/** Mean and 1 / deviation of row `row` over its lanes, of which this is `l`; mean 0 for RMS norm. */
const statistics = (constants: Constants) => `
const ACROSS = ${arrangement(constants).across}u;
const BESIDE = THREADS / ACROSS;
${sumOver('vec2f', arrangement(constants).across)}
fn statistics(row: u32, lane: u32) -> vec2f {
  var mean = 0.0;
  if (CENTRED) {
    var sum = 0.0;
    for (var j = lane % ACROSS; j < WIDTH; j += ACROSS) { sum += x[row * WIDTH + j]; }
    mean = sumOver(lane, vec2f(sum, 0.0)).x / f32(WIDTH);
  }
  var square = 0.0;
  for (var j = lane % ACROSS; j < WIDTH; j += ACROSS) { let v = x[row * WIDTH + j] - mean; square += v * v; }
  let spread = sumOver(lane, vec2f(square, 0.0)).x / f32(WIDTH) + u.epsilon;
  return vec2f(mean, select(1.0 / sqrt(spread), 0.0, spread <= ${CONSTANT_ROW}));
}`;

const forward: Program = {
  name: 'norm',
  threads,
  code: (constants, has) => `${statistics(constants)}
fn run(group: u32, lane: u32) {
  // All lanes add up together, those beyond the last row too.
  let row = group * BESIDE + lane / ACROSS;
  let s = statistics(row, lane);
  if (row >= u.rows) { return; }
  for (var j = lane % ACROSS; j < WIDTH; j += ACROSS) {
    let i = row * WIDTH + j;
    y[i] = (x[i] - s.x) * s.y * gamma[j]${has('beta') ? ' + beta[j]' : ''};
  }
}`,
};

const backward: Program = {
  name: 'normGrad',
  threads,
  code: (constants, has) => `${statistics(constants)}
const OWN = (WIDTH + ACROSS - 1) / ACROSS;
fn run(group: u32, lane: u32) {
  var toGamma: array<f32, OWN>;
  var toBeta: array<f32, OWN>;
  for (var n = 0u; n < u.slab; n++) {
    let row = (group * u.slab + n) * BESIDE + lane / ACROSS;
    let s = statistics(row, lane);
    var sums = vec2f(0.0);
    for (var j = lane % ACROSS; j < WIDTH; j += ACROSS) {
      let i = row * WIDTH + j;
      let g = dy[i] * gamma[j];
      sums += vec2f(g, g * (x[i] - s.x) * s.y);
    }
    let means = sumOver(lane, sums) / f32(WIDTH);
    if (row < u.rows) {
      for (var k = 0u; k < OWN; k++) {
        let j = lane % ACROSS + k * ACROSS;
        if (j < WIDTH) {
          let i = row * WIDTH + j;
          let xhat = (x[i] - s.x) * s.y;
          dx[i] = s.y * (dy[i] * gamma[j] - select(0.0, means.x, CENTRED) - xhat * means.y);
          toGamma[k] += dy[i] * xhat;
          toBeta[k] += dy[i];
        }
      }
    }
  }
  for (var k = 0u; k < OWN; k++) {
    let j = lane % ACROSS + k * ACROSS;
    if (j < WIDTH) {
      let i = (group * BESIDE + lane / ACROSS) * WIDTH + j;
      dgamma[i] = toGamma[k];
      ${has('dbeta') ? 'dbeta[i] = toBeta[k];' : ''}
    }
  }
}`,
};

/** Workgroups on the way back: enough to fill a large GPU. */
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
        uniforms: { rows },
        floats: { epsilon: attrs['epsilon'] as number },
        groups: Math.ceil(rows / rowsBeside(constants)),
      });
      return y;
    }),
    webgpuKernel(`${name}Grad`, (gpu, { x, gamma, dy }, attrs) => {
      const { rows, width, constants } = sizes(x!, gamma!);
      const beside = rowsBeside(constants);
      const slab = Math.max(1, Math.ceil(rows / (SLABS * beside)));
      const slabs = Math.ceil(rows / (slab * beside));
      const dx = gpu.output(x!.shape);
      const partial = () => gpu.scratch([slabs * beside, width]);
      const [dgamma, dbeta] = [partial(), centred ? partial() : undefined];
      gpu.run(backward, {
        read: { x, gamma, dy },
        write: { dx, dgamma, dbeta },
        constants,
        uniforms: { rows, slab },
        floats: { epsilon: attrs['epsilon'] as number },
        groups: slabs,
      });
      return [
        dx,
        ...[dgamma, dbeta].flatMap((part) => (part ? [total(gpu, part, slabs * beside, width)] : [])),
      ];
    }),
  ];
}

function total(gpu: WebgpuKernels, partial: tf.TensorInfo, parts: number, width: number): tf.TensorInfo {
  const sum = gpu.output([width]);
  sumRows(gpu, partial, parts, sum);
  return sum;
}
